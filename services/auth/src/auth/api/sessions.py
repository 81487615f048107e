"""Sessions over HTTP: sign in and out, prove again who it is, see and end sessions, and the security log."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec
from kit.database import Scope
from kit.passport import Caller, Passports, person, service
from kit.problems import Unauthenticated
from kit.secret import Secret
from litestar import Request, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.types import ControllerRouterHandler

from auth.api.bodies import NewPasswordBody, PassportBody, SignInBody
from auth.api.clients import client_of
from auth.api.second_factors import NewSession, PresenceBody, ShownCeremony
from auth.domain.security import PAGE, SecurityEvent
from auth.ports.api_keys import KeyHashes
from auth.ports.store import Transactions
from auth.use_cases.api_keys import identify_key
from auth.use_cases.means import Means
from auth.use_cases.passwords import change_password
from auth.use_cases.presence import ask_for_presence, prove_presence
from auth.use_cases.sessions import SignedIn, end_session, end_sessions, identify
from auth.use_cases.signing_in import Pending, sign_in

AnyRequest = Request[Any, Any, Any]


class WantedFactor(msgspec.Struct, frozen=True):
    """One of `methods` (code, passkey, recovery_code) is to be shown with `pending`; a passkey answers `public_key`."""

    pending: str
    methods: list[str]
    public_key: dict[str, Any] | None
    expires_at: datetime

    @classmethod
    def of(cls, pending: Pending) -> WantedFactor:
        begun = pending.begun
        return cls(begun.token.reveal(), pending.methods, begun.public_key, begun.expires_at)


class HalfSignedIn(msgspec.Struct, frozen=True):
    second_factor: WantedFactor


class ShownSession(msgspec.Struct, frozen=True):
    """`present`: the one that asks. `idle_ends_at`: when it ends unless it is used."""

    session_id: UUID
    device: str | None
    client_address: str | None
    strong: bool
    created_at: datetime
    last_used_at: datetime
    idle_ends_at: datetime
    expires_at: datetime
    present: bool


class ShownSessions(msgspec.Struct, frozen=True):
    sessions: list[ShownSession]


class EndedSessions(msgspec.Struct, frozen=True):
    ended: int


class SecurityEvents(msgspec.Struct, frozen=True):
    events: list[SecurityEvent]


class Passport(msgspec.Struct, frozen=True):
    passport: str
    account_id: UUID


class Present(StrEnum):
    """What becomes of the session that asks."""

    KEEP = "keep"
    END = "end"


def session_routes(means: Means) -> list[ControllerRouterHandler]:
    """Sign in and out."""

    @post("/api/session")
    async def open_session(request: AnyRequest, data: JSONBody[SignInBody]) -> Response[NewSession | HalfSignedIn]:
        result = await sign_in(means, email=data.email, password=Secret(data.password), client=client_of(request))
        if isinstance(result, SignedIn):
            return Response(NewSession.of(result), status_code=201)
        return Response(HalfSignedIn(WantedFactor.of(result)), status_code=200)

    @delete("/api/session", guards=[person()])
    async def close_session(request: AnyRequest, caller: NamedDependency[Caller]) -> None:
        async with means.transactions(Scope.account(caller.account)) as store:
            if caller.session_id is not None:
                await end_session(store, caller, caller.session_id, client_of(request))

    return [open_session, close_session]


def presence_routes(means: Means) -> list[ControllerRouterHandler]:
    """Prove again who it is, and change what proves it."""

    @post("/api/session/presence", guards=[person()])
    async def step_up(request: AnyRequest, caller: NamedDependency[Caller], data: JSONBody[PresenceBody]) -> NewSession:
        signed_in = await prove_presence(
            means,
            caller,
            password=Secret(data.password) if data.password else None,
            given=data.given(also=data.password),
            ceremony=Secret(data.ceremony) if data.ceremony else None,
            client=client_of(request),
        )
        return NewSession.of(signed_in)

    @post("/api/session/presence/options", guards=[person()])
    async def ask_presence(caller: NamedDependency[Caller]) -> ShownCeremony:
        return ShownCeremony.of(await ask_for_presence(means, caller))

    @post("/api/account/password", guards=[person()])
    async def change(
        request: AnyRequest, caller: NamedDependency[Caller], data: JSONBody[NewPasswordBody]
    ) -> NewSession:
        signed_in = await change_password(
            means,
            caller,
            password=Secret(data.password),
            new_password=Secret(data.new_password),
            client=client_of(request),
        )
        return NewSession.of(signed_in)

    return [step_up, ask_presence, change]


def own_session_routes(transactions: Transactions) -> list[ControllerRouterHandler]:
    """What a person sees of their sessions and of what was done with the keys to their account."""

    @get("/api/account/sessions", guards=[person()])
    async def show_sessions(caller: NamedDependency[Caller]) -> ShownSessions:
        async with transactions(Scope.account(caller.account)) as store:
            found = await store.sessions.of_account(caller.account)
        return ShownSessions(
            [
                ShownSession(
                    session_id=each.session_id,
                    device=each.device,
                    client_address=each.client_address,
                    strong=each.strong,
                    created_at=each.created_at,
                    last_used_at=each.last_used_at,
                    idle_ends_at=each.idle_ends_at,
                    expires_at=each.expires_at,
                    present=each.session_id == caller.session_id,
                )
                for each in found
            ]
        )

    @delete("/api/account/sessions/{session_id:uuid}", guards=[person()])
    async def end_one(request: AnyRequest, session_id: FromPath[UUID], caller: NamedDependency[Caller]) -> None:
        async with transactions(Scope.account(caller.account)) as store:
            await end_session(store, caller, session_id, client_of(request))

    @delete("/api/account/sessions", guards=[person()], status_code=200)
    async def end_many(
        request: AnyRequest, caller: NamedDependency[Caller], present: FromQuery[Present] = Present.KEEP
    ) -> EndedSessions:
        async with transactions(Scope.account(caller.account)) as store:
            keep = present is Present.KEEP
            return EndedSessions(await end_sessions(store, caller, client_of(request), keep_present=keep))

    @get("/api/account/security-events", guards=[person()])
    async def show_security_events(
        caller: NamedDependency[Caller], before: FromQuery[UUID | None] = None
    ) -> SecurityEvents:
        async with transactions(Scope.account(caller.account)) as store:
            return SecurityEvents(list(await store.security.of_account(caller.account, before=before, limit=PAGE)))

    return [show_sessions, end_one, end_many, show_security_events]


def passport_routes(
    transactions: Transactions, passports: Passports, key_hashes: KeyHashes
) -> list[ControllerRouterHandler]:
    """What the gateway gets for a session or a key."""

    @post("/internal/passports", guards=[service("gateway")], status_code=200)
    async def issue_passport(data: JSONBody[PassportBody]) -> Passport:
        if data.api_key is not None:
            key = Secret(data.api_key)
            caller = await identify_key(transactions, key=key, workspace_id=data.workspace_id, hashes=key_hashes)
        elif data.session_token is not None:
            caller = await identify(transactions, token=Secret(data.session_token), workspace_id=data.workspace_id)
        else:
            raise Unauthenticated()
        return Passport(passports.issue(caller), caller.account)

    return [issue_passport]
