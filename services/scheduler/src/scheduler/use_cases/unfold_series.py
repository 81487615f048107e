"""A series is written out as schedules, as far ahead as people look."""

from __future__ import annotations

from bisect import insort
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog
from kit.ids import new_id
from kit.telemetry import continued
from opentelemetry.trace import Tracer

from scheduler.domain.blackouts import IN_BLACKOUT, Closures
from scheduler.domain.rule import Occurrence, RuleRefused
from scheduler.domain.schedule import Schedule, ScheduleState, Target
from scheduler.domain.series import Series
from scheduler.domain.spread import TOO_CLOSE, Crowd, is_close
from scheduler.domain.zones import UnknownZone, shipped, zone
from scheduler.ports import Store
from scheduler.use_cases.blackouts import closures_between, known_in
from scheduler.use_cases.create_schedule import created

log = structlog.get_logger("series")

STUCK_PAUSE = timedelta(hours=1)
"""An operator who reads of a series that cannot be followed has it tried again within the hour."""


async def unfold(series: Series, *, store: Store, now: datetime) -> Series:
    """Make and tell the schedules of an active series that is held. However many schedulers do this, each is made once.

    Raises `scheduler.domain.zones.UnknownZone`, `scheduler.domain.rule.RuleRefused`.
    """
    pending = await store.pending_of_series(series.series_id)
    unfolded, occurrences = series.unfold(zone(series.time_zone), pending, now)
    schedules = [_schedule(series, occurrence, now) for occurrence in occurrences]
    if schedules:
        schedules = await _heeding_blackouts(series, schedules, store=store)
        schedules = await _keeping_apart(series, schedules, store=store)
        await store.add(schedules)
        await store.keep_content(schedules, series.content_hashes)
    for schedule in schedules:
        if schedule.state is ScheduleState.SCHEDULED:
            store.emit(created(schedule))
    await store.save_series(unfolded)
    return unfolded


async def _heeding_blackouts(series: Series, schedules: Sequence[Schedule], *, store: Store) -> list[Schedule]:
    """What falls into a blackout is cancelled from the start, at the connections that it is for.

    People see what was left out, and nobody else is told of it.
    """
    await store.heed_blackouts(series.workspace_id)
    since, until = schedules[0].due_at, schedules[-1].due_at
    closures = await closures_between(series.workspace_id, series.connection_ids, since=since, until=until, store=store)
    heed = known_in if series.despite_blackouts else _left_out
    return [heed(schedule, closures) for schedule in schedules]


async def _keeping_apart(series: Series, schedules: list[Schedule], *, store: Store) -> list[Schedule]:
    """Likewise what is too close to another post of a connection, also to one that the series has brought before."""
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


def _left_out(schedule: Schedule, closures: Closures) -> Schedule:
    for connection_id in schedule.waiting():
        if closures.at(schedule.due_at, [connection_id]):
            schedule = schedule.cancel(IN_BLACKOUT, connection_id)
    return schedule


async def unfold_next(*, store: Store, now: datetime, tracer: Tracer) -> bool:
    """Write out the next series that waits for it, in the trace of its request; false if there is none."""
    series = await store.lock_next_series(now)
    if series is None:
        return False
    try:
        with continued(tracer, "unfold series", series.trace):
            await unfold(series, store=store, now=now)
    except (UnknownZone, RuleRefused) as error:
        # Taken when it was made, by another release. It must not hold up the others.
        log.error("series_stuck", series_id=str(series.series_id), error=type(error).__name__)
        await store.save_series(replace(series, next_at=now + STUCK_PAUSE))
    return True


def _schedule(series: Series, occurrence: Occurrence, now: datetime) -> Schedule:
    return Schedule(
        schedule_id=new_id(),
        workspace_id=series.workspace_id,
        post_id=series.post_id,
        revision_id=series.revision_id,
        at=occurrence.at,
        time_zone=series.time_zone,
        adjustment=occurrence.adjustment,
        due_at=occurrence.due_at,
        state=ScheduleState.SCHEDULED,
        reason=None,
        created_by=series.created_by,
        created_at=now,
        targets=tuple(Target(connection_id) for connection_id in series.connection_ids),
        trace=series.trace,
        publish_until=occurrence.due_at + series.late,
        when_missed=series.when_missed,
        series_id=series.series_id,
        occurrence=occurrence.number,
        zone_version=shipped().version,
    )
