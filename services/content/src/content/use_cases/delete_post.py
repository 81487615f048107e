"""Delete a post with all its revisions, and let go of the media that nothing else shows."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from contracts.content import PostDeletedV1

from content.domain.problems import PostMissing
from content.ports import Store


async def delete_post(workspace_id: UUID, post_id: UUID, *, at: datetime, store: Store) -> None:
    if await store.locked_post(workspace_id, post_id) is None:
        raise PostMissing()
    media_ids = await store.media_of_post(workspace_id, post_id)
    await store.delete_post(workspace_id, post_id)
    await store.release_media(workspace_id, media_ids, at=at)
    store.emit(PostDeletedV1(workspace_id=workspace_id, post_id=post_id))
