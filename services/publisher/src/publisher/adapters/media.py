"""The bytes of approved media in the object store, and addresses from which a platform can fetch them by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator

from contracts.sealing import SealedMedia
from kit.links import LinkedObject, LinkIssuer
from kit.objects import ObjectMissing, Objects
from platforms.errors import Misconfigured

from publisher.ports import MediaMissing


class ObjectMedia:
    """Satisfies `ports.MediaStore`. `media_url`: what addresses start with, up to the link; None if there are none."""

    def __init__(self, objects: Objects, links: LinkIssuer, media_url: str | None) -> None:
        self._objects = objects
        self._links = links
        self._media_url = media_url

    def source(self, media: SealedMedia) -> ObjectSource:
        return ObjectSource(self._objects, media, links=self._links, media_url=self._media_url)


class ObjectSource:
    """Satisfies `platforms.shape.MediaSource`."""

    def __init__(self, objects: Objects, media: SealedMedia, *, links: LinkIssuer, media_url: str | None) -> None:
        self._objects = objects
        self._media = media
        self._links = links
        self._media_url = media_url

    async def read(self, start: int, end: int) -> AsyncIterator[bytes]:
        try:
            async for piece in self._objects.read(self._media.object_key, start, end):
                yield piece
        except ObjectMissing:
            raise MediaMissing(self._media.object_key) from None

    async def address(self) -> str:
        if self._media_url is None:
            raise Misconfigured(
                "no_media_address",
                "this installation gives platforms no address to fetch media from: PUBLIC_URL must be set to https://…",
            )
        media = self._media
        token = self._links.issue(LinkedObject(media.object_key, media.content_type, media.size_bytes))
        return self._media_url + token.reveal()
