"""content and auth, asked over HTTP in the publisher's own name."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import UUID

from contracts.sealing import SealedRevision
from kit.calls import CallRefused, Neighbour
from kit.keys import BadSignature, TrustedKeys
from kit.problems import Unavailable
from platforms.leasing import Leases
from platforms.shape import Grant

from publisher.domain.publication import Publication
from publisher.ports import GrantRefused


class ContentRevisions:
    """Satisfies `ports.Revisions`."""

    def __init__(self, content: Neighbour, trusted: TrustedKeys) -> None:
        self._content = content
        self._trusted = trusted

    async def find(self, workspace_id: UUID, revision_id: UUID) -> SealedRevision | None:
        try:
            document = await self._content.call("GET", f"/internal/workspaces/{workspace_id}/revisions/{revision_id}")
        except CallRefused as refusal:
            if refusal.status == 404:
                return None
            raise Unavailable(f"content refuses to show a revision ({refusal.code})") from refusal
        return SealedRevision.model_validate(document)

    def signed(self, message: bytes, signature: bytes) -> bool:
        try:
            self._trusted.verify("content", message, signature)
        except BadSignature:
            return False
        return True


class LeasedGrants:
    """Satisfies `ports.Grants`."""

    def __init__(self, leases: Leases) -> None:
        self._leases = leases

    @asynccontextmanager
    async def borrow(self, publication: Publication) -> AsyncIterator[Grant]:
        connection_id = publication.connection_id
        async with AsyncExitStack() as stack:
            try:
                borrowing = await stack.enter_async_context(self._leases.borrow([connection_id]))
            except CallRefused as refusal:
                raise Unavailable(f"auth refuses to lend ({refusal.code})") from refusal
            borrowed = borrowing.grants.get(connection_id)
            if borrowed is None or borrowed.workspace_id != publication.workspace_id:
                raise GrantRefused(borrowing.refused.get(connection_id, "unknown"))
            yield borrowed.grant

    async def report_dead(self, connection_id: UUID, code: str) -> None:
        try:
            await self._leases.report_dead(connection_id, code)
        except CallRefused as refusal:
            raise Unavailable(f"auth refuses to hear of a dead grant ({refusal.code})") from refusal
