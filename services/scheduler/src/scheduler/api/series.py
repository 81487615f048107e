"""Series: an approved revision that goes out again and again, by a rule."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import msgspec
from contracts.access import Permission
from kit.clock import Clock
from kit.database import Scope, Units
from kit.passport import Caller, permission
from litestar import delete, get, post
from litestar.params import JSONBody
from litestar.types import ControllerRouterHandler

from scheduler.api.parameters import (
    ONE_SERIES,
    SERIES,
    ConnectionIds,
    Id,
    Known,
    LateMinutes,
    RuleText,
    WallClock,
    WhenMissed,
    ZoneName,
    local,
)
from scheduler.api.views import OccurrenceView, ScheduleView, SeriesView
from scheduler.domain.schedule import LATE_DEFAULT
from scheduler.domain.series import Series, SeriesNotFound
from scheduler.ports import Revisions, Store
from scheduler.use_cases.blackouts import closures_between
from scheduler.use_cases.change_series import Change, change_series, check_change
from scheduler.use_cases.create_series import Repetition, SeriesWish, check_series, create_series, preview
from scheduler.use_cases.end_series import cancel_series
from scheduler.use_cases.pause_series import pause_series, resume_series

LIST_MAX = 500
"""Series in one answer, the latest made first."""


class RepetitionBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`rule` is a recurrence rule (RFC 5545) without its name, `starts_at` local time without an offset."""

    rule: RuleText
    starts_at: WallClock
    time_zone: ZoneName

    def repetition(self) -> Repetition:
        return Repetition(self.rule, local(self.starts_at, "/starts_at"), self.time_zone)


class PreviewSeries(RepetitionBody, forbid_unknown_fields=True, frozen=True):
    """Without connections only those blackouts are told that are for all."""

    connection_ids: ConnectionIds | None = None


class CreateSeries(RepetitionBody, forbid_unknown_fields=True, frozen=True, kw_only=True):
    post_id: UUID
    revision_id: UUID
    connection_ids: ConnectionIds
    late_minutes: LateMinutes = LATE_DEFAULT // timedelta(minutes=1)
    when_missed: WhenMissed = "hold"
    despite_blackouts: bool = False


class ChangeSeries(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What is to be different from the series' first time at or behind `since` on; what is absent stays."""

    since: WallClock
    rule: RuleText | msgspec.UnsetType = msgspec.UNSET
    starts_at: WallClock | msgspec.UnsetType = msgspec.UNSET
    time_zone: ZoneName | msgspec.UnsetType = msgspec.UNSET
    post_id: UUID | msgspec.UnsetType = msgspec.UNSET
    revision_id: UUID | msgspec.UnsetType = msgspec.UNSET
    connection_ids: ConnectionIds | msgspec.UnsetType = msgspec.UNSET
    late_minutes: LateMinutes | msgspec.UnsetType = msgspec.UNSET
    when_missed: WhenMissed | msgspec.UnsetType = msgspec.UNSET
    despite_blackouts: bool | msgspec.UnsetType = msgspec.UNSET

    def change(self) -> Change:
        return Change(
            since=local(self.since, "/since"),
            rule=self.rule or None,
            starts_at=local(self.starts_at, "/starts_at") if self.starts_at else None,
            time_zone=self.time_zone or None,
            post_id=self.post_id or None,
            revision_id=self.revision_id or None,
            connection_ids=tuple(self.connection_ids) if self.connection_ids else None,
            late=timedelta(minutes=self.late_minutes) if self.late_minutes else None,
            when_missed=self.when_missed or None,
            despite_blackouts=None if self.despite_blackouts is msgspec.UNSET else self.despite_blackouts,
        )


class Preview(msgspec.Struct, frozen=True):
    occurrences: list[OccurrenceView]


class SeriesList(msgspec.Struct, frozen=True):
    series: list[SeriesView]


class SeriesCalendar(msgspec.Struct, frozen=True):
    """A series with those of its schedules that are not at an end."""

    series: SeriesView
    schedules: list[ScheduleView]


class ChangedSeries(msgspec.Struct, frozen=True):
    """The series that ends, and the one that goes on."""

    ended: SeriesView
    series: SeriesView


def routes(
    units: Units[Store], *, revisions: Revisions, clock: Clock, wake: Callable[[], None]
) -> list[ControllerRouterHandler]:
    """`wake`: called when something may be due now."""
    return [*_making(units, revisions, clock, wake), *_reading(units), *_stopping(units, clock, wake)]


def _making(
    units: Units[Store], revisions: Revisions, clock: Clock, wake: Callable[[], None]
) -> list[ControllerRouterHandler]:
    guards = [permission(Permission.SCHEDULE_WRITE)]

    @post(SERIES + "/preview", guards=guards, status_code=200, operation_id="previewSeries")
    async def show_ahead(workspace_id: Id, data: JSONBody[PreviewSeries], caller: Known) -> Preview:
        ahead, chosen = preview(data.repetition(), now=clock.now()), data.connection_ids or ()
        since, until = ahead[0].due_at, ahead[-1].due_at
        async with units(Scope.workspace(workspace_id, caller.account)) as store:
            closures = await closures_between(workspace_id, chosen, since=since, until=until, store=store)
        return Preview([OccurrenceView.of(each, closures.at(each.due_at, chosen)) for each in ahead])

    @post(SERIES, guards=guards, operation_id="createSeries")
    async def create(workspace_id: Id, data: JSONBody[CreateSeries], caller: Known) -> SeriesView:
        now = clock.now()
        series = await check_series(
            _wish(workspace_id, data, caller), reaches=caller.reaches, revisions=revisions, now=now
        )
        async with units(Scope.workspace(workspace_id, caller.account)) as store:
            series = await create_series(series, store=store, now=now)
        wake()
        return SeriesView.of(series)

    @post(ONE_SERIES + "/change-from", guards=guards, operation_id="changeSeries")
    async def change(workspace_id: Id, series_id: Id, data: JSONBody[ChangeSeries], caller: Known) -> ChangedSeries:
        now, scope = clock.now(), Scope.workspace(workspace_id, caller.account)
        async with units(scope) as store:
            old = await _reached(series_id, caller, store)
        succession = await check_change(
            old, data.change(), account_id=caller.account, reaches=caller.reaches, revisions=revisions, now=now
        )
        async with units(scope) as store:
            ended, series = await change_series(series_id, succession, store=store, now=now)
        wake()
        return ChangedSeries(SeriesView.of(ended), SeriesView.of(series))

    return [show_ahead, create, change]


def _reading(units: Units[Store]) -> list[ControllerRouterHandler]:
    guards = [permission(Permission.POST_READ)]

    @get(SERIES, guards=guards, operation_id="listSeries")
    async def list_(workspace_id: Id, caller: Known) -> SeriesList:
        async with units(Scope.workspace(workspace_id, caller.account)) as store:
            return SeriesList([SeriesView.of(series) for series in await store.newest_series(LIST_MAX, caller.reach)])

    @get(ONE_SERIES, guards=guards, operation_id="getSeries")
    async def show(workspace_id: Id, series_id: Id, caller: Known) -> SeriesCalendar:
        async with units(Scope.workspace(workspace_id, caller.account)) as store:
            series = await _reached(series_id, caller, store)
            schedules = await store.open_of_series(series_id)
        return SeriesCalendar(SeriesView.of(series), [ScheduleView.of(schedule) for schedule in schedules])

    return [list_, show]


def _stopping(units: Units[Store], clock: Clock, wake: Callable[[], None]) -> list[ControllerRouterHandler]:
    guards = [permission(Permission.SCHEDULE_WRITE)]

    @post(ONE_SERIES + "/pause", guards=guards, status_code=200, operation_id="pauseSeries")
    async def pause(workspace_id: Id, series_id: Id, caller: Known) -> SeriesView:
        async with units(Scope.workspace(workspace_id, caller.account)) as store:
            await _reached(series_id, caller, store)
            return SeriesView.of(await pause_series(series_id, store=store))

    @post(ONE_SERIES + "/resume", guards=guards, status_code=200, operation_id="resumeSeries")
    async def resume(workspace_id: Id, series_id: Id, caller: Known) -> SeriesView:
        async with units(Scope.workspace(workspace_id, caller.account)) as store:
            await _reached(series_id, caller, store)
            series = await resume_series(series_id, store=store, now=clock.now())
        wake()
        return SeriesView.of(series)

    @delete(ONE_SERIES, guards=guards, status_code=200, operation_id="cancelSeries")
    async def cancel(workspace_id: Id, series_id: Id, caller: Known) -> SeriesView:
        async with units(Scope.workspace(workspace_id, caller.account)) as store:
            await _reached(series_id, caller, store)
            return SeriesView.of(await cancel_series(series_id, store=store))

    return [pause, resume, cancel]


async def _reached(series_id: UUID, caller: Caller, store: Store) -> Series:
    """The series, if every connection of it is within the caller's reach."""
    series = await store.find_series(series_id)
    if series is None or not caller.reaches(*series.connection_ids):
        raise SeriesNotFound()
    return series


def _wish(workspace_id: UUID, data: CreateSeries, caller: Caller) -> SeriesWish:
    return SeriesWish(
        workspace_id=workspace_id,
        account_id=caller.account,
        post_id=data.post_id,
        revision_id=data.revision_id,
        connection_ids=tuple(data.connection_ids),
        repetition=data.repetition(),
        late=timedelta(minutes=data.late_minutes),
        when_missed=data.when_missed,
        despite_blackouts=data.despite_blackouts,
    )
