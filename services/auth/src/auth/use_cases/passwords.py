"""Prove and replace a password."""

from __future__ import annotations

from uuid import UUID

from kit.database import Scope
from kit.passport import Caller
from kit.problems import Invalid
from kit.secret import Secret

from auth.domain.accounts import PasswordRefused
from auth.domain.clients import Client
from auth.domain.letters import Letter, LetterKind
from auth.domain.passwords import AboutPerson
from auth.domain.security import SecurityKind
from auth.ports.store import Store
from auth.use_cases.accounts import read_account
from auth.use_cases.attempts import begin_attempt, forgive
from auth.use_cases.means import Means
from auth.use_cases.password_rules import errors_of
from auth.use_cases.sessions import SignedIn, renew


async def prove_password(means: Means, account_id: UUID, password: Secret, client: Client) -> None:
    """Return if it is the account's. Raises `PasswordRefused`, `TooManyAttempts`."""
    means.check_own_sign_in()
    async with means.transactions(Scope.account(account_id)) as store:
        account = await read_account(store, account_id)
        password_hash = await store.accounts.password_hash(account_id)
        attempt = await begin_attempt(
            store, "password", account_id=account_id, address=account.email, client=client, hide=means.hide
        )
    if not await means.hashes.matches(password_hash, password):
        raise PasswordRefused()
    async with means.transactions(Scope.account(account_id)) as store:
        await forgive(store, attempt)


async def change_password(
    means: Means, caller: Caller, *, password: Secret, new_password: Secret, client: Client
) -> SignedIn:
    """Replace it and end every other session; the present one gets a new token."""
    await prove_password(means, caller.account, password, client)
    async with means.transactions(Scope.account(caller.account)) as store:
        account = await read_account(store, caller.account)
    about = AboutPerson(account.email, account.full_name, account.company)
    if errors := await errors_of(new_password, about, pointer="/new_password"):
        raise Invalid(errors=errors)
    new_hash = await means.hashes.make(new_password)
    async with means.transactions(Scope.account(caller.account)) as store:
        await replace_password(store, caller.account, new_hash, client, keep=caller.session_id)
        return await renew(store, caller)


async def replace_password(
    store: Store, account_id: UUID, password_hash: str, client: Client, *, keep: UUID | None = None
) -> None:
    """From now on this is the password; every session but `keep` ends, and the person is told."""
    now = store.now()
    account = await read_account(store, account_id)
    await store.accounts.set_password_hash(account_id, password_hash, at=now)
    await store.sessions.end_all(account_id, but=keep)
    # What somebody began with the old password must not be finished with a link.
    await store.proofs.cancel(account_id)
    await store.security.record(account_id, SecurityKind.PASSWORD_CHANGED, client, at=now, session_id=keep)
    await store.letters.add(Letter(LetterKind.PASSWORD_CHANGED, account.email, account_id=account_id), at=now)
