"""Sign in, turn a session into a passport's caller, sign out."""

from __future__ import annotations

from uuid import UUID

from kit.database import Scope
from kit.ids import new_id
from kit.passport import Caller
from kit.problems import NotFound, Unauthenticated
from kit.secret import Secret

from auth.domain.accounts import CredentialsRefused, normalised
from auth.domain.sessions import LIFETIME, Session, hash_of, new_token
from auth.ports.people import PasswordHashes
from auth.ports.store import Store, Transactions


async def sign_in(
    transactions: Transactions, *, email: str, password: Secret, hashes: PasswordHashes
) -> tuple[Session, Secret]:
    """A new session and its token. An unknown address is refused in the same words after the same work."""
    async with transactions(Scope.nobody()) as store:
        credential = await store.accounts.credential_of(normalised(email))
    if not await hashes.matches(credential.password_hash if credential else None, password) or credential is None:
        raise CredentialsRefused()
    credential.check_may_sign_in()
    new_hash = await hashes.make(password) if hashes.is_outdated(credential.password_hash) else None
    token = new_token()
    async with transactions(Scope.account(credential.account_id)) as store:
        now = store.now()
        session = Session(new_id(), credential.account_id, now + LIFETIME)
        if not await store.sessions.add(session, hash_of(token), at=now):
            raise CredentialsRefused()
        if new_hash:
            await store.accounts.set_password_hash(credential.account_id, new_hash, at=now)
    return session, token


async def identify(transactions: Transactions, *, token: Secret, workspace_id: UUID | None) -> Caller:
    """Who holds a session, in a workspace or in none.

    Raises `Unauthenticated`; `NotFound` for a workspace that the person is no member of, existing or not.
    """
    async with transactions(Scope.nobody()) as store:
        now = store.now()
        holder = await store.sessions.holder_of(hash_of(token), workspace_id)
    if holder is None or not holder.is_alive(now):
        raise Unauthenticated()
    if holder.is_stale(now):
        async with transactions(Scope.account(holder.account_id)) as store:
            await store.sessions.touch(holder.session_id, at=now)
    role = holder.as_member()
    if workspace_id is not None and role is None:
        raise NotFound()
    return Caller(holder.account_id, holder.session_id, workspace_id, role)


async def sign_out(store: Store, caller: Caller) -> None:
    """End the session that the passport was issued for."""
    if caller.session_id is not None:
        await store.sessions.end(caller.session_id)
