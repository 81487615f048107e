"""Set up, replace and remove second factors. Each of it needs a recent proof of presence, and is told by mail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from kit.database import Scope
from kit.ids import new_id
from kit.passport import Caller
from kit.problems import NotFound
from kit.secret import Secret

from auth.domain.clients import Client
from auth.domain.letters import Letter, LetterKind
from auth.domain.second_factors import (
    PASSKEYS_MAX,
    AppExists,
    CeremonyPurpose,
    CodeRefused,
    NoSecondFactor,
    PasskeyKnown,
    TooManyPasskeys,
    new_recovery_codes,
    recovery_hash,
)
from auth.domain.security import SecurityKind
from auth.domain.totp import address_of, new_secret
from auth.ports.store import Store
from auth.use_cases.accounts import read_account
from auth.use_cases.ceremonies import Begun, begin_ceremony, end_ceremony, find_ceremony
from auth.use_cases.means import Means
from auth.use_cases.presence import check_recent
from auth.use_cases.sealing import destroy_quietly
from auth.use_cases.second_factors import step_of_app
from auth.use_cases.sessions import SignedIn, renew


@dataclass(frozen=True)
class NewApp:
    """What an authenticator app needs, by hand or from a picture."""

    secret: Secret
    address: Secret


@dataclass(frozen=True)
class Enrolment:
    """A second factor was added, and the token is new. Codes come with the first factor, and are seen now only."""

    signed_in: SignedIn
    recovery_codes: list[Secret]


async def begin_app(means: Means, caller: Caller) -> NewApp:
    """A secret that counts once a code of it is shown. Raises `PresenceNeeded`, `AppExists`."""
    account_id = caller.account
    async with means.transactions(Scope.account(account_id)) as store:
        await check_recent(store, caller)
        account, before = await read_account(store, account_id), await store.second_factors.app(account_id)
    if before and before.confirmed_at:
        raise AppExists()
    secret = new_secret()
    # Under a key of its own, as a grant is: what destroys and re-wraps those keys does it here too.
    sealed = await means.vault.seal_grant(
        secret.reveal().encode(), connection_id=account_id, workspace_id=account_id, generation=0
    )
    async with means.transactions(Scope.account(account_id)) as store:
        if not await store.second_factors.put_app(account_id, sealed, at=store.now()):
            raise AppExists()
    if before:
        await destroy_quietly(means.vault, before.data_key_id)
    return NewApp(secret, address_of(secret, account.email))


async def confirm_app(means: Means, caller: Caller, code: str, client: Client) -> Enrolment:
    """Raises `PresenceNeeded`, `NoSecondFactor` if none was begun, `CodeRefused`."""
    account_id = caller.account
    async with means.transactions(Scope.account(account_id)) as store:
        await check_recent(store, caller)
        app, now = await store.second_factors.app(account_id), store.now()
    if app is None or app.confirmed_at:
        raise NoSecondFactor()
    step = await step_of_app(means, app, code, now)
    if step is None:
        raise CodeRefused()
    async with means.transactions(Scope.account(account_id)) as store:
        if not await store.second_factors.confirm_app(account_id, app.data_key_id, step=step, at=now):
            raise CodeRefused()
        return await _added(store, caller, client, "authenticator app added")


async def remove_app(means: Means, caller: Caller, client: Client) -> None:
    """Raises `PresenceNeeded`, `NotFound`."""
    async with means.transactions(Scope.account(caller.account)) as store:
        await check_recent(store, caller)
        removed = await store.second_factors.remove_app(caller.account)
        if removed is None:
            raise NotFound()
        await _removed(store, caller, client, "authenticator app removed")
    await destroy_quietly(means.vault, removed.data_key_id)


async def begin_passkey(means: Means, caller: Caller) -> Begun:
    """What a browser makes a passkey from. Raises `PresenceNeeded`, `PasskeysNotOffered`, `TooManyPasskeys`."""
    async with means.transactions(Scope.account(caller.account)) as store:
        await check_recent(store, caller)
        account = await read_account(store, caller.account)
        known = await store.passkeys.credential_ids(caller.account)
        if len(known) >= PASSKEYS_MAX:
            raise TooManyPasskeys()
        ceremony, token = await begin_ceremony(store, CeremonyPurpose.REGISTRATION, caller.account)
        public_key = means.authenticators.registration(
            ceremony.challenge, account_id=caller.account, email=account.email, known=known
        )
    return Begun(token, public_key, ceremony.expires_at)


async def add_passkey(
    means: Means, caller: Caller, *, token: Secret, name: str, answer: dict[str, Any], client: Client
) -> Enrolment:
    """Raises `PresenceNeeded`, `CeremonyOver`, `PasskeyRefused`, `PasskeyKnown`."""
    async with means.transactions(Scope.account(caller.account)) as store:
        await check_recent(store, caller)
        ceremony = await find_ceremony(store, token, CeremonyPurpose.REGISTRATION, caller.account)
        made = means.authenticators.check_registration(answer, ceremony.challenge)
        await end_ceremony(store, ceremony)
        if not await store.passkeys.add(new_id(), caller.account, made, name=name, at=store.now()):
            raise PasskeyKnown()
        return await _added(store, caller, client, f"passkey added: {name}")


async def remove_passkey(store: Store, caller: Caller, passkey_id: UUID, client: Client) -> None:
    """Raises `PresenceNeeded`, `NotFound`."""
    await check_recent(store, caller)
    if not await store.passkeys.remove(passkey_id):
        raise NotFound()
    await _removed(store, caller, client, "passkey removed")


async def renew_recovery_codes(store: Store, caller: Caller, client: Client) -> list[Secret]:
    """New ones in place of all. Raises `PresenceNeeded`, `NoSecondFactor`."""
    await check_recent(store, caller)
    if not (await store.second_factors.enrolled(caller.account)).any:
        raise NoSecondFactor()
    codes = await _make_recovery_codes(store, caller, client)
    await _tell(store, caller, "recovery codes replaced")
    return codes


async def _added(store: Store, caller: Caller, client: Client, change: str) -> Enrolment:
    enrolled = await store.second_factors.enrolled(caller.account)
    codes = [] if enrolled.recovery_codes else await _make_recovery_codes(store, caller, client)
    await store.security.record(
        caller.account, SecurityKind.SECOND_FACTOR_ADDED, client, at=store.now(), session_id=caller.session_id
    )
    await _tell(store, caller, change)
    return Enrolment(await renew(store, caller, strong=True), codes)


async def _removed(store: Store, caller: Caller, client: Client, change: str) -> None:
    if not (await store.second_factors.enrolled(caller.account)).any:
        # They stand in for a factor, and there is none any more.
        await store.second_factors.put_recovery_codes(caller.account, [], at=store.now())
    await store.security.record(
        caller.account, SecurityKind.SECOND_FACTOR_REMOVED, client, at=store.now(), session_id=caller.session_id
    )
    await _tell(store, caller, change)


async def _make_recovery_codes(store: Store, caller: Caller, client: Client) -> list[Secret]:
    codes, now = new_recovery_codes(), store.now()
    await store.second_factors.put_recovery_codes(caller.account, [recovery_hash(code) for code in codes], at=now)
    await store.security.record(
        caller.account, SecurityKind.RECOVERY_CODES_MADE, client, at=now, session_id=caller.session_id
    )
    return codes


async def _tell(store: Store, caller: Caller, change: str) -> None:
    account = await read_account(store, caller.account)
    letter = Letter(
        LetterKind.SECOND_FACTOR_CHANGED, account.email, account_id=caller.account, facts={"change": change}
    )
    await store.letters.add(letter, at=store.now())
