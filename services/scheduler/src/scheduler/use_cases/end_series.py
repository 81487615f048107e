"""A series ends or gets narrower: by a person, or because what it stands on is gone."""

from __future__ import annotations

from uuid import UUID

from scheduler.domain.series import Series, SeriesNotFound
from scheduler.ports import Store
from scheduler.use_cases.cancel_schedules import BY_PERSON, cancel_open

WITH_SERIES = "series_cancelled"


async def held_series(series_id: UUID, *, store: Store) -> Series:
    """The series, held. Raises `SeriesNotFound`."""
    series = await store.lock_series(series_id)
    if series is None:
        raise SeriesNotFound()
    return series


async def cancel_series(series_id: UUID, *, store: Store) -> Series:
    """A person's wish, for all that has not gone out; once is as good as twice. Raises `SeriesNotFound`."""
    series = await held_series(series_id, store=store)
    cancelled = series.cancel(BY_PERSON)
    if cancelled != series:
        await store.save_series(cancelled)
        await cancel_open(await store.lock_open_of_series(series_id), WITH_SERIES, store=store)
    return cancelled


async def end_series(
    workspace_id: UUID,
    reason: str,
    *,
    store: Store,
    post_id: UUID | None = None,
    revision_id: UUID | None = None,
    connection_id: UUID | None = None,
) -> None:
    """End what stands on something that is gone, or narrow it to its other connections.

    Their schedules are taken back by the same fact, after this: a series that is held brings no new ones.
    """
    for series in await store.lock_series_of(
        workspace_id, post_id=post_id, revision_id=revision_id, connection_id=connection_id
    ):
        ended = series.cancel(reason) if connection_id is None else series.without(connection_id, reason)
        await store.save_series(ended)
