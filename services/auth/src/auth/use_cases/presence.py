"""Step-up: prove again who sits at a session, and insist on such a proof before something delicate."""

from __future__ import annotations

from kit.database import Scope
from kit.passport import Caller
from kit.problems import Unauthenticated
from kit.secret import Secret

from auth.domain.accounts import PasswordRefused
from auth.domain.presence import PresenceNeeded, is_recent
from auth.domain.sessions import Session, hash_of, new_token
from auth.ports.people import PasswordHashes
from auth.ports.store import Store, Transactions


async def check_recent(store: Store, caller: Caller) -> None:
    """Return if this session proved a password or a second factor lately; a sign-in is such a proof.

    Raises `PresenceNeeded`, also for a caller without a session. The store's scope includes the caller's account.
    """
    proved_at = await store.sessions.proved_at(caller.session_id) if caller.session_id else None
    if not is_recent(proved_at, store.now()):
        raise PresenceNeeded()


async def prove_by_password(
    transactions: Transactions, caller: Caller, password: Secret, *, hashes: PasswordHashes
) -> tuple[Session, Secret]:
    """The session with the new token that it has from now on. Raises `PasswordRefused`."""
    async with transactions(Scope.account(caller.account)) as store:
        password_hash = await store.accounts.password_hash(caller.account)
    if not await hashes.matches(password_hash, password):
        raise PasswordRefused()
    async with transactions(Scope.account(caller.account)) as store:
        return await renew(store, caller)


async def renew(store: Store, caller: Caller) -> tuple[Session, Secret]:
    """Note the proof and change the token, so that one who got hold of the old one gains nothing by it."""
    token = new_token()
    session = caller.session_id and await store.sessions.renew(caller.session_id, hash_of(token), at=store.now())
    if not session:
        # Ended since the passport was issued.
        raise Unauthenticated()
    return session, token
