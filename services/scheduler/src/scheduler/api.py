"""The HTTP edge: schedules of a workspace, made, seen and taken back by its members."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from contracts.access import Permission
from kit.clock import Clock
from kit.database import Scope, Units
from kit.passport import Caller, permission
from kit.problems import Invalid
from litestar import delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.types import ControllerRouterHandler

from scheduler.domain.forecast import AHEAD, SCHEDULES_MAX, Failure
from scheduler.domain.schedule import CONNECTIONS_MAX, HORIZON, LATE_DEFAULT, LATE_MAX, Schedule, ScheduleNotFound
from scheduler.ports import Connections, Revisions, Store
from scheduler.use_cases.cancel_schedules import cancel_schedule
from scheduler.use_cases.create_schedule import Wish, check_wish, create_schedule
from scheduler.use_cases.forecast_failures import forecast_failures

LIST_MAX = 500
"""Schedules in one answer: the calendar of a busy month."""

ZONE_NAME_MAX = 64

Id = FromPath[UUID]
Known = NamedDependency[Caller]


class CreateSchedule(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`at` is local time without an offset, to the minute or second; absent, it means now.

    A post that is `late_minutes` late does not go out: a person is asked (`hold`), or it is dropped (`drop`).
    """

    post_id: UUID
    revision_id: UUID
    connection_ids: Annotated[list[UUID], msgspec.Meta(min_length=1, max_length=CONNECTIONS_MAX)]
    time_zone: Annotated[str, msgspec.Meta(min_length=1, max_length=ZONE_NAME_MAX)]
    at: Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?$", max_length=19)] | None = None
    late_minutes: Annotated[int, msgspec.Meta(ge=1, le=LATE_MAX // timedelta(minutes=1))] = LATE_DEFAULT // timedelta(
        minutes=1
    )
    when_missed: Literal["hold", "drop"] = "hold"


class TargetView(msgspec.Struct, frozen=True):
    connection_id: UUID
    state: str
    code: str | None
    publication_id: UUID | None


class ScheduleView(msgspec.Struct, frozen=True):
    """A schedule as members see it. `at` is wall-clock time in `time_zone`, `due_at` the instant."""

    schedule_id: UUID
    workspace_id: UUID
    post_id: UUID
    revision_id: UUID
    at: str
    time_zone: str
    adjustment: str
    due_at: datetime
    publish_until: datetime | None
    when_missed: str
    state: str
    reason: str | None
    created_at: datetime
    connections: list[TargetView]

    @classmethod
    def of(cls, schedule: Schedule) -> ScheduleView:
        return cls(
            schedule_id=schedule.schedule_id,
            workspace_id=schedule.workspace_id,
            post_id=schedule.post_id,
            revision_id=schedule.revision_id,
            at=schedule.at.isoformat(timespec="seconds"),
            time_zone=schedule.time_zone,
            adjustment=schedule.adjustment,
            due_at=schedule.due_at,
            publish_until=schedule.publish_until,
            when_missed=schedule.when_missed,
            state=schedule.state,
            reason=schedule.reason,
            created_at=schedule.created_at,
            connections=[
                TargetView(target.connection_id, target.state, target.code, target.publication_id)
                for target in schedule.targets
            ],
        )


class Forecast(msgspec.Struct, frozen=True):
    until: datetime
    failures: list[Failure]


class ScheduleList(msgspec.Struct, frozen=True):
    schedules: list[ScheduleView]


def routes(
    units: Units[Store], *, revisions: Revisions, clock: Clock, wake: Callable[[], None]
) -> list[ControllerRouterHandler]:
    path = "/api/workspaces/{workspace_id:uuid}/schedules"
    writes, reads = permission(Permission.SCHEDULE_WRITE), permission(Permission.POST_READ)

    @post(path, guards=[writes], operation_id="createSchedule")
    async def create(workspace_id: Id, data: JSONBody[CreateSchedule], caller: Known) -> ScheduleView:
        schedule = await check_wish(
            _wish(workspace_id, data, caller), reaches=caller.reaches, revisions=revisions, clock=clock
        )
        async with units(Scope.workspace(workspace_id, caller.account)) as store:
            await create_schedule(schedule, store=store)
        wake()
        return ScheduleView.of(schedule)

    @get(path, guards=[reads], operation_id="listSchedules")
    async def list_(workspace_id: Id, caller: Known) -> ScheduleList:
        async with units(Scope.workspace(workspace_id, caller.account)) as store:
            return ScheduleList([ScheduleView.of(schedule) for schedule in await store.newest(LIST_MAX, caller.reach)])

    @get(path + "/{schedule_id:uuid}", guards=[reads], operation_id="getSchedule")
    async def show(workspace_id: Id, schedule_id: Id, caller: Known) -> ScheduleView:
        async with units(Scope.workspace(workspace_id, caller.account)) as store:
            return ScheduleView.of(await _reached(schedule_id, caller, store))

    @delete(path + "/{schedule_id:uuid}", guards=[writes], status_code=200, operation_id="cancelSchedule")
    async def cancel(workspace_id: Id, schedule_id: Id, caller: Known) -> ScheduleView:
        async with units(Scope.workspace(workspace_id, caller.account)) as store:
            await _reached(schedule_id, caller, store)
            return ScheduleView.of(await cancel_schedule(schedule_id, store=store))

    return [create, list_, show, cancel]


def forecast_routes(units: Units[Store], *, connections: Connections, clock: Clock) -> list[ControllerRouterHandler]:
    """Which planned posts will fail, of a whole workspace or at one connection."""
    workspace, reads = "/api/workspaces/{workspace_id:uuid}", permission(Permission.POST_READ)

    async def look(workspace_id: UUID, until: datetime | None, connection_id: UUID | None = None) -> Forecast:
        last = _last(until, clock.now())
        failures = await forecast_failures(
            units,
            workspace_id=workspace_id,
            until=last,
            connection_id=connection_id,
            limit=SCHEDULES_MAX,
            connections=connections,
        )
        return Forecast(last, failures)

    @get(workspace + "/connection-forecast", guards=[reads], operation_id="forecastWorkspace")
    async def of_workspace(workspace_id: Id, caller: Known, until: FromQuery[datetime | None] = None) -> Forecast:
        found = await look(workspace_id, until)
        return Forecast(found.until, caller.reached(found.failures, lambda failure: [failure.connection_id]))

    @get(workspace + "/connections/{connection_id:uuid}/forecast", guards=[reads], operation_id="forecastConnection")
    async def of_connection(workspace_id: Id, connection_id: Id, until: FromQuery[datetime | None] = None) -> Forecast:
        return await look(workspace_id, until, connection_id)

    return [of_workspace, of_connection]


def _last(until: datetime | None, now: datetime) -> datetime:
    last = until or now + AHEAD
    if last.tzinfo is None or last > now + HORIZON:
        detail = f"A time with an offset, at most {HORIZON.days} days ahead."
        raise Invalid(errors=[{"pointer": "/until", "detail": detail}])
    return last


async def _reached(schedule_id: UUID, caller: Caller, store: Store) -> Schedule:
    """The schedule, if every connection of it is within the caller's reach."""
    schedule = await store.find(schedule_id)
    if schedule is None or not caller.reaches(*(target.connection_id for target in schedule.targets)):
        raise ScheduleNotFound()
    return schedule


def _wish(workspace_id: Id, data: JSONBody[CreateSchedule], caller: Known) -> Wish:
    return Wish(
        workspace_id=workspace_id,
        account_id=caller.account,
        post_id=data.post_id,
        revision_id=data.revision_id,
        connection_ids=tuple(data.connection_ids),
        at=_local(data.at) if data.at else None,
        time_zone=data.time_zone,
        late=timedelta(minutes=data.late_minutes),
        when_missed=data.when_missed,
    )


def _local(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)  # the pattern has ruled out an offset
    except ValueError:
        raise Invalid(errors=[{"pointer": "/at", "detail": "There is no such day or time."}]) from None
