"""A country changed its clocks: what is planned keeps its wall-clock time, and so gets another instant."""

from __future__ import annotations

import structlog

from scheduler.domain.schedule import Schedule, ScheduleState
from scheduler.domain.wall_clock import resolve
from scheduler.domain.zones import UnknownZone, Zones
from scheduler.ports import Store
from scheduler.use_cases.move_schedule import changed

log = structlog.get_logger("zones")

BATCH = 500
"""Schedules in one transaction. Each keeps the release it was renewed by, so that the next batch goes on behind it."""


async def renew_zones(zones: Zones, *, store: Store) -> int:
    """Work out anew what an earlier release was used for, one batch; returns how many schedules were looked at.

    Only forward: while two releases run beside each other, the earlier one undoes nothing. Told is what gets another
    instant; its window moves with it.
    """
    planned = await store.lock_resolved_before(zones.version, limit=BATCH)
    renewed = [_renewed(schedule, zones) for schedule in planned]
    moved = [after for before, after in zip(planned, renewed, strict=True) if before.due_at != after.due_at]
    if planned:
        await store.keep_zone_version([schedule.schedule_id for schedule in planned], zones.version)
    if moved:
        await store.reschedule(moved)
        log.info("zones_renewed", version=zones.version, moved=len(moved))
    for schedule in moved:
        if schedule.state is not ScheduleState.PAUSED:  # of one that is paused the publisher hears when it goes on
            store.emit(changed(schedule))
    return len(planned)


def _renewed(schedule: Schedule, zones: Zones) -> Schedule:
    try:
        resolved = resolve(schedule.at, zones.zone(schedule.time_zone))
    except UnknownZone:
        # IANA keeps the names it gave; should one be gone, the instant that was promised stays.
        log.error("zone_gone", schedule_id=str(schedule.schedule_id), time_zone=schedule.time_zone)
        return schedule
    return schedule.move(
        schedule.at, schedule.time_zone, resolved, zone_version=zones.version, late=None, when_missed=None
    )
