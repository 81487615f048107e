"""The clock says that schedules are due: their state and the event are one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from contracts.scheduler import ScheduleDueV1
from kit.telemetry import continued
from opentelemetry.trace import Tracer

from scheduler.domain.schedule import Announced
from scheduler.ports import Store

BATCH = 500
"""Schedules in one transaction: a burst at the full hour is a few of them, and none holds its locks for longer than a
tenth of a second."""


async def announce(schedule_ids: Sequence[UUID], *, holder: UUID, now: datetime, store: Store, tracer: Tracer) -> bool:
    """Announce those of them that are due and still ours, each in the trace of its request.

    The others were taken back, moved or taken over meanwhile: we hold them no longer. True if there were such: one
    that was moved may be due again within the second.
    """
    announced = await store.announce(schedule_ids, holder=holder, now=now)
    for schedule in announced:
        with continued(tracer, "announce schedule", schedule.trace):
            store.emit(_due(schedule))
    lost = len(announced) < len(schedule_ids)
    if lost:
        await store.let_go(holder, set(schedule_ids) - {schedule.schedule_id for schedule in announced})
    return lost


def _due(schedule: Announced) -> ScheduleDueV1:
    return ScheduleDueV1(
        workspace_id=schedule.workspace_id,
        schedule_id=schedule.schedule_id,
        occurrence=schedule.occurrence,
        post_id=schedule.post_id,
        revision_id=schedule.revision_id,
        connection_ids=tuple(schedule.connection_ids),
        due_at=schedule.due_at,
        publish_until=schedule.publish_until,
        when_missed=schedule.when_missed,
    )
