"""Second factors over HTTP: sign in with one, set one up, take one away."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from kit.database import Scope
from kit.passport import Caller, person
from kit.problems import Invalid
from kit.secret import Secret
from litestar import Request, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.types import ControllerRouterHandler
from msgspec import Meta

from auth.api.bodies import Name, Password
from auth.api.clients import client_of
from auth.domain.second_factors import Given, OwnPasskey
from auth.use_cases.ceremonies import Begun
from auth.use_cases.enrolling import (
    Enrolment,
    add_passkey,
    begin_app,
    begin_passkey,
    confirm_app,
    remove_app,
    remove_passkey,
    renew_recovery_codes,
)
from auth.use_cases.means import Means
from auth.use_cases.sessions import SignedIn
from auth.use_cases.signing_in import begin_with_passkey, complete_sign_in, sign_in_with_passkey

AnyRequest = Request[Any, Any, Any]

Token = Annotated[str, Meta(min_length=1, max_length=200)]
Code = Annotated[str, Meta(min_length=1, max_length=40)]
"""Digits of an app, or a recovery code with whatever stands between its groups."""


class FactorBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One of them. `passkey` is what `PublicKeyCredential.toJSON()` gives."""

    code: Code | None = None
    recovery_code: Code | None = None
    passkey: dict[str, Any] | None = None

    def given(self, *, also: str | None = None) -> Given:
        """Raises `Invalid` unless there is one, counted with `also`."""
        if sum(each is not None for each in (self.code, self.recovery_code, self.passkey, also)) != 1:
            raise Invalid(errors=[{"pointer": "", "detail": "Give one proof, neither none nor several."}])
        return Given(self.code, Secret(self.recovery_code) if self.recovery_code else None, self.passkey)


class SecondFactorBody(FactorBody, forbid_unknown_fields=True, frozen=True, kw_only=True):
    pending: Token


class PresenceBody(FactorBody, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """`ceremony`: the one that a passkey answers."""

    password: Password | None = None
    ceremony: Token | None = None


class PasskeyAnswerBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    ceremony: Token
    passkey: dict[str, Any]


class NewPasskeyBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    ceremony: Token
    name: Name
    passkey: dict[str, Any]


class CodeBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    code: Code


class NewSession(msgspec.Struct, frozen=True, kw_only=True):
    """The gateway takes the token out of the answer and into the cookie."""

    account_id: UUID
    expires_at: datetime
    session_token: str

    @classmethod
    def of(cls, signed_in: SignedIn) -> NewSession:
        return cls(
            account_id=signed_in.session.account_id,
            expires_at=signed_in.session.expires_at,
            session_token=signed_in.token.reveal(),
        )


class EnrolledSession(NewSession, frozen=True, kw_only=True):
    """`recovery_codes` are shown this once."""

    recovery_codes: list[str]

    @classmethod
    def after(cls, enrolment: Enrolment) -> EnrolledSession:
        new = NewSession.of(enrolment.signed_in)
        return cls(**msgspec.structs.asdict(new), recovery_codes=[code.reveal() for code in enrolment.recovery_codes])


class ShownCeremony(msgspec.Struct, frozen=True):
    """`public_key`: for `PublicKeyCredential.parseCreationOptionsFromJSON` or `…RequestOptionsFromJSON`."""

    ceremony: str
    public_key: dict[str, Any] | None
    expires_at: datetime

    @classmethod
    def of(cls, begun: Begun) -> ShownCeremony:
        return cls(begun.token.reveal(), begun.public_key, begun.expires_at)


class ShownApp(msgspec.Struct, frozen=True):
    secret: str
    otpauth_url: str


class ShownFactors(msgspec.Struct, frozen=True):
    authenticator_app: bool
    passkeys: list[OwnPasskey]
    recovery_codes_left: int


class RecoveryCodes(msgspec.Struct, frozen=True):
    recovery_codes: list[str]


def second_factor_routes(means: Means) -> list[ControllerRouterHandler]:
    """What a person has, the authenticator app and the recovery codes."""

    @post("/api/session/second-factor")
    async def complete(request: AnyRequest, data: JSONBody[SecondFactorBody]) -> NewSession:
        signed_in = await complete_sign_in(
            means, pending=Secret(data.pending), given=data.given(), client=client_of(request)
        )
        return NewSession.of(signed_in)

    @get("/api/account/second-factors", guards=[person()])
    async def show_factors(caller: NamedDependency[Caller]) -> ShownFactors:
        async with means.transactions(Scope.account(caller.account)) as store:
            enrolled = await store.second_factors.enrolled(caller.account)
            passkeys = list(await store.passkeys.of_account(caller.account))
        return ShownFactors(enrolled.app, passkeys, enrolled.recovery_codes)

    @post("/api/account/authenticator-app", guards=[person()])
    async def start_app(caller: NamedDependency[Caller]) -> ShownApp:
        app = await begin_app(means, caller)
        return ShownApp(app.secret.reveal(), app.address.reveal())

    @post("/api/account/authenticator-app/confirmation", guards=[person()])
    async def finish_app(
        request: AnyRequest, caller: NamedDependency[Caller], data: JSONBody[CodeBody]
    ) -> EnrolledSession:
        return EnrolledSession.after(await confirm_app(means, caller, data.code, client_of(request)))

    @delete("/api/account/authenticator-app", guards=[person()])
    async def drop_app(request: AnyRequest, caller: NamedDependency[Caller]) -> None:
        await remove_app(means, caller, client_of(request))

    @post("/api/account/recovery-codes", guards=[person()])
    async def new_codes(request: AnyRequest, caller: NamedDependency[Caller]) -> RecoveryCodes:
        async with means.transactions(Scope.account(caller.account)) as store:
            codes = await renew_recovery_codes(store, caller, client_of(request))
        return RecoveryCodes([code.reveal() for code in codes])

    return [complete, show_factors, start_app, finish_app, drop_app, new_codes]


def passkey_routes(means: Means) -> list[ControllerRouterHandler]:
    """Sign in with a passkey alone; add and remove passkeys."""

    @post("/api/session/passkey/options")
    async def ask() -> ShownCeremony:
        return ShownCeremony.of(await begin_with_passkey(means))

    @post("/api/session/passkey")
    async def answer(request: AnyRequest, data: JSONBody[PasskeyAnswerBody]) -> NewSession:
        signed_in = await sign_in_with_passkey(
            means, token=Secret(data.ceremony), given=Given(passkey=data.passkey), client=client_of(request)
        )
        return NewSession.of(signed_in)

    @post("/api/account/passkeys/options", guards=[person()])
    async def start_passkey(caller: NamedDependency[Caller]) -> ShownCeremony:
        return ShownCeremony.of(await begin_passkey(means, caller))

    @post("/api/account/passkeys", guards=[person()])
    async def register_passkey(
        request: AnyRequest, caller: NamedDependency[Caller], data: JSONBody[NewPasskeyBody]
    ) -> EnrolledSession:
        enrolment = await add_passkey(
            means,
            caller,
            token=Secret(data.ceremony),
            name=data.name,
            answer=data.passkey,
            client=client_of(request),
        )
        return EnrolledSession.after(enrolment)

    @delete("/api/account/passkeys/{passkey_id:uuid}", guards=[person()])
    async def drop_passkey(request: AnyRequest, passkey_id: FromPath[UUID], caller: NamedDependency[Caller]) -> None:
        async with means.transactions(Scope.account(caller.account)) as store:
            await remove_passkey(store, caller, passkey_id, client_of(request))

    return [ask, answer, start_passkey, register_passkey, drop_passkey]
