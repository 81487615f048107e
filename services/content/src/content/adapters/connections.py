"""Connections as auth tells them."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from kit.calls import Neighbour

from content.domain.draft import Connection


class AuthConnections:
    """Implements `ports.Connections` with the neighbour auth."""

    def __init__(self, auth: Neighbour) -> None:
        self._auth = auth

    async def of_workspace(self, workspace_id: UUID) -> Mapping[UUID, Connection]:
        """Raises `kit.problems.Unavailable` while auth does not answer."""
        answer = await self._auth.call("GET", f"/internal/workspaces/{workspace_id}/connections")
        known = (
            Connection(UUID(item["connection_id"]), str(item["platform"]), str(item["state"]))
            for item in answer["connections"]
        )
        return {connection.connection_id: connection for connection in known}
