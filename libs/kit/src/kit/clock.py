"""The one source of the present time. Every service reads it, so that days can pass in a test.

In development the clock can be moved: the offset lies in a file that all processes of one system
share, and `signoff clock advance` writes it. A production system has no such file and no offset.
"""

from __future__ import annotations

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


class MovableClock:
    """The machine's time plus the offset that a shared file holds (seconds, decimal; absent: zero)."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._stamp: tuple[int, int] | None = None
        self._offset = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self._current_offset()

    def advance(self, by: timedelta) -> datetime:
        """Move the time of every process that shares the file; returns the new time."""
        if by < timedelta():
            raise ValueError("the clock moves forward only")
        offset = self._current_offset() + by
        scratch = self._file.with_suffix(".new")
        scratch.write_text(f"{offset.total_seconds()}\n")
        scratch.replace(self._file)
        return self.now()

    def _current_offset(self) -> timedelta:
        try:
            stat = os.stat(self._file)
        except FileNotFoundError:
            return timedelta()
        # Reading anew only when the file was replaced keeps a call at about one microsecond.
        stamp = (stat.st_ino, stat.st_mtime_ns)
        if stamp != self._stamp:
            self._offset = timedelta(seconds=float(self._file.read_text()))
            self._stamp = stamp
        return self._offset


class FixedClock:
    """A clock that a test sets by hand."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def advance(self, by: timedelta) -> datetime:
        self.at += by
        return self.at
