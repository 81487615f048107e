"""Which bytes of a file a request asks for (RFC 9110, section 14)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from content.domain.problems import RangeOutside

_ONE_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)
"""As many digits as any file's size has."""


@dataclass(frozen=True)
class Span:
    """Bytes `start` (inclusive) to `end` (exclusive) of a file of `size_bytes`."""

    start: int
    end: int
    size_bytes: int

    @property
    def length(self) -> int:
        return self.end - self.start

    @property
    def content_range(self) -> str:
        return f"bytes {self.start}-{self.end - 1}/{self.size_bytes}"


def asked_span(header: str | None, size_bytes: int) -> Span | None:
    """The one range that is asked for; None for the whole file, as for several ranges and what is not understood.

    Raises `RangeOutside`.
    """
    found = _ONE_RANGE.fullmatch((header or "").strip())
    if found is None or not any(found.groups()):
        return None
    first, last = found.groups()
    if not first:
        start, end = max(size_bytes - int(last), 0), size_bytes
    else:
        start, end = int(first), min(int(last) + 1, size_bytes) if last else size_bytes
        if last and int(last) < start:
            return None
    if start >= size_bytes:
        raise RangeOutside(size_bytes)
    return Span(start, end, size_bytes)
