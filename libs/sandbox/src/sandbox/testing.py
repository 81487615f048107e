"""Stand-ins for what a platform client is handed by its service: media bytes, their addresses and a journal."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar, cast

from litestar.types import Receive, Scope, Send

from sandbox.serving import LoopbackServer

PIECE_BYTES = 1024 * 1024


class BytesSource:
    """Media held in memory, read in pieces of at most 1 MiB as the media store's are.

    `place` is the address they can be fetched from, if a `MediaServer` or a test gave them one.
    """

    def __init__(self, data: bytes, place: str | None = None) -> None:
        self._data = data
        self.place = place
        self.spans: list[tuple[int, int]] = []
        """Every span that was asked for, so that a test can tell streaming from slurping."""

    async def read(self, start: int, end: int) -> AsyncIterator[bytes]:
        self.spans.append((start, end))
        for position in range(start, end, PIECE_BYTES):
            yield self._data[position : min(position + PIECE_BYTES, end)]

    async def address(self) -> str:
        if self.place is None:
            raise AssertionError("an address was asked for that no test has offered")
        return self.place

    def at(self, place: str) -> BytesSource:
        """The same bytes at an address."""
        return BytesSource(self._data, place)


class OfferedMedia(Protocol):
    """What a platform client is handed as media: a dataclass with these fields."""

    @property
    def content_type(self) -> str: ...

    @property
    def size_bytes(self) -> int: ...

    @property
    def source(self) -> Any: ...


Media = TypeVar("Media", bound=OfferedMedia)


class MediaServer:
    """Serves media on a loopback port: `async with MediaServer() as server: media = server.offer(media)`.

    `files` are those that can be fetched, by path; what is taken away answers 404.
    """

    def __init__(self) -> None:
        self._server = LoopbackServer()
        self._offered = 0
        self.files: dict[str, Any] = {}

    @property
    def base_url(self) -> str:
        return self._server.base_url

    def offer(self, media: Media) -> Media:
        """The same media with an address of their own."""
        assert isinstance(media.source, BytesSource)
        path = f"/media/{self._offered}"
        self._offered += 1
        offered = cast("Media", replace(cast("Any", media), source=media.source.at(self.base_url + path)))
        self.files[path] = offered
        return offered

    async def __aenter__(self) -> Self:
        await self._server.start(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._server.stop()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        media: OfferedMedia | None = self.files.get(scope["path"])
        status, kind = (200, media.content_type) if media else (404, "text/plain")
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", kind.encode())]})
        if media is not None:
            async for piece in media.source.read(0, media.size_bytes):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


class MemoryJournal:
    """A journal that forgets with the process; `facts` are what was recorded so far."""

    def __init__(self) -> None:
        self._facts: dict[str, Any] = {}

    @property
    def facts(self) -> Mapping[str, Any]:
        return self._facts

    async def record(self, **facts: Any) -> None:
        self._facts.update(facts)
