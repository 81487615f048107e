"""Which times of a series do not go out at which connections: in a blackout, or too close to another post.

They are cancelled from the start: people see what was left out, and nobody else is told of it.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Sequence

from scheduler.domain.blackouts import IN_BLACKOUT, Closures
from scheduler.domain.schedule import Schedule
from scheduler.domain.series import Series
from scheduler.domain.spread import TOO_CLOSE, Crowd, is_close
from scheduler.ports import Store
from scheduler.use_cases.blackouts import closures_between, known_in


async def leave_out(series: Series, schedules: Sequence[Schedule], *, store: Store) -> list[Schedule]:
    """The schedules that a series is about to bring, in order of time. It stays right until the unit of work ends."""
    await store.heed_blackouts(series.workspace_id)
    since, until = schedules[0].due_at, schedules[-1].due_at
    closures = await closures_between(series.workspace_id, series.connection_ids, since=since, until=until, store=store)
    heed = known_in if series.despite_blackouts else _in_blackout
    return await _too_close(series, [heed(schedule, closures) for schedule in schedules], store=store)


def _in_blackout(schedule: Schedule, closures: Closures) -> Schedule:
    for connection_id in schedule.waiting():
        if closures.at(schedule.due_at, [connection_id]):
            schedule = schedule.cancel(IN_BLACKOUT, connection_id)
    return schedule


async def _too_close(series: Series, schedules: list[Schedule], *, store: Store) -> list[Schedule]:
    """Also to what the series itself has brought, by the workspace's rule."""
    spread = await store.spread(series.workspace_id)
    if not spread:
        return schedules
    await store.lock_connections(series.connection_ids)
    since, until, apart = schedules[0].due_at, schedules[-1].due_at, list(schedules)
    for connection_id in series.connection_ids:
        crowd = Crowd(series.workspace_id, (connection_id,), None, spread)
        busy = await store.busy(crowd, since=since, until=until)
        for index, schedule in enumerate(apart):
            if connection_id not in schedule.waiting():
                continue
            if is_close(schedule.due_at, busy, spread):
                apart[index] = schedule.cancel(TOO_CLOSE, connection_id)
            else:
                insort(busy, schedule.due_at)
    return apart
