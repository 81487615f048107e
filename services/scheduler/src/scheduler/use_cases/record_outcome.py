"""What became of a schedule at one connection, as the publisher told it."""

from __future__ import annotations

from uuid import UUID

from scheduler.domain.schedule import Target
from scheduler.ports import Store


async def record_outcome(schedule_id: UUID, outcome: Target, *, store: Store) -> None:
    """A schedule that is not known was erased meanwhile."""
    schedule = await store.lock(schedule_id)
    if schedule is not None:
        await store.save(schedule.record(outcome))
