"""The one error of the embedded servers. The command prints its text as it is and ends."""

from __future__ import annotations

from pathlib import Path
from typing import Self


class EmbeddedError(Exception):
    """An embedded server cannot be run. The message is one line that says what to do next."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))

    @classmethod
    def of_system(cls, error: OSError, path: Path) -> Self:
        """No room, no rights, no such disk: the system's own words say it best."""
        return cls(f"{error.filename or path}: {error.strerror}: put that right, or name another folder for the data")
