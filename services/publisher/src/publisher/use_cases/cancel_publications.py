"""What was planned is taken back, as far as nothing visible has begun."""

from __future__ import annotations

from uuid import UUID

from contracts.scheduler import ScheduleCancelledV1

from publisher.domain.publication import Publication
from publisher.ports import Store
from publisher.use_cases.settle import write


async def cancel_of_schedule(event: ScheduleCancelledV1, *, store: Store) -> None:
    """Cancel, and remember it for a plan that arrives after its cancellation."""
    await store.serialise(event.schedule_id)
    await store.keep_cancellation(event)
    open_ = await store.lock_of_schedules([event.schedule_id])
    await write([(each, each.cancel(event.reason)) for each in open_ if _is_meant(each, event)], store=store)


async def cancel_of_workspace(workspace_id: UUID, *, store: Store) -> None:
    open_ = await store.lock_open_of_workspace(workspace_id)
    await write([(each, each.cancel("workspace_deleted")) for each in open_], store=store)


def _is_meant(publication: Publication, event: ScheduleCancelledV1) -> bool:
    return (not event.connection_ids or publication.connection_id in event.connection_ids) and (
        event.occurrence in (None, publication.occurrence)
    )
