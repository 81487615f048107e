"""Stand-ins for what a platform client is handed by its service: media bytes and a journal."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

PIECE_BYTES = 1024 * 1024


class BytesSource:
    """Media held in memory, read in pieces of at most 1 MiB as the media store's are."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.spans: list[tuple[int, int]] = []
        """Every span that was asked for, so that a test can tell streaming from slurping."""

    async def read(self, start: int, end: int) -> AsyncIterator[bytes]:
        self.spans.append((start, end))
        for position in range(start, end, PIECE_BYTES):
            yield self._data[position : min(position + PIECE_BYTES, end)]


class MemoryJournal:
    """A journal that forgets with the process; `facts` are what was recorded so far."""

    def __init__(self) -> None:
        self._facts: dict[str, Any] = {}

    @property
    def facts(self) -> Mapping[str, Any]:
        return self._facts

    async def record(self, **facts: Any) -> None:
        self._facts.update(facts)
