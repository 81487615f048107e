"""Keep the store of keys true to the grants: what an earlier release left beside them moves, what nobody names goes."""

from __future__ import annotations

import structlog
from kit.database import Scope

from auth.domain.vault import ORPHAN_AFTER, ORPHANS_MAX
from auth.ports.store import Transactions
from auth.ports.vault import Keys

log = structlog.get_logger("sweeping")

BATCH = 500


async def sweep(transactions: Transactions, keys: Keys) -> int:
    """Destroy the keys that no grant names; returns how many.

    They are left by a crash between the two stores, or come back with an older copy of the keys. If they are most of
    all keys, it is the grants that are missing: nothing is destroyed, and the log says so.
    """
    orphans = []
    after = None
    async with transactions(Scope.worker()) as store:
        before = store.now() - ORPHAN_AFTER
    while found := await keys.older_than(before, after=after, limit=BATCH):
        async with transactions(Scope.worker()) as store:
            named = await store.grants.named(found)
        orphans += [each for each in found if each not in named]
        after = found[-1]
    if len(orphans) > ORPHANS_MAX and 2 * len(orphans) > await keys.count():
        log.error("keys_without_grants", keys=len(orphans))
        return 0
    if orphans:
        await keys.destroy(orphans)
        log.info("orphaned_keys_destroyed", keys=len(orphans))
    return len(orphans)


async def move_keys(transactions: Transactions, keys: Keys) -> None:
    """Move keys that lie beside their grants: into their own store first, and only then out of here."""
    while True:
        async with transactions(Scope.worker()) as store:
            found = await store.grants.keys_to_move(BATCH)
        for key in found:
            await keys.add(key)
            async with transactions(Scope.worker()) as store:
                await store.grants.key_moved(key)
        if len(found) < BATCH:
            return
