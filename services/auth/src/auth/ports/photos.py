"""What is stored of photos, and what makes them small."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol
from uuid import UUID


class Photos(Protocol):
    async def put(self, account_id: UUID, image: bytes, *, at: datetime) -> None: ...

    async def find(self, account_id: UUID) -> bytes | None:
        """The photo of a person whom the store's scope may see."""

    async def remove(self, account_id: UUID) -> None: ...


class PhotoMaker(Protocol):
    async def make(self, image: bytes) -> bytes:
        """A square WebP of what was sent, nothing else in it. Raises `PhotoRefused`."""
