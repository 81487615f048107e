"""What members read: the numbers of one publication over time, and the newest of all."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from kit.passport import Reach

from metrics.domain import PUBLICATIONS_MAX, Performance, PublicationUnknown, Snapshot, Withheld
from metrics.ports import Store


async def read_snapshots(
    publication_id: UUID, store: Store, *, reach: Reach
) -> tuple[Sequence[Snapshot], Withheld | None]:
    """Every snapshot, oldest first, and why there is no newer one. Raises `PublicationUnknown`, also out of reach."""
    known = await store.find(publication_id, reach)
    if known is None:
        raise PublicationUnknown()
    return await store.snapshots(publication_id), known.withheld


async def read_performances(workspace_id: UUID, store: Store, *, reach: Reach) -> Sequence[Performance]:
    """The newest publications with their newest numbers."""
    return await store.performances(workspace_id, PUBLICATIONS_MAX, reach)
