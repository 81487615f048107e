"""What is stored of what grants were lent for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True)
class Use:
    """How often a service had a connection's grant for one purpose on one day (UTC)."""

    day: date
    service: str
    purpose: str
    times: int
    last_at: datetime


class Borrowings(Protocol):
    """What grants were used for, in numbers by day."""

    async def count(self, connections: Mapping[UUID, UUID], *, borrower: str, purpose: str, at: datetime) -> None:
        """One use more of each connection; given with their workspaces."""

    async def of_connection(self, connection_id: UUID) -> Sequence[Use] | None:
        """The newest day first; None if there is no such connection."""
