"""The calendar of a workspace, a page at a time."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from contracts.access import Permission
from kit.database import Scope, Units
from kit.passport import permission
from kit.problems import Invalid
from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery, QueryParameter

from scheduler.api.parameters import SCHEDULES, Id, Known, place
from scheduler.api.views import ScheduleView
from scheduler.domain.calendar import PAGE_MAX, Page, Wanted
from scheduler.domain.schedule import ScheduleState
from scheduler.ports import Store

Since = Annotated[str | None, QueryParameter(name="from")]
Limit = Annotated[int, QueryParameter(ge=1, le=PAGE_MAX)]


class ScheduleList(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where there is more, it is behind `after` if the earliest comes first, else behind `before`."""

    schedules: list[ScheduleView]
    after: str | None = None
    before: str | None = None

    @classmethod
    def of(cls, page: Page, *, onwards: bool) -> ScheduleList:
        views = [ScheduleView.of(schedule) for schedule in page.schedules]
        further = None if page.next is None else str(page.next)
        return cls(views, after=further) if onwards else cls(views, before=further)


def routes(units: Units[Store]) -> list[HTTPRouteHandler]:
    @get(SCHEDULES, guards=[permission(Permission.POST_READ)], operation_id="listSchedules")
    async def list_(
        workspace_id: Id,
        caller: Known,
        since: Since = None,
        until: FromQuery[str | None] = None,
        connection_id: FromQuery[UUID | None] = None,
        in_state: FromQuery[ScheduleState | None] = None,
        before: FromQuery[str | None] = None,
        after: FromQuery[str | None] = None,
        limit: Limit = PAGE_MAX,
    ) -> ScheduleList:
        if before and after:
            raise Invalid(errors=[_fault("before", "A page goes on before a place or after it, not both.")])
        wanted = Wanted(
            reach=caller.reach,
            since=_instant("from", since),
            until=_instant("until", until),
            connection_id=connection_id,
            state=in_state,
            before=place("before", before),
            after=place("after", after),
        )
        async with units(Scope.workspace(workspace_id, caller.account)) as store:
            return ScheduleList.of(await store.page(wanted, limit), onwards=wanted.onwards)

    return [list_]


def _instant(parameter: str, value: str | None) -> datetime | None:
    # Parsed here, because a problem must name the parameter as it is written, and `from` is no name in Python.
    if value is None:
        return None
    with suppress(ValueError):
        instant = datetime.fromisoformat(value)
        if instant.tzinfo is not None:
            return instant
    raise Invalid(errors=[_fault(parameter, "A time with an offset, as in 2027-01-31T00:00:00Z.")])


def _fault(parameter: str, detail: str) -> dict[str, str]:
    return {"parameter": parameter, "detail": detail}
