"""A series stops and goes on, with the schedules that it has brought already."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from scheduler.domain.series import Series
from scheduler.ports import Store
from scheduler.use_cases.end_series import held_series
from scheduler.use_cases.pause_schedules import BY_PERSON, keep_changes
from scheduler.use_cases.unfold_series import unfold

WITH_SERIES = "series_paused"


async def pause_series(series_id: UUID, *, store: Store) -> Series:
    """Once is as good as twice. Raises `SeriesNotFound`, `SeriesOver`."""
    series = await held_series(series_id, store=store)
    paused = series.pause(BY_PERSON)
    if paused != series:
        await store.save_series(paused)
        schedules = await store.lock_open_of_series(series_id)
        await keep_changes([(each, each.pause(WITH_SERIES)) for each in schedules], store=store)
    return paused


async def resume_series(series_id: UUID, *, store: Store, now: datetime) -> Series:
    """What passed meanwhile is late; what passed with its window and was not written out yet is counted as skipped.

    A single schedule that a person paused by itself stays paused. Raises `SeriesNotFound`, `SeriesOver`.
    """
    series = await held_series(series_id, store=store)
    resumed = series.resume(now)
    if resumed == series:
        return series
    schedules = [each for each in await store.lock_open_of_series(series_id) if each.reason != BY_PERSON]
    await keep_changes([(each, each.resume()) for each in schedules], store=store)
    return await unfold(resumed, store=store, now=now)
