"""The request that makes a pin, written piece by piece: an image's Base64 is never whole in memory.

The same delivery always makes the same bytes, whose number is known before the first is sent.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec

from platforms.shape import Media

_PLACE = "\0{}\0"
"""Stands in the document for an image's Base64 until it is sent. JSON escapes this character in every text, so that
no text of a person can look like it."""

Part = bytes | Media


class PinBody:
    """A JSON document with images in it."""

    def __init__(self, document: dict[str, Any], images: Sequence[Media]) -> None:
        self._parts: list[Part] = []
        rest = msgspec.json.encode(document)
        for position, image in enumerate(images):
            before, _, rest = rest.partition(_PLACE.format(position).encode())
            self._parts += [before, image]
        self._parts.append(rest)

    @property
    def length(self) -> int:
        """Bytes in all."""
        return sum(len(part) if isinstance(part, bytes) else -(-part.size_bytes // 3) * 4 for part in self._parts)

    async def stream(self) -> AsyncIterator[bytes]:
        for part in self._parts:
            if isinstance(part, bytes):
                yield part
            else:
                async for piece in _base64_of(part):
                    yield piece


def stand_in(position: int) -> msgspec.Raw:
    """What the document holds instead of an image's data."""
    return msgspec.Raw(f'"{_PLACE.format(position)}"'.encode())


async def _base64_of(image: Media) -> AsyncIterator[bytes]:
    assert image.source is not None
    left = b""
    async for piece in image.source.read(0, image.size_bytes):
        piece = left + piece
        whole = len(piece) // 3 * 3
        left = piece[whole:]
        yield base64.b64encode(piece[:whole])
    if left:
        yield base64.b64encode(left)
