"""Revisions, asked of content over HTTP in the scheduler's own name."""

from __future__ import annotations

from uuid import UUID

from contracts.sealing import SealedRevision
from kit.calls import CallRefused, Neighbour


class ContentRevisions:
    """Satisfies `ports.Revisions`."""

    def __init__(self, content: Neighbour) -> None:
        self._content = content

    async def find(self, workspace_id: UUID, revision_id: UUID) -> SealedRevision | None:
        try:
            document = await self._content.call("GET", f"/internal/workspaces/{workspace_id}/revisions/{revision_id}")
        except CallRefused as refusal:
            if refusal.status == 404:
                return None
            raise
        return SealedRevision.model_validate(document)
