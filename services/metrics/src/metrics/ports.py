"""What the use cases need of the database and of the platforms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from contracts.event import Event
from kit.passport import Reach
from platforms.shape import Counts

from metrics.domain import Answer, Batch, Look, Performance, Snapshot, Standing, Tracked


class Store(Protocol):
    """One transaction on metrics' rows."""

    def emit(self, event: Event) -> None: ...

    async def hold_subjects(self, workspace_id: UUID, connection_id: UUID) -> None:
        """Let nobody end this workspace or connection before the transaction is over."""

    async def hold_end(self, subject_id: UUID) -> None:
        """Let nobody start to track anything of this workspace or connection before the transaction is over."""

    async def has_ended(self, *subject_ids: UUID) -> bool: ...

    async def mark_ended(self, subject_id: UUID, at: datetime) -> None: ...

    async def forget_ended(self, before: datetime) -> int: ...

    async def note(
        self,
        *,
        publication_id: UUID,
        workspace_id: UUID,
        connection_id: UUID,
        post_id: UUID,
        platform: str,
        platform_post_id: str | None,
        published_at: datetime | None,
    ) -> None:
        """Add what an event told to what is known of a publication."""

    async def start_if_complete(self, publication_id: UUID, at: datetime) -> None:
        """Look at a waiting publication from `at` on, once its post id and its time are known."""

    async def stop(self, subject_id: UUID) -> None:
        """Look no more at anything of this workspace or connection."""

    async def stop_publication(self, publication_id: UUID) -> None:
        """Look no more at this one, because the platform has it no more."""

    async def delete_if_erased(self, subject_id: UUID, erasure_id: UUID) -> None:
        """Delete what was noted of a workspace or connection after its erasure was already answered."""

    async def due_connections(self, now: datetime, limit: int) -> Sequence[tuple[UUID, str]]:
        """Connections with publications to look at, longest waiting first, with their platform."""

    async def claim(self, connection_id: UUID, *, now: datetime, until: datetime, limit: int) -> Sequence[Tracked]:
        """Due publications of one connection, put off until `until` for everybody else."""

    async def lock_tracking(self, publication_ids: Sequence[UUID]) -> set[UUID]:
        """Those that are still looked at, held until the transaction is over."""

    async def write_snapshots(self, batch: Batch, counts: Mapping[UUID, Counts], taken_at: datetime) -> None: ...

    async def write_looks(self, looks: Mapping[UUID, Look]) -> None: ...

    async def postpone(self, batch: Batch, until: datetime) -> None:
        """Look at nothing of the batch's connection before `until`, and at the batch itself just then."""

    async def find(self, publication_id: UUID, reach: Reach) -> Standing | None: ...

    async def snapshots(self, publication_id: UUID) -> Sequence[Snapshot]: ...

    async def performances(self, workspace_id: UUID, limit: int, reach: Reach) -> Sequence[Performance]: ...


class Insights(Protocol):
    """The platforms, asked for numbers with borrowed grants."""

    def batch_max(self, platform: str) -> int:
        """How many posts one call may name."""

    async def ask(self, batches: Sequence[Batch]) -> Mapping[UUID, Answer]:
        """An answer for every connection. Never raises for what a platform or auth does."""
