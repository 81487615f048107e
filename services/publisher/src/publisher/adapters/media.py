"""The bytes of approved media in the object store."""

from __future__ import annotations

from collections.abc import AsyncIterator

from kit.objects import ObjectMissing, Objects
from platforms.errors import Misconfigured

from publisher.ports import MediaMissing


class ObjectSource:
    """Satisfies `platforms.shape.MediaSource`."""

    def __init__(self, objects: Objects, key: str) -> None:
        self._objects = objects
        self._key = key

    async def read(self, start: int, end: int) -> AsyncIterator[bytes]:
        try:
            async for piece in self._objects.read(self._key, start, end):
                yield piece
        except ObjectMissing:
            raise MediaMissing(self._key) from None

    async def address(self) -> str:
        raise Misconfigured("no_media_address", "this installation gives platforms no address to fetch media from")


class ObjectMedia:
    """Satisfies `ports.MediaStore`."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def source(self, object_key: str) -> ObjectSource:
        return ObjectSource(self._objects, object_key)
