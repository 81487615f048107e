"""A schedule is taken back: by a person, or because what it stands on is gone."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from contracts.scheduler import ScheduleCancelledV1

from scheduler.domain.schedule import OPEN, AlreadyOut, Schedule, ScheduleNotFound, ScheduleState
from scheduler.ports import Store

BY_PERSON = "cancelled_by_person"


async def cancel_schedule(schedule_id: UUID, *, store: Store) -> Schedule:
    """A person's wish; once is as good as twice. Raises `AlreadyOut`, `ScheduleNotFound`."""
    schedule = await store.lock(schedule_id)
    if schedule is None:
        raise ScheduleNotFound()
    if schedule.state is ScheduleState.CANCELLED:
        return schedule
    if schedule.state not in OPEN:
        raise AlreadyOut()
    return await _cancel(schedule, BY_PERSON, store=store)


async def cancel_open(
    schedules: Sequence[Schedule], reason: str, *, store: Store, connection_id: UUID | None = None
) -> None:
    """Take back open schedules, whole or for one connection."""
    for schedule in schedules:
        await _cancel(schedule, reason, store=store, connection_id=connection_id)


async def _cancel(schedule: Schedule, reason: str, *, store: Store, connection_id: UUID | None = None) -> Schedule:
    cancelled = schedule.cancel(reason, connection_id)
    await store.save(cancelled)
    store.emit(
        ScheduleCancelledV1(
            workspace_id=schedule.workspace_id,
            schedule_id=schedule.schedule_id,
            connection_ids=() if connection_id is None else (connection_id,),
            reason=reason,
        )
    )
    return cancelled
