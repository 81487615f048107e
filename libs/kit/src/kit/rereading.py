"""A file that may be replaced while we run: what it says now, without a restart.

An orchestrator swaps mounted files, a command renames a new one over the old. Whoever asks gets the newest content that
could be understood.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

import structlog

from kit.settings import SettingError

LOOK_SECONDS = 1.0
"""How old an answer may be. A look costs a microsecond or two; asking is done for every request."""

log = structlog.get_logger("rereading")

Value = TypeVar("Value")


class Reread(Generic[Value]):
    """What `parse` makes of a file. A wrong file raises `SettingError` at first; later the old value stays."""

    def __init__(self, file: Path, parse: Callable[[Path, bytes], Value]) -> None:
        self._file = file
        self._parse = parse
        self._seen = self._state()
        self._value = parse(file, file.read_bytes())
        self._looked_at = time.monotonic()

    @property
    def value(self) -> Value:
        if time.monotonic() - self._looked_at >= LOOK_SECONDS:
            self.look()
        return self._value

    def look(self) -> Value:
        """The value by what the file is now."""
        self._looked_at = time.monotonic()
        try:
            state = self._state()
            if state != self._seen:
                self._value = self._parse(self._file, self._file.read_bytes())
                self._seen = state
                log.info("file_reread", file=str(self._file))
        except (OSError, SettingError) as error:
            # Half a replacement, or a wrong one. The next look may find it whole.
            log.warning("file_not_reread", file=str(self._file), error=type(error).__name__)
        return self._value

    def _state(self) -> tuple[int, int, int]:
        found = os.stat(self._file)
        return found.st_ino, found.st_mtime_ns, found.st_size
