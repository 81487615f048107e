"""Start to measure a publication, and stop: whatever order the events of both come in."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from contracts.publisher import PublicationIdentifiedV1, PublicationPublishedV1

from metrics.ports import Store


async def track(event: PublicationPublishedV1 | PublicationIdentifiedV1, store: Store, *, at: datetime) -> None:
    """Measure a publication of ours once its post id and its time are known, unless its connection has ended."""
    await store.hold_subjects(event.workspace_id, event.connection_id)
    if await store.has_ended(event.workspace_id, event.connection_id):
        return
    await store.note(
        publication_id=event.publication_id,
        workspace_id=event.workspace_id,
        connection_id=event.connection_id,
        post_id=event.post_id,
        platform=event.platform,
        platform_post_id=event.platform_post_id,
        published_at=event.published_at if isinstance(event, PublicationPublishedV1) else None,
    )
    await store.start_if_complete(event.publication_id, at)


async def stop_removed(publication_id: UUID, store: Store) -> None:
    """The post is off the platform: there is nothing to measure any more. What was measured stays."""
    await store.stop_publication(publication_id)


async def stop_tracking(subject_id: UUID, erasure_id: UUID, store: Store, *, at: datetime) -> None:
    """A connection or a workspace ended: nothing of it is measured from now on, nor by an event that is late."""
    await store.hold_end(subject_id)
    await store.mark_ended(subject_id, at)
    await store.stop(subject_id)
    await store.delete_if_erased(subject_id, erasure_id)
