"""Sign in through an OpenID provider: go there and come back."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta

from kit.database import Scope
from kit.ids import new_id
from kit.passport import Caller
from kit.secret import Secret

from auth.domain.accounts import check_may_sign_in
from auth.domain.clients import Client
from auth.domain.openid import (
    AWAY,
    SKEW_SECONDS,
    STATE_BYTES,
    AddressNotAllowed,
    AddressNotVerified,
    ConfiguredProvider,
    Identity,
    IdentityNotLinked,
    Journey,
    Purpose,
    SignInDenied,
    SignInFailed,
    SignInMode,
    SignInUnknown,
    Started,
    Vouched,
    Waiting,
)
from auth.domain.presence import PresenceNeeded
from auth.domain.second_factors import SecondFactorNeeded
from auth.domain.security import SecurityKind
from auth.ports.store import Store
from auth.use_cases.identities import Ways, link
from auth.use_cases.presence import check_recent
from auth.use_cases.sessions import SignedIn, renew
from auth.use_cases.signing_in import Pending, admit

NOBODY = Caller()

Arrival = SignedIn | Pending | Waiting | Identity
"""How a way to a provider ended: at a session, before a second factor, before an account that is still to be
completed, at a linked identity."""


async def start(
    ways: Ways, *, name: str, browser: Secret, purpose: Purpose = Purpose.SIGN_IN, caller: Caller = NOBODY
) -> tuple[str, datetime]:
    """Where to send the person, and until when they may come back. Linking needs a recent proof of presence."""
    provider = ways.providers.find(name)
    if purpose is Purpose.LINK:
        async with ways.transactions(Scope.account(caller.account)) as store:
            await check_recent(store, caller)
    journey = Journey(secrets.token_urlsafe(STATE_BYTES), browser)
    url = await ways.providers.authorisation_url(provider, journey, afresh=purpose is Purpose.PROVE)
    async with ways.transactions(Scope.nobody()) as store:
        expires_at = store.now() + AWAY
        started = Started(provider.name, purpose, caller.account_id, caller.session_id, expires_at)
        await store.identities.start(journey, started)
    return url, expires_at


async def come_back(ways: Ways, *, browser: Secret, callback: Mapping[str, str], client: Client) -> Arrival:
    """What the person came back to. The state works once, and only in the browser that it was made for."""
    journey = Journey(callback.get("state", ""), browser)
    async with ways.transactions(Scope.nobody()) as store:
        started = await store.identities.take(journey)
        now = store.now()
    if started is None or started.expires_at <= now:
        raise SignInUnknown()
    if "code" not in callback:
        raise SignInDenied() if callback.get("error") == "access_denied" else SignInFailed()
    provider, purpose = ways.providers.find(started.provider), Purpose(started.purpose)
    vouched = await ways.providers.redeem(
        provider, journey, code=callback["code"], issuer=callback.get("iss"), afresh=purpose is Purpose.PROVE
    )
    _check_admitted(provider, vouched)
    match purpose:
        case Purpose.LINK:
            return await link(ways.transactions, started, vouched, client, label=provider.label)
        case Purpose.PROVE:
            return await _prove(ways, started, vouched, client)
        case Purpose.SIGN_IN:
            return await _sign_in(ways, journey, vouched, client)


def _check_admitted(provider: ConfiguredProvider, vouched: Vouched) -> None:
    """Where an operator named domains, everybody shows an address of one, every time."""
    if provider.domains and vouched.email is None:
        raise AddressNotVerified()
    if vouched.email is not None and not provider.admits(vouched.email):
        raise AddressNotAllowed()


async def _sign_in(ways: Ways, journey: Journey, vouched: Vouched, client: Client) -> SignedIn | Pending | Waiting:
    async with ways.transactions(Scope.nobody()) as store:
        owner = await store.identities.owner_of(vouched.issuer, vouched.subject)
        if owner is None:
            return await _await_details(store, journey, vouched)
    check_may_sign_in(owner.state)
    async with ways.transactions(Scope.account(owner.account_id)) as store:
        result = await admit(ways.means, store, owner.account_id, client)
        if isinstance(result, SignedIn):
            # A provider that remembers somebody proves nothing about who sits there now; it says when they proved it.
            proved_at = vouched.authenticated_at and min(vouched.authenticated_at, store.now())
            await store.sessions.date_proof(result.session.session_id, proved_at)
        if ways.means.sign_in is SignInMode.OPENID:
            # From before sign-in was left to providers. Whoever comes this way needs no password any more.
            await store.accounts.forget_password(owner.account_id)
    return result


async def _await_details(store: Store, journey: Journey, vouched: Vouched) -> Waiting:
    if vouched.email is None:
        raise AddressNotVerified()
    if await store.accounts.id_of(vouched.email) is not None:
        raise IdentityNotLinked()
    waiting = Waiting(new_id(), vouched.issuer, vouched.subject, vouched.email, vouched.full_name, store.now() + AWAY)
    await store.identities.await_details(journey.browser_hash, waiting)
    return waiting


async def _prove(ways: Ways, started: Started, vouched: Vouched, client: Client) -> SignedIn:
    """The session that the person left from, proved: they showed the provider anew who they are.

    Who has a second factor here proves it by that, as beside a password. Raises `SecondFactorNeeded` then.
    """
    if started.account_id is None or vouched.authenticated_at is None:
        raise PresenceNeeded()
    if vouched.authenticated_at < started.expires_at - AWAY - timedelta(seconds=SKEW_SECONDS):
        raise PresenceNeeded()
    async with ways.transactions(Scope.account(started.account_id)) as store:
        owner = await store.identities.owner_of(vouched.issuer, vouched.subject)
        if owner is None or owner.account_id != started.account_id:
            raise PresenceNeeded()
        if (await store.second_factors.enrolled(started.account_id)).any:
            raise SecondFactorNeeded()
        signed_in = await renew(store, Caller(started.account_id, started.session_id))
        await store.security.record(
            started.account_id, SecurityKind.PRESENCE_PROVED, client, at=store.now(), session_id=started.session_id
        )
    return signed_in
