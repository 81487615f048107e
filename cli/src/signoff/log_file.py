"""Where the lines of a system in one process go: a file a day, and none for longer than was promised."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

KEPT = timedelta(days=90)
"""Server logs are purged after 90 days."""

NAME = "signoff.jsonl"


class LogFile:
    """Appends to `<folder>/signoff.jsonl`; with the first line of a new day, the old file gets that day's name."""

    def __init__(self, folder: Path, now: Callable[[], datetime]) -> None:
        self._folder = folder
        self._now = now
        self._path = folder / NAME
        self._day = self._day_of_file()
        self._stream = self._open()

    def write(self, text: str, /) -> int:
        if self._now().date() != self._day:
            self._turn()
        return self._stream.write(text)

    def flush(self) -> None:
        self._stream.flush()

    def close(self) -> None:
        self._stream.close()

    def _turn(self) -> None:
        self._stream.close()
        self._path.rename(self._folder / f"signoff-{self._day:%Y-%m-%d}.jsonl")
        self._day = self._now().date()
        self._stream = self._open()
        for file in self._folder.glob("signoff-*.jsonl"):
            if self._day - date.fromisoformat(file.stem.removeprefix("signoff-")) > KEPT:
                file.unlink()

    def _day_of_file(self) -> date:
        if self._path.exists():
            return datetime.fromtimestamp(self._path.stat().st_mtime, self._now().tzinfo).date()
        return self._now().date()

    def _open(self) -> io.TextIOWrapper:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        stream = self._path.open("a", encoding="utf-8")
        self._path.chmod(0o600)
        return stream
