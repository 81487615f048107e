"""Sign-in through OpenID providers over HTTP.

The gateway gives every browser that sets out a token of its own and shows it again when the browser comes back; here
it arrives as a header that no client can send through the gateway.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from kit.database import Scope
from kit.passport import Caller, person
from kit.secret import Secret
from litestar import Request, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, HeaderParameter, JSONBody
from litestar.types import ControllerRouterHandler
from msgspec import Meta

from auth.api.bodies import Language, Name, TimeZone, Token
from auth.api.clients import client_of
from auth.api.sessions import WantedFactor
from auth.domain.openid import Identity, Purpose, SignInMode, SignInUnknown, Waiting
from auth.use_cases.identities import Ways, unlink
from auth.use_cases.openid import Arrival, come_back, start
from auth.use_cases.openid_accounts import Details, complete
from auth.use_cases.sessions import SignedIn
from auth.use_cases.signing_in import Pending
from auth.use_cases.signing_up import SignUpPolicy, Verified

AnyRequest = Request[Any, Any, Any]
Browser = Annotated[str | None, HeaderParameter(name="X-Signoff-Browser", max_length=200)]


class ProviderBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    provider: Annotated[str, Meta(max_length=32)]


class DetailsBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    time_zone: TimeZone
    age_attested: bool
    full_name: Name | None = None
    company: Name | None = None
    language: Language = "en"
    invitation: Token | None = None


class OfferedProvider(msgspec.Struct, frozen=True):
    name: str
    label: str


class OfferedProviders(msgspec.Struct, frozen=True):
    """`sign_in`: whether passwords are taken besides (`password`) or not (`openid`)."""

    sign_in: SignInMode
    providers: list[OfferedProvider]


class StartedSignIn(msgspec.Struct, frozen=True):
    authorisation_url: str
    expires_at: datetime


class Arrived(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """`state`: `signed_in`, `second_factor_needed`, `attestation_needed`, `approval_pending` or `linked`.

    The gateway takes the token into the cookie.
    """

    state: str
    account_id: UUID | None = None
    expires_at: datetime | None = None
    session_token: str | None = None
    email: str | None = None
    full_name: str | None = None
    identity_id: UUID | None = None
    second_factor: WantedFactor | None = None


class OwnIdentity(msgspec.Struct, frozen=True):
    """`provider` is null where the operator does not offer it any more."""

    identity_id: UUID
    provider: str | None
    email: str | None
    linked_at: datetime


class OwnIdentities(msgspec.Struct, frozen=True):
    identities: list[OwnIdentity]


def openid_routes(ways: Ways, policy: SignUpPolicy) -> list[ControllerRouterHandler]:
    """Go to a provider, come back, complete a new account."""

    @get("/api/openid/providers", sync_to_thread=False)
    def show_providers() -> OfferedProviders:
        return OfferedProviders(
            ways.means.sign_in, [OfferedProvider(each.name, each.label) for each in ways.providers.all]
        )

    @post("/api/openid/sign-ins")
    async def start_sign_in(data: JSONBody[ProviderBody], browser: Browser = None) -> StartedSignIn:
        return StartedSignIn(*await start(ways, name=data.provider, browser=_known(browser)))

    @get("/api/openid/callback")
    async def finish_sign_in(request: AnyRequest, browser: Browser = None) -> Arrived:
        callback = dict(request.query_params)
        return _arrived(await come_back(ways, browser=_known(browser), callback=callback, client=client_of(request)))

    @post("/api/openid/accounts")
    async def complete_account(
        request: AnyRequest, data: JSONBody[DetailsBody], browser: Browser = None
    ) -> Response[Arrived]:
        details = Details(
            full_name=data.full_name,
            company=data.company,
            time_zone=data.time_zone,
            language=data.language,
            age_attested=data.age_attested,
            invitation=Secret(data.invitation) if data.invitation else None,
        )
        completed = await complete(
            ways.transactions, browser=_known(browser), details=details, policy=policy, client=client_of(request)
        )
        return Response(_arrived(completed), status_code=201 if isinstance(completed, SignedIn) else 202)

    return [show_providers, start_sign_in, finish_sign_in, complete_account]


def identity_routes(ways: Ways) -> list[ControllerRouterHandler]:
    """What a signed-in person does with providers: link, list, unlink, prove that it is them."""

    async def leave(browser: str | None, name: str, purpose: Purpose, caller: Caller) -> StartedSignIn:
        return StartedSignIn(*await start(ways, name=name, browser=_known(browser), purpose=purpose, caller=caller))

    @post("/api/account/identities/authorisations", guards=[person()])
    async def start_linking(
        caller: NamedDependency[Caller], data: JSONBody[ProviderBody], browser: Browser = None
    ) -> StartedSignIn:
        return await leave(browser, data.provider, Purpose.LINK, caller)

    @post("/api/session/presence/authorisations", guards=[person()])
    async def start_proving(
        caller: NamedDependency[Caller], data: JSONBody[ProviderBody], browser: Browser = None
    ) -> StartedSignIn:
        return await leave(browser, data.provider, Purpose.PROVE, caller)

    @get("/api/account/identities", guards=[person()])
    async def show_identities(caller: NamedDependency[Caller]) -> OwnIdentities:
        names = {provider.issuer: provider.name for provider in ways.providers.all}
        async with ways.transactions(Scope.account(caller.account)) as store:
            found = await store.identities.of_account(caller.account)
        return OwnIdentities(
            [OwnIdentity(each.identity_id, names.get(each.issuer), each.email, each.linked_at) for each in found]
        )

    @delete("/api/account/identities/{identity_id:uuid}", guards=[person()])
    async def remove_identity(
        request: AnyRequest, identity_id: FromPath[UUID], caller: NamedDependency[Caller]
    ) -> None:
        await unlink(ways, caller, identity_id, client_of(request))

    return [start_linking, start_proving, show_identities, remove_identity]


def _known(browser: str | None) -> Secret:
    """The browser's token; a request without one has never set out, or too long ago."""
    if not browser:
        raise SignInUnknown()
    return Secret(browser)


def _arrived(arrival: Arrival | Verified) -> Arrived:
    match arrival:
        case SignedIn(session, token):
            return Arrived(
                state="signed_in",
                account_id=session.account_id,
                expires_at=session.expires_at,
                session_token=token.reveal(),
            )
        case Pending():
            return Arrived(state="second_factor_needed", second_factor=WantedFactor.of(arrival))
        case Waiting():
            return Arrived(
                state="attestation_needed",
                expires_at=arrival.expires_at,
                email=arrival.email,
                full_name=arrival.full_name,
            )
        case Verified(account_id):
            return Arrived(state="approval_pending", account_id=account_id)
        case Identity():
            return Arrived(state="linked", identity_id=arrival.identity_id)
