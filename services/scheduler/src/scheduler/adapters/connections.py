"""How connections stand, asked of auth over HTTP in the scheduler's own name."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

import msgspec
from kit.calls import Neighbour

from scheduler.domain.forecast import Standing


class AuthConnections:
    """Satisfies `ports.Connections`."""

    def __init__(self, auth: Neighbour) -> None:
        self._auth = auth

    async def of_workspace(self, workspace_id: UUID) -> Mapping[UUID, Standing]:
        document = await self._auth.call("GET", f"/internal/workspaces/{workspace_id}/connections")
        standings = msgspec.convert(document["connections"], list[Standing])
        return {standing.connection_id: standing for standing in standings}
