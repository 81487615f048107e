"""Posts of one connection keep apart: by the workspace's rule, or further if a person asks for it."""

from __future__ import annotations

from datetime import datetime

from scheduler.domain.schedule import HORIZON, Schedule
from scheduler.domain.spread import MINUTE, SEARCH, Crowd, FreeTime, Spacing, TooClose, last_free, next_free
from scheduler.domain.zones import shipped
from scheduler.ports import SpreadStore
from scheduler.use_cases.timing import known_zone


async def keep_apart(schedule: Schedule, spacing: Spacing, *, store: SpreadStore, now: datetime) -> Schedule:
    """The schedule, at another time if that was asked for and is needed. Raises `TooClose`.

    Whoever else wants a time of its connections waits until this unit of work ends.
    """
    spread = max(spacing.spread, await store.spread())
    if not spread:
        return schedule
    crowd = Crowd.around(schedule, spread)
    await store.lock_connections(crowd.connection_ids)
    other = await store.closest(crowd, schedule.due_at)
    if other is None:
        return schedule
    in_zone, due_at = known_zone(schedule.time_zone), schedule.due_at
    since, until = max(due_at - SEARCH, now), min(due_at + SEARCH, now + HORIZON)
    # A wish may be a minute old: what stood close to it then still does.
    busy = await store.busy(crowd, since=min(since, due_at), until=until)
    after: FreeTime | None = next_free(busy, spread, in_zone, since=due_at)
    before: FreeTime | None = last_free(busy, spread, in_zone, until=due_at)
    after = after if after and after.resolved.due_at <= until else None
    before = before if before and before.resolved.due_at >= since else None
    if spacing.shift and after is not None:
        return _at(schedule, after)
    raise TooClose(
        schedule_id=other.schedule_id,
        connection_id=other.connection_id,
        due_at=other.due_at,
        spread_minutes=spread // MINUTE,
        before=_shown(before),
        after=_shown(after),
    )


def _at(schedule: Schedule, free: FreeTime) -> Schedule:
    return schedule.move(
        free.at, schedule.time_zone, free.resolved, zone_version=shipped().version, late=None, when_missed=None
    )


def _shown(free: FreeTime | None) -> dict[str, object] | None:
    if free is None:
        return None
    return {"at": free.at.isoformat(timespec="seconds"), "due_at": free.resolved.due_at}
