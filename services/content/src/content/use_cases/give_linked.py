"""Give the bytes of one object to whoever has a link to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from kit.links import BadLink, LinkReader
from kit.objects import ObjectMissing

from content.domain.problems import NothingLinked
from content.domain.ranges import Span, asked_span
from content.ports import ObjectStore


@dataclass(frozen=True)
class Given:
    """What to answer. `span` is set if only a part was asked for."""

    content_type: str
    size_bytes: int
    span: Span | None
    pieces: AsyncIterator[bytes]


async def give_linked(
    token: str, *, asked_range: str | None, body_wanted: bool, links: LinkReader, objects: ObjectStore
) -> Given:
    """The object, once its first bytes are there: what is gone is told before anything is sent.

    Raises `NothingLinked`, `RangeOutside`, `kit.problems.Unavailable`.
    """
    try:
        linked = links.read(token)
    except BadLink:
        raise NothingLinked() from None
    span = asked_span(asked_range, linked.size_bytes)
    start, end = (span.start, span.end) if span else (0, linked.size_bytes)
    pieces = objects.read(linked.key, start, end if body_wanted else min(start + 1, end))
    try:
        first = await anext(pieces, b"")
    except ObjectMissing:
        raise NothingLinked() from None
    return Given(linked.content_type, linked.size_bytes, span, _all(first, pieces))


async def _all(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece
