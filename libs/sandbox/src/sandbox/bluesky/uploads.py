"""What the imitated video service remembers of a file: the upload, and the job that processes it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass
class Upload:
    """One open upload. Parts in order are hashed at once; one that comes too early is kept until its turn."""

    job: str
    did: str
    content_type: str
    size_bytes: int
    part_bytes: int
    expires_at: datetime
    received: set[int] = field(default_factory=set)
    early: dict[int, bytes] = field(default_factory=dict)
    hashed: int = 0
    digest: Any = field(default_factory=hashlib.sha256)
    state: str = "created"
    completed_job: str = ""

    @property
    def parts(self) -> int:
        return -(-self.size_bytes // self.part_bytes)

    def bytes_of(self, number: int) -> int:
        return min(self.part_bytes, self.size_bytes - (number - 1) * self.part_bytes)

    def take(self, number: int, data: bytes) -> None:
        if number > self.hashed:
            self.early[number] = data
        self.received.add(number)
        while self.hashed + 1 in self.early:
            self.hashed += 1
            self.digest.update(self.early.pop(self.hashed))


@dataclass
class Job:
    """The processing of one file. `failure` is decided beforehand."""

    job: str
    did: str
    sha256: str
    size_bytes: int
    began_at: datetime
    failure: str | None = None
