"""What is stored of grants that near their end, and what people are to be told of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True)
class Nearing:
    """A connection whose grant ends soon, or has ended."""

    connection_id: UUID
    workspace_id: UUID
    ends_at: datetime


@dataclass(frozen=True)
class ToTell:
    """What the people of a workspace are to be told of a connection."""

    connection_id: UUID
    workspace_id: UUID
    workspace_name: str
    platform: str
    handle: str
    notice: str
    reason: str | None
    ends_at: datetime | None


class Endings(Protocol):
    """Grants that only a person can renew, on their way to their end."""

    async def begin_expiring(self, *, now: datetime, before: datetime, limit: int) -> Sequence[Nearing]:
        """Those that end before this and were not known to; each once until somebody authorises again."""

    async def expire(self, *, now: datetime, limit: int) -> Sequence[Nearing]:
        """Those that have ended; nothing is lent of them any more."""

    async def take_notices(self, *, now: datetime, told_before: datetime, limit: int) -> Sequence[ToTell]:
        """What is to be told of connections that nobody was told about since; they count as told now."""
