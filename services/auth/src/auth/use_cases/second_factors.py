"""Check a second factor, and use it up: what was right once is not right again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from kit.database import Scope
from kit.problems import Invalid
from kit.secret import Secret

from auth.domain.clients import Client
from auth.domain.second_factors import (
    CodeOfStep,
    CodeRefused,
    Given,
    PasskeyRefused,
    PasskeyUse,
    Proven,
    RecoveryCode,
    Totp,
    recovery_hash,
)
from auth.domain.security import SecurityKind
from auth.domain.totp import step_of
from auth.domain.vault import NotOpened
from auth.ports.store import Store
from auth.use_cases.accounts import read_account
from auth.use_cases.attempts import Attempt, begin_attempt, forgive
from auth.use_cases.means import Means

log = structlog.get_logger("second_factors")


@dataclass(frozen=True)
class Checked:
    """A second factor that was right when it was looked at; `attempt` is what it was counted as meanwhile."""

    account_id: UUID
    proven: Proven
    attempt: Attempt | None


async def check_given(means: Means, account_id: UUID, given: Given, challenge: bytes | None, client: Client) -> Checked:
    """Raises `CodeRefused`, `PasskeyRefused`, `TooManyAttempts`, and notes the failure in the security log.

    An answer of a passkey is not counted, for no number of tries makes one: it is the way past who guesses codes.
    """
    try:
        if given.passkey is not None:
            return Checked(account_id, await _passkey_use(means, account_id, given, challenge), None)
        return await _check_code(means, account_id, given, client)
    except (CodeRefused, PasskeyRefused):
        async with means.transactions(Scope.nobody()) as store:
            await store.security.record(account_id, SecurityKind.SECOND_FACTOR_FAILED, client, at=store.now())
        raise


async def use_up(store: Store, checked: Checked, client: Client) -> None:
    """To be called in the transaction of what it opens. Raises as `check_given` if it was used meanwhile."""
    now, account_id = store.now(), checked.account_id
    match checked.proven:
        case CodeOfStep(step):
            if not await store.second_factors.use_step(account_id, step):
                raise CodeRefused()
        case RecoveryCode(code_hash):
            if not await store.second_factors.use_recovery_code(account_id, code_hash):
                raise CodeRefused()
            await store.security.record(account_id, SecurityKind.RECOVERY_CODE_USED, client, at=now)
        case PasskeyUse(passkey, sign_count):
            if not await store.passkeys.use(passkey, sign_count=sign_count, at=now):
                raise PasskeyRefused()
    if checked.attempt:
        await forgive(store, checked.attempt)


async def _check_code(means: Means, account_id: UUID, given: Given, client: Client) -> Checked:
    async with means.transactions(Scope.account(account_id)) as store:
        account, now = await read_account(store, account_id), store.now()
        attempt = await begin_attempt(
            store, "second factor", account_id=account_id, address=account.email, client=client, hide=means.hide
        )
        app = await store.second_factors.app(account_id)
        code_hash = recovery_hash(given.recovery_code) if given.recovery_code else None
        known = code_hash is not None and await store.second_factors.has_recovery_code(account_id, code_hash)
    if code_hash is not None:
        if not known:
            raise CodeRefused()
        return Checked(account_id, RecoveryCode(code_hash), attempt)
    if app is None or app.last_step is None:
        raise CodeRefused()
    step = await step_of_app(means, app, given.code or "", now)
    if step is None or step <= app.last_step:
        raise CodeRefused()
    return Checked(account_id, CodeOfStep(step), attempt)


async def _passkey_use(means: Means, account_id: UUID, given: Given, challenge: bytes | None) -> PasskeyUse:
    if challenge is None or given.passkey is None:
        raise Invalid(errors=[{"pointer": "/ceremony", "detail": "A passkey answers a ceremony: name it."}])
    async with means.transactions(Scope.account(account_id)) as store:
        passkey = await store.passkeys.find(means.authenticators.credential_id(given.passkey))
    if passkey is None or passkey.account_id != account_id:
        raise PasskeyRefused()
    return PasskeyUse(passkey, means.authenticators.check(given.passkey, challenge, passkey))


async def step_of_app(means: Means, app: Totp, code: str, now: datetime) -> int | None:
    """The time step whose code this is, if it is one of now. None, if the app's secret is lost for good."""
    try:
        opened = await means.vault.open_grant(app.sealed)
    except NotOpened as error:
        log.error("authenticator_app_lost", account_id=str(app.account_id), code=error.code)
        return None
    return step_of(Secret(opened.plain.decode()), code, now)
