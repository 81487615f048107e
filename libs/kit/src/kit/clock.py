"""The one source of the present time. Every service reads it, so that days can pass in a test.

In development the clock can be moved: the offset lies in a file that all processes of one system have
mapped into their memory, and `signoff clock advance` writes it. A production system has no such file and no offset.
"""

from __future__ import annotations

import mmap
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    """Tells the present time as an aware datetime in UTC."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        return datetime.now(UTC)


OFFSET_BYTES = 8


class MovableClock:
    """The machine's time plus the seconds that a shared file holds, a double in the machine's order; absent: zero."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._shared: memoryview[float] | None = None
        self._offset = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self._current_offset()

    def advance(self, by: timedelta) -> datetime:
        """Move the time of every process that shares the file; returns the new time."""
        if by < timedelta():
            raise ValueError("the clock moves forward only")
        offset = self._current_offset() + by
        shared = self._map(os.O_RDWR | os.O_CREAT)
        shared[0] = offset.total_seconds()
        return self.now()

    def _current_offset(self) -> timedelta:
        # Looked up several times for each post: a look at memory costs a tenth of asking whether the file changed.
        if self._shared is None:
            try:
                self._map(os.O_RDWR)
            except FileNotFoundError:
                return timedelta()
        assert self._shared is not None
        seconds = self._shared[0]
        if seconds != self._offset.total_seconds():
            self._offset = timedelta(seconds=seconds)
        return self._offset

    def _map(self, flags: int) -> memoryview[float]:
        file = os.open(self._file, flags, 0o600)
        try:
            os.ftruncate(file, OFFSET_BYTES)  # of a new file: zeros
            # Written and read in one piece, because it is one aligned word.
            shared = self._shared = memoryview(mmap.mmap(file, OFFSET_BYTES)).cast("d")
        finally:
            os.close(file)
        return shared


class FixedClock:
    """A clock that a test sets by hand."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def advance(self, by: timedelta) -> datetime:
        self.at += by
        return self.at
