"""What was planned is taken back, as far as nothing visible has begun."""

from __future__ import annotations

from uuid import UUID

from contracts.scheduler import ScheduleCancelledV1

from publisher.ports import Store
from publisher.use_cases.settle import write


async def cancel_of_schedule(event: ScheduleCancelledV1, *, store: Store) -> None:
    """Cancel, and remember it for a plan that arrives after its cancellation."""
    await store.serialise(event.schedule_id)
    await store.keep_cancellation(event.workspace_id, event.schedule_id, event.connection_ids, event.reason)
    for publication in await store.lock_of_schedule(event.schedule_id):
        if not event.connection_ids or publication.connection_id in event.connection_ids:
            await write(publication, publication.cancel(event.reason), store=store)


async def cancel_of_workspace(workspace_id: UUID, *, store: Store) -> None:
    for publication in await store.lock_open_of_workspace(workspace_id):
        await write(publication, publication.cancel("workspace_deleted"), store=store)
