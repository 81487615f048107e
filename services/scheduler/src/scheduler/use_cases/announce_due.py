"""The clock says that schedules are due: their state and the event are one transaction."""

from __future__ import annotations

from datetime import datetime

from contracts.scheduler import ScheduleDueV1

from scheduler.domain.schedule import OCCURRENCE
from scheduler.ports import Store

BATCH = 500
"""Schedules in one transaction: a burst at the full hour is a few of them, and none holds its locks for long."""


async def announce_due(now: datetime, *, store: Store) -> int:
    """Announce what is due, at most `BATCH`; returns how many."""
    due = await store.lock_due(now, BATCH)
    announced = [schedule.announce() for schedule in due]
    if announced:
        await store.mark_due(announced)
    for schedule in announced:
        store.emit(
            ScheduleDueV1(
                workspace_id=schedule.workspace_id,
                schedule_id=schedule.schedule_id,
                occurrence=OCCURRENCE,
                post_id=schedule.post_id,
                revision_id=schedule.revision_id,
                connection_ids=schedule.waiting(),
                due_at=schedule.due_at,
            )
        )
    return len(announced)
