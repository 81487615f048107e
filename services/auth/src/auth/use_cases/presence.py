"""Step-up: prove again who sits at a session, and insist on such a proof before something delicate."""

from __future__ import annotations

from kit.database import Scope
from kit.passport import Caller
from kit.secret import Secret

from auth.domain.clients import Client
from auth.domain.presence import PresenceNeeded, SecondFactorRequired, is_recent
from auth.domain.security import SecurityKind
from auth.ports.store import Store
from auth.use_cases.means import Means
from auth.use_cases.passwords import prove_password
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


async def prove_presence(means: Means, caller: Caller, password: Secret, client: Client) -> SignedIn:
    """The session with the new token that it has from now on. Raises `PasswordRefused`, `TooManyAttempts`."""
    await prove_password(means, caller.account, password, client)
    async with means.transactions(Scope.account(caller.account)) as store:
        signed_in = await renew(store, caller)
        await store.security.record(
            caller.account, SecurityKind.PRESENCE_PROVED, client, at=store.now(), session_id=caller.session_id
        )
    return signed_in
