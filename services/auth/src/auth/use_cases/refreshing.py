"""Renew grants ahead of their end: one flight per connection, the rotated pair committed before anybody uses it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import structlog
from contracts.auth import ConnectionReauthRequiredV1, ConnectionRefreshedV1
from kit.database import Scope
from platforms.access import Access
from platforms.errors import RateLimited, ReauthorisationNeeded
from platforms.shape import Grant, PlatformName

from auth.domain.connections import FLIGHT, LENDABLE, REFRESH_SECONDS, event_word
from auth.domain.renewing import FORCED_AHEAD, life_of, retry_at
from auth.domain.vault import Ciphertext, NotOpened, SealedGrant
from auth.ports.connections import Due, Stopped
from auth.ports.store import Store, Transactions
from auth.ports.vault import Platforms, Vault
from auth.use_cases.disconnecting import wait_until_quiet
from auth.use_cases.sealing import destroy_quietly, open_grant
from auth.use_cases.together import do_together

log = structlog.get_logger("refreshing")

AT_ONCE_MAX = 20
"""Flights of one round: their connections wait for each other's platform at most `REFRESH_SECONDS`."""


async def refresh_due(transactions: Transactions, *, platforms: Platforms, vault: Vault) -> int:
    """Renew what is due; returns how many were claimed."""
    async with transactions(Scope.worker()) as store:
        now = store.now()
        claimed = await store.connections.claim_due(
            now=now, until=now + FLIGHT, forced_before=now + FORCED_AHEAD, limit=AT_ONCE_MAX
        )
    await do_together(_refresh(transactions, due, platforms=platforms, vault=vault) for due in claimed)
    return len(claimed)


async def require_reauthorisation(
    transactions: Transactions, connection_id: UUID, *, code: str, generation: int | None = None
) -> bool:
    """Stop lending a grant that is of no use; true if it was lent until now."""
    async with transactions(Scope.worker()) as store:
        return await _stop(store, connection_id, code=code, generation=generation) is not None


async def take_for_dead(
    transactions: Transactions,
    connection_id: UUID,
    *,
    code: str,
    generation: int | None = None,
    platforms: Platforms,
    vault: Vault,
) -> None:
    """Stop lending a grant that the platform refused. If its own word proves the end, its tokens are destroyed at once.

    Not where no generation is named: what is said may be about the grant before the present one.
    """
    keys: Sequence[UUID] = ()
    async with transactions(Scope.worker()) as store:
        stopped = await _stop(store, connection_id, code=code, generation=generation)
        if stopped and generation is not None and code in platforms.access(PlatformName(stopped.platform)).proofs:
            keys = await store.grants.shred([connection_id])
    for key in keys:
        await destroy_quietly(vault, key)


async def _stop(store: Store, connection_id: UUID, *, code: str, generation: int | None) -> Stopped | None:
    reason = event_word(code)
    stopped = await store.connections.require_reauthorisation(
        connection_id, code=reason, at=store.now(), generation=generation
    )
    if stopped is not None:
        store.emit(
            ConnectionReauthRequiredV1(workspace_id=stopped.workspace_id, connection_id=connection_id, reason=reason)
        )
        log.info("reauthorisation_required", connection_id=str(connection_id), code=code)
    return stopped


async def _refresh(transactions: Transactions, due: Due, *, platforms: Platforms, vault: Vault) -> None:
    # Some platforms end the old access token with the renewal, so no call may be under way with it.
    if not await wait_until_quiet(transactions, due.connection_id, beside_refresh=False):
        await _postpone(transactions, due, until=None, is_failure=False)
        return
    async with transactions(Scope.worker()) as store:
        sealed = await store.grants.find(due.connection_id)
        await store.borrowings.count(
            {due.connection_id: due.workspace_id}, borrower="auth", purpose="renew", at=store.now()
        )
    if sealed is None:
        return
    name = PlatformName(due.platform)
    try:
        opened = await open_grant(vault, sealed)
        async with asyncio.timeout(REFRESH_SECONDS):
            renewed = await platforms.refresh(name, opened.grant)
        text = opened.seal_next(renewed)
    except (ReauthorisationNeeded, NotOpened) as error:
        await take_for_dead(
            transactions,
            due.connection_id,
            code=error.code,
            generation=sealed.generation,
            platforms=platforms,
            vault=vault,
        )
    except RateLimited as error:
        await _postpone(transactions, due, until=error.until)
    except Exception as error:
        # Whatever it was, the grant still lives for a while. Texts are left out: they could quote the platform.
        log.warning("refresh_failed", connection_id=str(due.connection_id), reason=type(error).__name__)
        await _postpone(transactions, due, until=None)
    else:
        await _store(transactions, due, sealed, renewed, text, access=platforms.access(name))


async def _store(
    transactions: Transactions, due: Due, sealed: SealedGrant, renewed: Grant, text: Ciphertext, *, access: Access
) -> None:
    """Commit the rotated pair, also for a connection that ends meanwhile: what it revokes must be the newest."""
    generation = sealed.generation + 1
    async with transactions(Scope.worker()) as store:
        now = store.now()
        state = await store.connections.renewed(
            due.connection_id,
            generation=sealed.generation,
            scopes=renewed.scopes,
            life=life_of(renewed, access, now, chance=random.random()),  # noqa: S311  # only spreads load
            at=now,
        )
        if state is None:
            return
        await store.grants.renew(due.connection_id, generation, text, at=now)
        if state in LENDABLE:
            store.emit(
                ConnectionRefreshedV1(
                    workspace_id=due.workspace_id, connection_id=due.connection_id, expires_at=renewed.expires_at
                )
            )
    log.info("grant_renewed", connection_id=str(due.connection_id))


async def _postpone(transactions: Transactions, due: Due, *, until: datetime | None, is_failure: bool = True) -> None:
    async with transactions(Scope.worker()) as store:
        now = store.now()
        again_at = retry_at(due.refresh_attempts + 1, now, chance=random.random())  # noqa: S311
        await store.connections.postpone(
            due.connection_id, refresh_at=max(until or again_at, again_at), at=now, is_failure=is_failure
        )
