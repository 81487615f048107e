"""The HTTP edge: schedules of a workspace, made, seen and taken back by its members."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import msgspec
from contracts.access import Permission
from kit.clock import Clock
from kit.database import Scope, Units
from kit.passport import permission
from litestar import delete, get, patch, post
from litestar.params import JSONBody
from litestar.types import ControllerRouterHandler

from scheduler.api.parameters import (
    SCHEDULE,
    SCHEDULES,
    ConnectionIds,
    Id,
    Known,
    LateMinutes,
    SpreadMinutes,
    WallClock,
    WhenClose,
    WhenMissed,
    ZoneName,
    local,
    reached,
)
from scheduler.api.views import PlannedView, ScheduleView
from scheduler.domain.duplicates import Content
from scheduler.domain.schedule import LATE_DEFAULT
from scheduler.domain.spread import Spacing
from scheduler.ports import Revisions, Store
from scheduler.use_cases.cancel_schedules import cancel_schedule
from scheduler.use_cases.create_schedule import Wish, check_wish, create_schedule
from scheduler.use_cases.move_schedule import Move, move_schedule


class CreateSchedule(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`at` is local time without an offset, to the minute or second; absent, it means now.

    A post that is `late_minutes` late does not go out: a person is asked (`hold`), or it is dropped (`drop`).
    What is closer than `spread_minutes` to another post of a connection is refused, or takes a later time (`shift`).
    """

    post_id: UUID
    revision_id: UUID
    connection_ids: ConnectionIds
    time_zone: ZoneName
    at: WallClock | None = None
    late_minutes: LateMinutes = LATE_DEFAULT // timedelta(minutes=1)
    when_missed: WhenMissed = "hold"
    spread_minutes: SpreadMinutes = 0
    when_close: WhenClose = "refuse"
    refuse_duplicates: bool = False
    despite_blackouts: bool = False


class MoveSchedule(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What is to be different; what is absent stays. The window moves with the time. Spread as when it is made."""

    at: WallClock | msgspec.UnsetType = msgspec.UNSET
    time_zone: ZoneName | msgspec.UnsetType = msgspec.UNSET
    late_minutes: LateMinutes | msgspec.UnsetType = msgspec.UNSET
    when_missed: WhenMissed | msgspec.UnsetType = msgspec.UNSET
    spread_minutes: SpreadMinutes = 0
    when_close: WhenClose = "refuse"
    despite_blackouts: bool = False

    def move(self) -> Move:
        return Move(
            at=local(self.at) if self.at else None,
            time_zone=self.time_zone or None,
            late=timedelta(minutes=self.late_minutes) if self.late_minutes else None,
            when_missed=self.when_missed or None,
        )


def routes(
    units: Units[Store], *, revisions: Revisions, clock: Clock, wake: Callable[[], None]
) -> list[ControllerRouterHandler]:
    writes, reads = permission(Permission.SCHEDULE_WRITE), permission(Permission.POST_READ)

    @post(SCHEDULES, guards=[writes], operation_id="createSchedule")
    async def create(workspace_id: Id, data: JSONBody[CreateSchedule], caller: Known) -> PlannedView:
        wished, hashes = await check_wish(
            _wish(workspace_id, data, caller), reaches=caller.reaches, revisions=revisions, clock=clock
        )
        content = Content(hashes, refuse_duplicates=data.refuse_duplicates)
        async with units(Scope.workspace(workspace_id, caller.account)) as store:
            planned = await create_schedule(
                wished,
                content,
                _spacing(data),
                despite_blackouts=data.despite_blackouts,
                store=store,
                now=clock.now(),
            )
        wake()
        return PlannedView.planned(planned.schedule, planned.duplicates, wished=wished)

    @get(SCHEDULE, guards=[reads], operation_id="getSchedule")
    async def show(workspace_id: Id, schedule_id: Id, caller: Known) -> ScheduleView:
        async with units(Scope.workspace(workspace_id, caller.account)) as store:
            return ScheduleView.of(await reached(schedule_id, caller, store))

    @patch(SCHEDULE, guards=[writes], operation_id="moveSchedule")
    async def move(workspace_id: Id, schedule_id: Id, data: JSONBody[MoveSchedule], caller: Known) -> PlannedView:
        async with units(Scope.workspace(workspace_id, caller.account)) as store:
            await reached(schedule_id, caller, store)
            wished, moved = await move_schedule(
                schedule_id,
                data.move(),
                _spacing(data),
                despite_blackouts=data.despite_blackouts,
                store=store,
                now=clock.now(),
            )
        wake()
        return PlannedView.planned(moved, wished=wished)

    @delete(SCHEDULE, guards=[writes], status_code=200, operation_id="cancelSchedule")
    async def cancel(workspace_id: Id, schedule_id: Id, caller: Known) -> ScheduleView:
        async with units(Scope.workspace(workspace_id, caller.account)) as store:
            await reached(schedule_id, caller, store)
            return ScheduleView.of(await cancel_schedule(schedule_id, store=store))

    return [create, show, move, cancel]


def _wish(workspace_id: Id, data: JSONBody[CreateSchedule], caller: Known) -> Wish:
    return Wish(
        workspace_id=workspace_id,
        account_id=caller.account,
        post_id=data.post_id,
        revision_id=data.revision_id,
        connection_ids=tuple(data.connection_ids),
        at=local(data.at) if data.at else None,
        time_zone=data.time_zone,
        late=timedelta(minutes=data.late_minutes),
        when_missed=data.when_missed,
    )


def _spacing(data: CreateSchedule | MoveSchedule) -> Spacing:
    return Spacing(timedelta(minutes=data.spread_minutes), shift=data.when_close == "shift")
