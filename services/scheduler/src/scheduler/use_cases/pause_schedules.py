"""Stop, and go on: one schedule, or everything a workspace has planned when something has gone wrong.

The publisher is told of each: what is not out yet goes no further there, even if its time has come. When a schedule
goes on after its time, it is announced at once, and its window decides: within it the post goes out late, behind it
the publisher makes it missed and asks, or drops it, as its author said.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from contracts.scheduler import SchedulePausedV1, ScheduleResumedV1
from kit.passport import Reach

from scheduler.domain.schedule import OPEN, Schedule, ScheduleNotFound, ScheduleState
from scheduler.domain.series import SeriesState
from scheduler.ports import Store

BY_PERSON = "paused_by_person"
WITH_WORKSPACE = "workspace_paused"

BATCH = 500
"""Schedules in one transaction: the soonest are stopped within moments, however many there are."""

SECONDS_MAX = 10.0
"""The edge waits for 15. Some ten thousand schedules are stopped by then; who has more asks again."""


@dataclass(frozen=True)
class Paused:
    """What a whole workspace's pause or its end reached. Not `complete`: there are more schedules, ask again."""

    series: int
    schedules: int
    complete: bool


OpenStore = Callable[[], AbstractAsyncContextManager[Store]]
"""Opens a unit of work in one workspace."""


async def pause_schedule(schedule_id: UUID, *, store: Store) -> Schedule:
    """Once is as good as twice. Raises `ScheduleNotFound`, `AlreadyOut`."""
    schedule = await _locked(schedule_id, store=store)
    paused = schedule.pause(BY_PERSON)
    await keep_changes([(schedule, paused)], store=store)
    return paused


async def resume_schedule(schedule_id: UUID, *, store: Store) -> Schedule:
    """Once is as good as twice. Raises `ScheduleNotFound`, `AlreadyOut`."""
    schedule = await _locked(schedule_id, store=store)
    resumed = schedule.resume()
    await keep_changes([(schedule, resumed)], store=store)
    return resumed


async def pause_workspace(workspace_id: UUID, *, reach: Reach, open_store: OpenStore) -> Paused:
    """Pause everything planned and everything due that is not out yet, the soonest first. Series bring nothing more."""
    async with open_store() as store:
        found = await store.lock_series_of(workspace_id, reach=reach)
        running = [series for series in found if series.state is SeriesState.ACTIVE]
        for series in running:
            await store.save_series(series.pause(WITH_WORKSPACE))
    schedules, complete = await _in_rounds(
        lambda store: store.running(workspace_id, reach=reach, limit=BATCH),
        lambda schedule: schedule.pause(WITH_WORKSPACE),
        open_store=open_store,
    )
    return Paused(len(running), schedules, complete)


async def resume_workspace(workspace_id: UUID, *, reach: Reach, open_store: OpenStore, now: datetime) -> Paused:
    """Let go on what was paused with the workspace. What a person paused by itself stays paused."""
    async with open_store() as store:
        stopped = await store.lock_series_of(workspace_id, paused_because=WITH_WORKSPACE, reach=reach)
        for series in stopped:
            await store.save_series(series.resume(now))
    schedules, complete = await _in_rounds(
        lambda store: store.paused(workspace_id, WITH_WORKSPACE, reach=reach, limit=BATCH),
        Schedule.resume,
        open_store=open_store,
    )
    return Paused(len(stopped), schedules, complete)


async def _in_rounds(
    choose: Callable[[Store], Awaitable[Sequence[UUID]]],
    change: Callable[[Schedule], Schedule],
    *,
    open_store: OpenStore,
) -> tuple[int, bool]:
    """How many were changed, and whether these were all."""
    done, ends_at = 0, time.monotonic() + SECONDS_MAX
    while True:
        async with open_store() as store:
            chosen = await choose(store)
            if not chosen:
                return done, True
            # Some may have come to an end between the look and the lock.
            locked = [schedule for schedule in await store.lock_all(chosen) if schedule.state in OPEN]
            done += await keep_changes([(schedule, change(schedule)) for schedule in locked], store=store)
        if time.monotonic() >= ends_at:
            return done, False


async def _locked(schedule_id: UUID, *, store: Store) -> Schedule:
    schedule = await store.lock(schedule_id)
    if schedule is None:
        raise ScheduleNotFound()
    return schedule


async def keep_changes(changes: Sequence[tuple[Schedule, Schedule]], *, store: Store) -> int:
    """Write and tell what is different; returns how many."""
    changed = [after for before, after in changes if before != after]
    if changed:
        await store.mark(changed)
    for schedule in changed:
        store.emit(_told(schedule))
    return len(changed)


def _told(schedule: Schedule) -> SchedulePausedV1 | ScheduleResumedV1:
    if schedule.state is ScheduleState.PAUSED:
        assert schedule.reason is not None
        return SchedulePausedV1(
            workspace_id=schedule.workspace_id,
            schedule_id=schedule.schedule_id,
            occurrence=schedule.occurrence,
            reason=schedule.reason,
        )
    return ScheduleResumedV1(
        workspace_id=schedule.workspace_id,
        schedule_id=schedule.schedule_id,
        occurrence=schedule.occurrence,
        due_at=schedule.due_at,
        publish_until=schedule.publish_until,
        when_missed=schedule.when_missed,
    )
