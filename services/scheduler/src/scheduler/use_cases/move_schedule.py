"""A person gives a schedule another time, or another window, before its time has come."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from contracts.scheduler import ScheduleChangedV1

from scheduler.domain.schedule import Schedule, ScheduleNotFound, ScheduleState
from scheduler.domain.spread import Spacing
from scheduler.domain.wall_clock import Resolved
from scheduler.domain.zones import shipped
from scheduler.ports import Store
from scheduler.use_cases.blackouts import keep_clear
from scheduler.use_cases.spread import find_room
from scheduler.use_cases.timing import instant, known_zone


@dataclass(frozen=True)
class Move:
    """What is to be different; None leaves it as it is. `at` is naive local time in the zone."""

    at: datetime | None = None
    time_zone: str | None = None
    late: timedelta | None = None
    when_missed: str | None = None


async def move_schedule(
    schedule_id: UUID, move: Move, spacing: Spacing, *, despite_blackouts: bool, store: Store, now: datetime
) -> tuple[Schedule, Schedule]:
    """The schedule as it was wished and as it stands; told only if something is different.

    Raises `ScheduleNotFound`, `TimeHasCome`, `Invalid`, `InBlackout`, `TooClose`.
    """
    schedule = await store.lock(schedule_id)
    if schedule is None:
        raise ScheduleNotFound()
    at, time_zone = move.at or schedule.at, move.time_zone or schedule.time_zone
    resolved, version = Resolved(schedule.due_at, schedule.adjustment), schedule.zone_version
    if (at, time_zone) != (schedule.at, schedule.time_zone):
        resolved, version = instant(at, known_zone(time_zone), now=now), shipped().version
    moved = schedule.move(at, time_zone, resolved, zone_version=version, late=move.late, when_missed=move.when_missed)
    wished = moved
    if moved.due_at != schedule.due_at:
        moved = await find_room(wished, spacing, despite_blackouts=despite_blackouts, store=store, now=now)
    elif despite_blackouts:
        await store.heed_blackouts(schedule.workspace_id)
        moved = await keep_clear(wished, despite=True, store=store)
    if moved != schedule:
        await store.reschedule([moved])
    to_tell = replace(moved, despite=schedule.despite) != schedule
    if to_tell and moved.state is not ScheduleState.PAUSED:  # of one that is paused the publisher hears when it goes on
        store.emit(changed(moved))
    return wished, moved


def changed(schedule: Schedule) -> ScheduleChangedV1:
    """What tells the publisher the new time and window."""
    return ScheduleChangedV1(
        workspace_id=schedule.workspace_id,
        schedule_id=schedule.schedule_id,
        occurrence=schedule.occurrence,
        due_at=schedule.due_at,
        publish_until=schedule.publish_until,
        when_missed=schedule.when_missed,
    )
