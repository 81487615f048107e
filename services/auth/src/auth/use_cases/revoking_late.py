"""Ask a platform again to end an access that it gave no answer about, where our application's own token is enough.

Only the person's id at the platform is kept for it, sealed, for a week at most. Who has come back meanwhile is left
alone: ending what they allowed before would end what they allow now.
"""

from __future__ import annotations

from uuid import UUID

import structlog
from kit.database import Scope
from platforms.shape import PlatformName

from auth.domain.connections import FLIGHT
from auth.domain.vault import NotOpened, key_context
from auth.domain.withdrawing import LATE_KEPT, late_due_at
from auth.ports.store import Store, Transactions
from auth.ports.vault import Platforms, Vault
from auth.ports.withdrawals import LateRevocation
from auth.use_cases.telling import revoke_quietly
from auth.use_cases.together import do_together

log = structlog.get_logger("revoking_late")

AT_ONCE_MAX = 10


async def seal_person(vault: Vault, connection_id: UUID, name: PlatformName, person_id: str) -> LateRevocation | None:
    """What is kept to ask again; None if it cannot be sealed, for then it is not kept."""
    try:
        key, text = await vault.seal(
            person_id.encode(), key_context=key_context(connection_id), context=_context(connection_id)
        )
    except Exception as error:
        log.warning("person_not_sealed", connection_id=str(connection_id), reason=type(error).__name__)
        return None
    return LateRevocation(connection_id, name, key.wrapped_key, key.key_id, text.nonce, text.ciphertext, attempts=0)


async def keep_late(store: Store, late: LateRevocation, workspace_id: UUID) -> None:
    now = store.now()
    await store.withdrawals.add_late(late, workspace_id, due_at=late_due_at(0, now), until=now + LATE_KEPT)


async def revoke_late(transactions: Transactions, *, platforms: Platforms, vault: Vault) -> int:
    """Ask for what is due; returns for how many."""
    async with transactions(Scope.worker()) as store:
        now = store.now()
        claimed = await store.withdrawals.claim_late(now=now, until=now + FLIGHT, limit=AT_ONCE_MAX)
    await do_together(_ask_again(transactions, each, platforms=platforms, vault=vault) for each in claimed)
    return len(claimed)


async def _ask_again(transactions: Transactions, late: LateRevocation, *, platforms: Platforms, vault: Vault) -> None:
    name = PlatformName(late.platform)
    person_id = await _open_person(vault, late)
    async with transactions(Scope.worker()) as store:
        if person_id is None or await store.connections.is_shared(name, person_id):
            await store.withdrawals.drop_late(late.connection_id)
            return
    confirmed = await revoke_quietly(platforms, name, platforms.access(name).grant_of(person_id))
    async with transactions(Scope.worker()) as store:
        now = store.now()
        if confirmed:
            await store.withdrawals.confirm(late.connection_id, at=now)
            await store.withdrawals.drop_late(late.connection_id)
        else:
            await store.withdrawals.postpone_late(late.connection_id, due_at=late_due_at(late.attempts, now))
    log.info("revocation_asked_again", connection_id=str(late.connection_id), confirmed=confirmed)


async def _open_person(vault: Vault, late: LateRevocation) -> str | None:
    """Who it was; None if no key opens it any more."""
    try:
        plain = await vault.open(
            late.text, late.key, key_context=key_context(late.connection_id), context=_context(late.connection_id)
        )
    except NotOpened:
        return None
    return plain.decode()


def _context(connection_id: UUID) -> bytes:
    """Binds the person's id to the connection that has ended."""
    return f"late-revocation:{connection_id}".encode()
