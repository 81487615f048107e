"""A time for a schedule: outside blackouts, and far enough from other posts of its connections.

How far that is says the workspace's rule, or a person who wants more.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from scheduler.domain.blackouts import Closures
from scheduler.domain.schedule import HORIZON, Schedule
from scheduler.domain.spread import MINUTE, SEARCH, Crowd, FreeTime, Spacing, TooClose, last_free, next_free
from scheduler.domain.zones import shipped
from scheduler.ports import Store
from scheduler.use_cases.blackouts import closures_between, keep_clear
from scheduler.use_cases.timing import known_zone


async def find_room(
    schedule: Schedule, spacing: Spacing, *, despite_blackouts: bool, store: Store, now: datetime
) -> Schedule:
    """The schedule, at another time if that was asked for and is needed. Raises `InBlackout`, `TooClose`.

    Until this unit of work ends there is no new blackout, and whoever else wants a time of its connections waits, if
    they have to keep apart.
    """
    await store.heed_blackouts(schedule.workspace_id)
    apart = await _keep_apart(schedule, spacing, despite_blackouts=despite_blackouts, store=store, now=now)
    return await keep_clear(apart, despite=despite_blackouts, store=store)


async def _keep_apart(
    schedule: Schedule, spacing: Spacing, *, despite_blackouts: bool, store: Store, now: datetime
) -> Schedule:
    spread = max(spacing.spread, await store.spread(schedule.workspace_id))
    if not spread:
        return schedule
    crowd = Crowd.around(schedule, spread)
    await store.lock_connections(crowd.connection_ids)
    other = await store.closest(crowd, schedule.due_at)
    if other is None:
        return schedule
    due_at = schedule.due_at
    since, until = max(due_at - SEARCH, now), min(due_at + SEARCH, now + HORIZON)
    # A wish may be a minute old: what stood close to it then still does.
    busy = await store.busy(crowd, since=min(since, due_at), until=until)
    closures = Closures()
    if not despite_blackouts:
        closures = await closures_between(
            schedule.workspace_id, crowd.connection_ids, since=since, until=until, store=store
        )
    in_zone = known_zone(schedule.time_zone)
    after: FreeTime | None = _next_open(busy, spread, in_zone, closures, since=due_at)
    before: FreeTime | None = _last_open(busy, spread, in_zone, closures, until=due_at)
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


def _next_open(
    busy: Sequence[datetime], spread: timedelta, in_zone: ZoneInfo, closures: Closures, *, since: datetime
) -> FreeTime:
    free = next_free(busy, spread, in_zone, since=since)
    while closed := closures.around(free.resolved.due_at):
        free = next_free(busy, spread, in_zone, since=closed[1])
    return free


def _last_open(
    busy: Sequence[datetime], spread: timedelta, in_zone: ZoneInfo, closures: Closures, *, until: datetime
) -> FreeTime:
    free = last_free(busy, spread, in_zone, until=until)
    while closed := closures.around(free.resolved.due_at):
        free = last_free(busy, spread, in_zone, until=closed[0] - MINUTE)
    return free


def _at(schedule: Schedule, free: FreeTime) -> Schedule:
    return schedule.move(
        free.at, schedule.time_zone, free.resolved, zone_version=shipped().version, late=None, when_missed=None
    )


def _shown(free: FreeTime | None) -> dict[str, object] | None:
    if free is None:
        return None
    return {"at": free.at.isoformat(timespec="seconds"), "due_at": free.resolved.due_at}
