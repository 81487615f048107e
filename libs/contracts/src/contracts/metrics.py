"""Events of metrics."""

from __future__ import annotations

from uuid import UUID

from contracts.event import Event, Instant
from contracts.registry import event


@event("metrics.collected", 1, owner="metrics", aggregate="connection_id")
class MetricsCollectedV1(Event):
    """Snapshots were taken of a batch of publications of one connection."""

    workspace_id: UUID
    connection_id: UUID
    publication_ids: tuple[UUID, ...]
    collected_at: Instant
