"""A series is written out as schedules, as far ahead as people look."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import structlog
from kit.ids import new_id
from kit.telemetry import continued
from opentelemetry.trace import Tracer

from scheduler.domain.rule import Occurrence, RuleRefused
from scheduler.domain.schedule import Schedule, ScheduleState, Target
from scheduler.domain.series import Series
from scheduler.domain.zones import UnknownZone, shipped, zone
from scheduler.ports import Store
from scheduler.use_cases.create_schedule import created
from scheduler.use_cases.leave_out import leave_out

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
        schedules = await leave_out(series, schedules, store=store)
        await store.add(schedules)
        await store.keep_content(schedules, series.content_hashes)
    for schedule in schedules:
        if schedule.state is ScheduleState.SCHEDULED:
            store.emit(created(schedule))
    await store.save_series(unfolded)
    return unfolded


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
