"""Take snapshots of what is due: choose it, and write down what the platforms answered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import structlog
from contracts.metrics import MetricsCollectedV1

from metrics.domain import (
    CLAIM,
    CONNECTIONS_AT_ONCE,
    Answer,
    Batch,
    Counted,
    Failed,
    Postponed,
    after_answer,
    after_failure,
)
from metrics.ports import Insights, Store

log = structlog.get_logger("collect")


async def claim_due(store: Store, insights: Insights, *, now: datetime) -> Sequence[Batch]:
    """What is to be looked at now, one batch a connection."""
    batches = []
    for connection_id, platform in await store.due_connections(now, CONNECTIONS_AT_ONCE):
        claimed = await store.claim(connection_id, now=now, until=now + CLAIM, limit=insights.batch_max(platform))
        if claimed:
            batches.append(Batch(claimed[0].workspace_id, connection_id, platform, tuple(claimed)))
    return batches


async def record_answer(batch: Batch, answer: Answer, store: Store, *, now: datetime) -> None:
    """Write down what one connection's platform answered, for what is still looked at."""
    # Held while we write: a connection that ends meanwhile gets no snapshot after its end.
    still = await store.lock_tracking([tracked.publication_id for tracked in batch.publications])
    kept = [tracked for tracked in batch.publications if tracked.publication_id in still]
    match answer:
        case Postponed(until, code):
            await store.postpone(batch, until)
            log.info("collection_postponed", connection_id=str(batch.connection_id), code=code)
        case Failed(code, withheld):
            await store.write_looks({tracked.publication_id: after_failure(tracked, withheld, now) for tracked in kept})
            log.warning("collection_failed", connection_id=str(batch.connection_id), code=code)
        case Counted(counts, withheld):
            if withheld:
                log.warning("numbers_withheld", connection_id=str(batch.connection_id), posts=len(withheld))
            found = {
                tracked.publication_id: counts[tracked.platform_post_id]
                for tracked in kept
                if tracked.platform_post_id in counts
            }
            await store.write_snapshots(batch, found, now)
            await store.write_looks(
                {
                    tracked.publication_id: after_failure(tracked, withheld[tracked.platform_post_id], now)
                    if tracked.platform_post_id in withheld
                    else after_answer(tracked, counts.get(tracked.platform_post_id), now)
                    for tracked in kept
                }
            )
            if found:
                store.emit(
                    MetricsCollectedV1(
                        workspace_id=batch.workspace_id,
                        connection_id=batch.connection_id,
                        publication_ids=tuple(sorted(found)),
                        collected_at=now,
                    )
                )
