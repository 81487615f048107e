"""Backups as objects."""

from __future__ import annotations

from collections.abc import AsyncIterator

from kit.objects import Objects
from obstore.exceptions import BaseError

from retention.domain.backup import PART_BYTES_MAX, Part
from retention.ports import Away


class ObjectArchive:
    """`retention.ports.Archive` in a bucket or folder of its own."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    async def write(self, service: str, key: str, pieces: AsyncIterator[bytes]) -> Part:
        try:
            stored = await self._objects.write(key, pieces, limit_bytes=PART_BYTES_MAX)
        except (BaseError, OSError) as error:
            raise Away(type(error).__name__) from error
        return Part(service, stored.key, stored.size_bytes, stored.sha256)

    async def destroy(self, prefix: str) -> None:
        try:
            await self._objects.delete_all(prefix)
            left = await self._objects.keys(prefix)
        except (BaseError, OSError) as error:
            raise Away(type(error).__name__) from error
        if left:
            raise Away(f"{len(left)} objects are still there")
