"""Stop and go on: one schedule, or everything of a workspace at once."""

from __future__ import annotations

from collections.abc import Callable

from contracts.access import Permission
from kit.clock import Clock
from kit.database import Scope, Units
from kit.passport import permission
from litestar import post
from litestar.types import ControllerRouterHandler

from scheduler.api.parameters import SCHEDULE, SCHEDULES, Id, Known, reached
from scheduler.api.views import ScheduleView
from scheduler.ports import Store
from scheduler.use_cases.pause_schedules import (
    Paused,
    pause_schedule,
    pause_workspace,
    resume_schedule,
    resume_workspace,
)


def routes(units: Units[Store], *, clock: Clock, wake: Callable[[], None]) -> list[ControllerRouterHandler]:
    guards = [permission(Permission.SCHEDULE_WRITE)]

    @post(SCHEDULE + "/pause", guards=guards, status_code=200, operation_id="pauseSchedule")
    async def pause(workspace_id: Id, schedule_id: Id, caller: Known) -> ScheduleView:
        async with units(Scope.workspace(workspace_id, caller.account)) as store:
            await reached(schedule_id, caller, store)
            return ScheduleView.of(await pause_schedule(schedule_id, store=store))

    @post(SCHEDULE + "/resume", guards=guards, status_code=200, operation_id="resumeSchedule")
    async def resume(workspace_id: Id, schedule_id: Id, caller: Known) -> ScheduleView:
        async with units(Scope.workspace(workspace_id, caller.account)) as store:
            await reached(schedule_id, caller, store)
            resumed = await resume_schedule(schedule_id, store=store)
        wake()
        return ScheduleView.of(resumed)

    @post(SCHEDULES + "/pause", guards=guards, status_code=200, operation_id="pauseWorkspace")
    async def pause_all(workspace_id: Id, caller: Known) -> Paused:
        scope = Scope.workspace(workspace_id, caller.account)
        return await pause_workspace(workspace_id, reach=caller.reach, open_store=lambda: units(scope))

    @post(SCHEDULES + "/resume", guards=guards, status_code=200, operation_id="resumeWorkspace")
    async def resume_all(workspace_id: Id, caller: Known) -> Paused:
        scope = Scope.workspace(workspace_id, caller.account)
        resumed = await resume_workspace(
            workspace_id, reach=caller.reach, open_store=lambda: units(scope), now=clock.now()
        )
        wake()
        return resumed

    return [pause, resume, pause_all, resume_all]
