"""Posts of one connection keep apart: by the workspace's rule, or further if a person asks for it."""

from __future__ import annotations

from datetime import datetime

from scheduler.domain.schedule import HORIZON, Schedule
from scheduler.domain.spread import MINUTE, SEARCH, Crowd, FreeTime, Spacing, TooClose, said
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
    after = await _later(schedule, crowd, store=store, now=now)
    if spacing.shift and after is not None:
        return _at(schedule, after)
    raise TooClose(
        schedule_id=other.schedule_id,
        connection_id=other.connection_id,
        due_at=other.due_at,
        spread_minutes=spread // MINUTE,
        before=_shown(await _earlier(schedule, crowd, store=store, now=now)),
        after=_shown(after),
    )


async def _later(schedule: Schedule, crowd: Crowd, *, store: SpreadStore, now: datetime) -> FreeTime | None:
    """The next free full minute that the wall clock can say."""
    in_zone, since = known_zone(schedule.time_zone), schedule.due_at
    until = min(since + SEARCH, now + HORIZON)
    while (free := await store.next_free(crowd, since=since, until=until)) is not None:
        at, meant = said(free, in_zone)
        if meant.due_at == free:
            return FreeTime(at, meant)
        since = free + MINUTE
    return None


async def _earlier(schedule: Schedule, crowd: Crowd, *, store: SpreadStore, now: datetime) -> FreeTime | None:
    """The last one before it that has not passed."""
    in_zone, until = known_zone(schedule.time_zone), schedule.due_at
    since = max(until - SEARCH, now)
    while (free := await store.last_free(crowd, since=since, until=until)) is not None:
        at, meant = said(free, in_zone)
        if meant.due_at == free:
            return FreeTime(at, meant)
        until = free - MINUTE
    return None


def _at(schedule: Schedule, free: FreeTime) -> Schedule:
    return schedule.move(
        free.at, schedule.time_zone, free.resolved, zone_version=shipped().version, late=None, when_missed=None
    )


def _shown(free: FreeTime | None) -> dict[str, object] | None:
    if free is None:
        return None
    return {"at": free.at.isoformat(timespec="seconds"), "due_at": free.resolved.due_at}
