"""Sign in: with a password and, where there is one, a second factor; or with a passkey alone, which is both."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from kit.database import Scope
from kit.secret import Secret

from auth.domain.accounts import CredentialsRefused, normalised
from auth.domain.clients import Client
from auth.domain.second_factors import CeremonyPurpose, Given, PasskeyRefused
from auth.domain.security import SecurityKind
from auth.ports.store import Store
from auth.use_cases.attempts import begin_attempt, forgive
from auth.use_cases.ceremonies import Begun, ask_for_passkey, begin_ceremony, end_ceremony, find_ceremony
from auth.use_cases.means import Means
from auth.use_cases.second_factors import check_given, use_up
from auth.use_cases.sessions import SignedIn, open_session


@dataclass(frozen=True)
class Pending:
    """The password was right, and a second factor is wanted: one of `methods`."""

    begun: Begun
    methods: list[str]


async def sign_in(means: Means, *, email: str, password: Secret, client: Client) -> SignedIn | Pending:
    """A new session. An unknown address is refused in the same words after the same work."""
    means.check_own_sign_in()
    address = normalised(email)
    async with means.transactions(Scope.nobody()) as store:
        credential = await store.accounts.credential_of(address)
        account_id = credential.account_id if credential else None
        attempt = await begin_attempt(
            store, "password", account_id=account_id, address=address, client=client, hide=means.hide
        )
    right = await means.hashes.matches(credential.password_hash if credential else None, password)
    if credential is None:
        raise CredentialsRefused()
    if not right:
        await _note_failure(means, credential.account_id, client)
        raise CredentialsRefused()
    credential.check_may_sign_in()
    outdated = means.hashes.is_outdated(credential.password_hash)
    new_hash = await means.hashes.make(password) if outdated else None
    async with means.transactions(Scope.account(credential.account_id)) as store:
        await forgive(store, attempt)
        if new_hash:
            await store.accounts.set_password_hash(credential.account_id, new_hash, at=store.now())
        return await admit(means, store, credential.account_id, client)


async def admit(means: Means, store: Store, account_id: UUID, client: Client) -> SignedIn | Pending:
    """Let in who has proved to be this person in one way: at once, or after the second factor that they have set up."""
    enrolled = await store.second_factors.enrolled(account_id)
    if not enrolled.any:
        return await open_session(store, account_id, client)
    if enrolled.passkeys and means.offered_authenticators:
        begun = await ask_for_passkey(means, store, CeremonyPurpose.SIGN_IN, account_id)
    else:
        ceremony, token = await begin_ceremony(store, CeremonyPurpose.SIGN_IN, account_id)
        begun = Begun(token, None, ceremony.expires_at)
    return Pending(begun, enrolled.methods())


async def complete_sign_in(means: Means, *, pending: Secret, given: Given, client: Client) -> SignedIn:
    """The session that a second factor opens. Raises `CeremonyOver`, and as `check_given`."""
    async with means.transactions(Scope.nobody()) as store:
        ceremony = await find_ceremony(store, pending, CeremonyPurpose.SIGN_IN, None)
    account_id = ceremony.account_id
    assert account_id is not None
    checked = await check_given(means, account_id, given, ceremony.challenge, client)
    async with means.transactions(Scope.account(account_id)) as store:
        await end_ceremony(store, ceremony)
        await use_up(store, checked, client)
        return await open_session(store, account_id, client, strong=True)


async def begin_with_passkey(means: Means) -> Begun:
    """Ask for any passkey of ours that a device has: who signs in is said by it."""
    means.check_own_sign_in()
    async with means.transactions(Scope.nobody()) as store:
        return await ask_for_passkey(means, store, CeremonyPurpose.PASSKEY_ALONE, None)


async def sign_in_with_passkey(means: Means, *, token: Secret, given: Given, client: Client) -> SignedIn:
    """Raises `CeremonyOver`, `PasskeyRefused`."""
    means.check_own_sign_in()
    credential_id = means.authenticators.credential_id(given.passkey or {})
    async with means.transactions(Scope.nobody()) as store:
        ceremony = await find_ceremony(store, token, CeremonyPurpose.PASSKEY_ALONE, None)
        passkey = await store.passkeys.find(credential_id)
    if passkey is None:
        raise PasskeyRefused()
    checked = await check_given(means, passkey.account_id, given, ceremony.challenge, client)
    async with means.transactions(Scope.account(passkey.account_id)) as store:
        await end_ceremony(store, ceremony)
        await use_up(store, checked, client)
        return await open_session(store, passkey.account_id, client, strong=True)


async def _note_failure(means: Means, account_id: UUID, client: Client) -> None:
    async with means.transactions(Scope.nobody()) as store:
        await store.security.record(account_id, SecurityKind.SIGN_IN_FAILED, client, at=store.now())
