"""Say ahead which planned posts will fail because of their connections."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from kit.database import Scope, Units

from scheduler.domain.forecast import Failure, forecast
from scheduler.ports import Connections, Store


async def forecast_failures(
    units: Units[Store],
    *,
    workspace_id: UUID,
    until: datetime,
    connection_id: UUID | None,
    limit: int,
    connections: Connections,
) -> list[Failure]:
    """What is planned until then and will not go out, the earliest first. Raises `Unavailable` without auth."""
    standings = await connections.of_workspace(workspace_id)
    async with units(Scope.workspace(workspace_id)) as store:
        planned = await store.planned(until=until, connection_id=connection_id, limit=limit)
    failures = forecast(planned, standings)
    return [failure for failure in failures if connection_id in (None, failure.connection_id)]
