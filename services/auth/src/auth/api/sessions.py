"""Sessions over HTTP: sign in and out, prove again who it is, and what the gateway gets for a session."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec
from kit.database import Scope
from kit.passport import Caller, Passports, person, service
from kit.problems import Unauthenticated
from kit.secret import Secret
from litestar import delete, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from litestar.types import ControllerRouterHandler

from auth.api.bodies import PassportBody, PresenceBody, SignInBody
from auth.ports.people import PasswordHashes
from auth.ports.store import Transactions
from auth.use_cases.presence import prove_by_password
from auth.use_cases.sessions import identify, sign_in, sign_out


class NewSession(msgspec.Struct, frozen=True):
    """The gateway takes the token out of the answer and into the cookie."""

    account_id: UUID
    expires_at: datetime
    session_token: str


class Passport(msgspec.Struct, frozen=True):
    passport: str
    account_id: UUID


def session_routes(
    transactions: Transactions, hashes: PasswordHashes, passports: Passports
) -> list[ControllerRouterHandler]:
    """Sign in and out, and what the gateway gets for a session."""

    @post("/api/session")
    async def open_session(data: JSONBody[SignInBody]) -> NewSession:
        session, token = await sign_in(transactions, email=data.email, password=Secret(data.password), hashes=hashes)
        return NewSession(session.account_id, session.expires_at, token.reveal())

    @delete("/api/session", guards=[person()])
    async def close_session(caller: NamedDependency[Caller]) -> None:
        async with transactions(Scope.account(caller.account)) as store:
            await sign_out(store, caller)

    @post("/api/session/presence", guards=[person()])
    async def prove_presence(caller: NamedDependency[Caller], data: JSONBody[PresenceBody]) -> NewSession:
        session, token = await prove_by_password(transactions, caller, Secret(data.password), hashes=hashes)
        return NewSession(session.account_id, session.expires_at, token.reveal())

    @post("/internal/passports", guards=[service("gateway")], status_code=200)
    async def issue_passport(data: JSONBody[PassportBody]) -> Passport:
        if data.session_token is None:
            raise Unauthenticated()
        caller = await identify(transactions, token=Secret(data.session_token), workspace_id=data.workspace_id)
        return Passport(passports.issue(caller), caller.account)

    return [open_session, close_session, prove_presence, issue_passport]
