"""content, asked over HTTP in the publisher's own name."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from contracts.sealing import SealedRevision
from kit.batching import Batcher
from kit.calls import CallRefused, Neighbour
from kit.keys import BadSignature, TrustedKeys
from kit.problems import Unavailable

REVISIONS_MAX = 100
"""What content answers in one go."""

_Name = tuple[UUID, UUID]


class ContentRevisions:
    """Satisfies `ports.Revisions`. What is asked for at the same time is asked of content together."""

    def __init__(self, content: Neighbour, trusted: TrustedKeys) -> None:
        self._content = content
        self._trusted = trusted
        self._batcher: Batcher[_Name, SealedRevision | None] = Batcher(
            self._find_all, size_max=REVISIONS_MAX, at_once_max=2
        )

    async def find(self, workspace_id: UUID, revision_id: UUID) -> SealedRevision | None:
        return await self._batcher.do((workspace_id, revision_id))

    async def _find_all(self, names: Sequence[_Name]) -> list[SealedRevision | None]:
        asked = [{"workspace_id": str(workspace), "revision_id": str(revision)} for workspace, revision in set(names)]
        try:
            documents = await self._content.call("POST", "/internal/revisions", json={"revisions": asked})
        except CallRefused as refusal:
            raise Unavailable(f"content refuses to show revisions ({refusal.code})") from refusal
        found = [SealedRevision.model_validate(document) for document in documents]
        by_name = {(revision.workspace_id, revision.revision_id): revision for revision in found}
        return [by_name.get(name) for name in names]

    def signed(self, message: bytes, signature: bytes) -> bool:
        try:
            self._trusted.verify("content", message, signature)
        except BadSignature:
            return False
        return True
