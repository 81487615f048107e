"""What is stored of access that was withdrawn at a platform, or may still stand there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from auth.domain.vault import Ciphertext, WrappedKey
from auth.domain.withdrawing import EndedConnection


@dataclass(frozen=True)
class LateRevocation:
    """An end that the platform is asked for again. Who the person is there is sealed."""

    connection_id: UUID
    platform: str
    wrapped_key: bytes
    key_id: str
    nonce: bytes
    ciphertext: bytes
    attempts: int

    @property
    def key(self) -> WrappedKey:
        return WrappedKey(self.wrapped_key, self.key_id)

    @property
    def text(self) -> Ciphertext:
        return Ciphertext(self.nonce, self.ciphertext)


class Withdrawals(Protocol):
    """Ends that begin at the platform, and ends that it has not confirmed."""

    async def end_account(self, platform: str, person_id: str, *, left_at: datetime, now: datetime) -> Sequence[UUID]:
        """Freeze every connection, in whatever workspace, that this account or person authorised before they left."""

    async def erasures_of(self, platform: str, person_id: str) -> Sequence[UUID]:
        """The erasures that the ends under way of this account or person open."""

    async def end_lapsed(self, *, dead_until: datetime, now: datetime, limit: int) -> int:
        """Freeze what nobody has authorised again since its grant died; how many."""

    async def ended(self, workspace_id: UUID, *, limit: int) -> Sequence[EndedConnection]:
        """Connections that have ended and are not erased yet, the newest first."""

    async def add_late(
        self, late: LateRevocation, workspace_id: UUID, *, due_at: datetime, until: datetime
    ) -> None: ...

    async def claim_late(self, *, now: datetime, until: datetime, limit: int) -> Sequence[LateRevocation]: ...

    async def postpone_late(self, connection_id: UUID, *, due_at: datetime) -> None:
        """Ask again then; not at all if its time is over by then."""

    async def drop_late(self, connection_id: UUID) -> None: ...

    async def confirm(self, connection_id: UUID, *, at: datetime) -> None:
        """The platform acknowledged the end after all."""
