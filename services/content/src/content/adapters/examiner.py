"""Receives a file into a nameless temporary one, and finds out what it is.

The file has no name, so that not even a crash leaves it behind. Memory stays bounded: pieces are written as
they come, and decoding looks at headers and one frame.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import BinaryIO

from kit.objects import PIECE_BYTES
from platforms.shape import MediaKind

from content.adapters.images import understand_image
from content.adapters.stripping import strip_metadata
from content.adapters.videos import understand_video
from content.domain.media import Understood, kind_of
from content.domain.problems import MediaNotUnderstood, MediaTooLarge

EXAMINED_AT_ONCE = 2
"""Decoding takes a core and up to 200 MB; more uploads wait, on the disk."""


@dataclass(frozen=True)
class ExaminedFile:
    """Implements `ports.Examined`."""

    understood: Understood
    file: BinaryIO

    async def pieces(self) -> AsyncIterator[bytes]:
        await asyncio.to_thread(self.file.seek, 0)
        while piece := await asyncio.to_thread(self.file.read, PIECE_BYTES):
            yield piece


class MediaExaminer:
    """Implements `ports.Examiner` with Pillow and FFmpeg's libraries."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(EXAMINED_AT_ONCE)

    @asynccontextmanager
    async def examine(
        self, pieces: AsyncIterator[bytes], *, content_type: str, limit_bytes: int
    ) -> AsyncIterator[ExaminedFile]:
        with tempfile.TemporaryFile() as received, tempfile.TemporaryFile() as stripped:
            await _receive(pieces, received, limit_bytes)
            async with self._turns:
                kept, understood = await asyncio.to_thread(_examine, received, stripped, content_type)
            yield ExaminedFile(understood, kept)


async def _receive(pieces: AsyncIterator[bytes], file: BinaryIO, limit_bytes: int) -> None:
    size, waiting = 0, bytearray()
    async for piece in pieces:
        size += len(piece)
        if size > limit_bytes:
            raise MediaTooLarge(limit_bytes=limit_bytes)
        waiting += piece
        if len(waiting) >= PIECE_BYTES:
            await asyncio.to_thread(file.write, bytes(waiting))
            waiting.clear()
    await asyncio.to_thread(file.write, bytes(waiting))
    if size == 0:
        raise MediaNotUnderstood("The file is empty.")


def _examine(received: BinaryIO, stripped: BinaryIO, content_type: str) -> tuple[BinaryIO, Understood]:
    """The file to keep, and what it is. Blocking."""
    if kind_of(content_type) is MediaKind.VIDEO:
        return received, understand_video(received, content_type)
    strip_metadata(received, stripped, content_type)
    return stripped, understand_image(stripped, content_type)
