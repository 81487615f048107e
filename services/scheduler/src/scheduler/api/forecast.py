"""Which planned posts will fail because of their connections."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec
from contracts.access import Permission
from kit.clock import Clock
from kit.database import Units
from kit.passport import permission
from kit.problems import Invalid
from litestar import get
from litestar.params import FromQuery
from litestar.types import ControllerRouterHandler

from scheduler.api.parameters import WORKSPACE, Id, Known
from scheduler.domain.forecast import AHEAD, SCHEDULES_MAX, Failure
from scheduler.domain.schedule import HORIZON
from scheduler.ports import Connections, Store
from scheduler.use_cases.forecast_failures import forecast_failures


class Forecast(msgspec.Struct, frozen=True):
    until: datetime
    failures: list[Failure]


def routes(units: Units[Store], *, connections: Connections, clock: Clock) -> list[ControllerRouterHandler]:
    """Which planned posts will fail, of a whole workspace or at one connection."""
    reads = permission(Permission.POST_READ)

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

    @get(WORKSPACE + "/connection-forecast", guards=[reads], operation_id="forecastWorkspace")
    async def of_workspace(workspace_id: Id, caller: Known, until: FromQuery[datetime | None] = None) -> Forecast:
        found = await look(workspace_id, until)
        return Forecast(found.until, caller.reached(found.failures, lambda failure: [failure.connection_id]))

    @get(WORKSPACE + "/connections/{connection_id:uuid}/forecast", guards=[reads], operation_id="forecastConnection")
    async def of_connection(workspace_id: Id, connection_id: Id, until: FromQuery[datetime | None] = None) -> Forecast:
        return await look(workspace_id, until, connection_id)

    return [of_workspace, of_connection]


def _last(until: datetime | None, now: datetime) -> datetime:
    last = until or now + AHEAD
    if last.tzinfo is None or last > now + HORIZON:
        detail = f"A time with an offset, at most {HORIZON.days} days ahead."
        raise Invalid(errors=[{"pointer": "/until", "detail": detail}])
    return last
