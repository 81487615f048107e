"""Remove media that no revision shows: uploads that were never used, and what deleted posts have left."""

from __future__ import annotations

import structlog
from kit.clock import Clock

from content.domain.media import UNREFERENCED_KEPT
from content.ports import ObjectStore, OpenStore

log = structlog.get_logger("media")

BATCH = 20
"""Objects in one step, so that a step stays short."""


async def remove_orphans(*, objects: ObjectStore, open_store: OpenStore, clock: Clock) -> int:
    """Remove at most `BATCH` orphans; returns how many. What a crash leaves half done is done by the next call."""
    async with open_store() as store:
        orphans = await store.claim_orphans(older_than=clock.now() - UNREFERENCED_KEPT, limit=BATCH)
    if not orphans:
        return 0
    for orphan in orphans:
        await objects.delete(orphan.object_key)
    async with open_store() as store:
        await store.forget_media(orphans)
    log.info("orphans_removed", count=len(orphans))
    return len(orphans)
