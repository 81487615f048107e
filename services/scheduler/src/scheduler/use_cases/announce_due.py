"""The clock says that schedules are due: their state and the event are one transaction."""

from __future__ import annotations

from datetime import datetime

from contracts.scheduler import ScheduleDueV1
from kit.telemetry import continued
from opentelemetry.trace import Tracer

from scheduler.domain.schedule import OCCURRENCE, Schedule
from scheduler.ports import Store

BATCH = 500
"""Schedules in one transaction: a burst at the full hour is a few of them, and none holds its locks for long."""


async def announce_due(now: datetime, *, store: Store, tracer: Tracer) -> int:
    """Announce what is due, at most `BATCH`, each in the trace of its request; returns how many."""
    due = await store.lock_due(now, BATCH)
    announced = [schedule.announce() for schedule in due]
    if announced:
        await store.mark_due(announced)
    for schedule in announced:
        with continued(tracer, "announce schedule", schedule.trace):
            store.emit(_due(schedule))
    return len(announced)


def _due(schedule: Schedule) -> ScheduleDueV1:
    return ScheduleDueV1(
        workspace_id=schedule.workspace_id,
        schedule_id=schedule.schedule_id,
        occurrence=OCCURRENCE,
        post_id=schedule.post_id,
        revision_id=schedule.revision_id,
        connection_ids=schedule.waiting(),
        due_at=schedule.due_at,
    )
