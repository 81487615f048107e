"""Step-up: prove again who sits at a session, and insist on such a proof before something delicate."""

from __future__ import annotations

from kit.database import Scope
from kit.passport import Caller
from kit.secret import Secret

from auth.domain.accounts import PasswordRefused
from auth.domain.clients import Client
from auth.domain.presence import PresenceNeeded, SecondFactorRequired, is_recent
from auth.domain.second_factors import CeremonyPurpose, Given, SecondFactorNeeded
from auth.domain.security import SecurityKind
from auth.ports.store import Store
from auth.use_cases.ceremonies import Begun, ask_for_passkey, end_ceremony, find_ceremony
from auth.use_cases.means import Means
from auth.use_cases.passwords import prove_password
from auth.use_cases.second_factors import check_given, use_up
from auth.use_cases.sessions import SignedIn, renew


async def check_recent(store: Store, caller: Caller) -> None:
    """Return if this session proved a password or a second factor lately; a sign-in is such a proof.

    Raises `PresenceNeeded`, also for a caller without a session. The store's scope includes the caller's account.
    """
    proof = await store.sessions.proof(caller.session_id) if caller.session_id else None
    if proof is None or not is_recent(proof.proved_at, store.now()):
        raise PresenceNeeded()


async def check_strong(store: Store, caller: Caller) -> None:
    """Raise `SecondFactorRequired` unless one was given in this session. The scope includes the caller's account."""
    proof = await store.sessions.proof(caller.session_id) if caller.session_id else None
    if proof is None or not proof.strong:
        raise SecondFactorRequired()


async def prove_oneself(means: Means, caller: Caller, password: Secret | None, client: Client) -> None:
    """Return if the password is right; of who has none, if they proved lately in another way that it is them.

    Raises `PasswordRefused`, `TooManyAttempts`, `PresenceNeeded`.
    """
    if password is not None:
        return await prove_password(means, caller.account, password, client)
    async with means.transactions(Scope.account(caller.account)) as store:
        if await store.accounts.password_hash(caller.account) is not None:
            raise PasswordRefused()
        await check_recent(store, caller)


async def prove_presence(
    means: Means, caller: Caller, *, password: Secret | None, given: Given, ceremony: Secret | None, client: Client
) -> SignedIn:
    """The session with the new token that it has from now on.

    Who has a second factor proves it by that: whoever found out the password and sits at the session is to get no
    further. Raises `SecondFactorNeeded` then, `PasswordRefused`, and as `check_given`.
    """
    account_id, begun, checked = caller.account, None, None
    async with means.transactions(Scope.account(account_id)) as store:
        enrolled = await store.second_factors.enrolled(account_id)
        if ceremony:
            begun = await find_ceremony(store, ceremony, CeremonyPurpose.PRESENCE, account_id)
    if password is None:
        checked = await check_given(means, account_id, given, begun.challenge if begun else None, client)
    elif enrolled.any:
        raise SecondFactorNeeded()
    else:
        await prove_password(means, account_id, password, client)
    async with means.transactions(Scope.account(account_id)) as store:
        if begun:
            await end_ceremony(store, begun)
        if checked:
            await use_up(store, checked, client)
        signed_in = await renew(store, caller, strong=checked is not None)
        await store.security.record(
            account_id, SecurityKind.PRESENCE_PROVED, client, at=store.now(), session_id=caller.session_id
        )
    return signed_in


async def ask_for_presence(means: Means, caller: Caller) -> Begun:
    """What a passkey proves presence by. Raises `PasskeysNotOffered`."""
    async with means.transactions(Scope.account(caller.account)) as store:
        return await ask_for_passkey(means, store, CeremonyPurpose.PRESENCE, caller.account)
