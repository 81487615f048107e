"""Show posts to people, and one revision to the service that publishes it."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from contracts.sealing import SealedRevision
from kit.passport import Reach
from platforms.platform import Platform
from platforms.shape import PlatformName

from content.domain.post import Post, PostDetails
from content.domain.problems import PostMissing, RevisionMissing
from content.ports import Store
from content.use_cases.find_violations import find_violations

POSTS_MAX = 100
"""In one answer; older ones are asked for with `before`."""

REVISIONS_SHOWN_MAX = 50


async def list_posts(workspace_id: UUID, *, before: UUID | None, reach: Reach, store: Store) -> list[Post]:
    return await store.posts(workspace_id, before=before, reach=reach, limit=POSTS_MAX)


async def show_post(
    workspace_id: UUID, post_id: UUID, *, platforms: Mapping[PlatformName, Platform], store: Store
) -> PostDetails:
    """The post with its newest revisions, its review history, and what became of it."""
    post = await store.post(workspace_id, post_id)
    if post is None:
        raise PostMissing()
    revisions = await store.revisions(workspace_id, post_id, limit=REVISIONS_SHOWN_MAX)
    return PostDetails(
        post=post,
        revisions=revisions,
        decisions=await store.decisions(workspace_id, post_id),
        publications=await store.publications(workspace_id, post_id),
        violations=find_violations(revisions[0].content, platforms),
    )


async def give_revision(workspace_id: UUID, revision_id: UUID, *, store: Store) -> SealedRevision:
    """The revision with its seal, if it is approved now."""
    revision = await store.revision(workspace_id, revision_id)
    if revision is None:
        raise RevisionMissing()
    return revision
