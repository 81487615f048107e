"""A series is different from some time on: it ends there, and another one goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from kit.problems import Invalid

from scheduler.domain.rule import YEAR, Occurrence
from scheduler.domain.series import Series, SeriesState
from scheduler.domain.zones import zone
from scheduler.ports import Revisions, Store
from scheduler.use_cases.cancel_schedules import cancel_open
from scheduler.use_cases.create_series import Repetition, SeriesWish, check_series, create_series
from scheduler.use_cases.end_series import held_series
from scheduler.use_cases.timing import fault
from scheduler.use_cases.unfold_series import unfold

CHANGED = "series_changed"


@dataclass(frozen=True)
class Change:
    """What is to be different from the wall-clock time `since` on; None leaves it as it is."""

    since: datetime
    rule: str | None = None
    starts_at: datetime | None = None
    time_zone: str | None = None
    post_id: UUID | None = None
    revision_id: UUID | None = None
    connection_ids: tuple[UUID, ...] | None = None
    late: timedelta | None = None
    when_missed: str | None = None
    despite_blackouts: bool | None = None


@dataclass(frozen=True)
class Succession:
    """The series that goes on, and the number of the first time that the old one does not have any more."""

    series: Series
    number: int


async def check_change(
    old: Series,
    change: Change,
    *,
    account_id: UUID,
    reaches: Callable[[UUID], bool],
    revisions: Revisions,
    now: datetime,
) -> Succession:
    """What follows the old series. Raises the problem to tell the person.

    Asks content, so it is done before the unit of work is opened.
    """
    old.refuse_change()
    if change.starts_at is not None and change.starts_at < change.since:
        raise Invalid(errors=[fault("/starts_at", "This is before the change.")])
    first = _first_since(old, change.since, now)
    wish = SeriesWish(
        workspace_id=old.workspace_id,
        account_id=account_id,
        post_id=change.post_id or old.post_id,
        revision_id=change.revision_id or old.revision_id,
        connection_ids=change.connection_ids or old.connection_ids,
        repetition=Repetition(
            rule=change.rule or old.followed().rest(first.number - 1),
            starts_at=change.starts_at or first.at,
            time_zone=change.time_zone or old.time_zone,
        ),
        late=change.late or old.late,
        when_missed=change.when_missed or old.when_missed,
        despite_blackouts=old.despite_blackouts if change.despite_blackouts is None else change.despite_blackouts,
    )
    series = await check_series(wish, reaches=reaches, revisions=revisions, now=now)
    return Succession(series, first.number)


async def change_series(
    series_id: UUID, succession: Succession, *, store: Store, now: datetime
) -> tuple[Series, Series]:
    """The old series, cut, and the new one. Raises `SeriesNotFound`, `SeriesOver`, `TooManySeries`."""
    old = await held_series(series_id, store=store)
    cut = old.cut(succession.number)
    await store.save_series(cut)
    behind = await store.lock_open_of_series(series_id, from_number=succession.number)
    await cancel_open(behind, CHANGED, store=store)
    new = succession.series
    if old.state is SeriesState.PAUSED:
        new = replace(new, state=old.state, reason=old.reason, next_at=None)
        await store.add_series(new)
        return cut, new
    await store.heed_blackouts(old.workspace_id)
    # Those of both: who took the one's before the other's could meet somebody who has taken them the other way round.
    await store.lock_connections({*old.connection_ids, *new.connection_ids})
    if cut.state is SeriesState.ACTIVE:
        cut = await unfold(cut, store=store, now=now)
    return cut, await create_series(new, store=store, now=now)


def _first_since(old: Series, since: datetime, now: datetime) -> Occurrence:
    for occurrence in old.followed().occurrences(zone(old.time_zone), last=now + 2 * YEAR):
        if occurrence.at >= since and occurrence.due_at > now:
            return occurrence
    raise Invalid(errors=[fault("/since", "The series does not happen any more from then on.")])
