"""What the use cases need to hear platforms: their signatures read, and what was heard stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from platforms.shape import Notice, PlatformName

from auth.domain.notices import DeletionRequest, Removal


class Hooks(Protocol):
    """What platforms tell of their own accord."""

    def read(self, name: PlatformName, headers: Mapping[str, str], body: bytes) -> Sequence[Notice]:
        """What the platform told. Raises `NoticeRefused` unless it is signed by a platform that is offered."""

    def answer_challenge(self, name: PlatformName, query: Mapping[str, str]) -> str:
        """What proves that the address is ours. Raises `NoticeRefused` if it is not the platform that asks."""

    def digest(self, name: PlatformName, text: str) -> bytes:
        """A hash keyed with what only the platform and we know."""


class Notices(Protocol):
    """What was heard, and requests for deletion. For the worker alone."""

    async def claim(self, removal: Removal, *, at: datetime) -> Removal | None:
        """None the first time; afterwards what was claimed then. A second claim waits for the first."""

    async def opened(self, removal: Removal) -> Sequence[UUID]:
        """The erasures that notices about the same person opened."""

    async def note_erasures(self, removal: Removal, erasure_ids: Sequence[UUID]) -> None: ...

    async def add_request(
        self, code: str, platform: str, erasure_ids: Sequence[UUID], *, requested_at: datetime
    ) -> None: ...

    async def request(self, code: str) -> DeletionRequest | None: ...

    async def note_completed(self, erasure_id: UUID, *, at: datetime, final: bool) -> None:
        """An erasure came to its end; nothing happens if no request waits for it."""
