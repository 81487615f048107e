"""A workspace's stored media as a whole, for its erasure."""

from __future__ import annotations

from uuid import UUID

from contracts.retention import SubjectKind
from kit.objects import Objects

from content.domain.media import objects_of


class MediaObjects:
    """Finds objects by their workspace. Those of an account or connection belong to its workspace."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    async def erase(self, kind: SubjectKind, subject: UUID) -> int:
        return await self._objects.delete_all(objects_of(subject)) if kind is SubjectKind.WORKSPACE else 0

    async def count(self, kind: SubjectKind, subject: UUID) -> int:
        return len(await self._objects.keys(objects_of(subject))) if kind is SubjectKind.WORKSPACE else 0
