"""Write a post down: each save is a new revision, and a new revision is never approved yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from contracts.content import PostApprovalWithdrawnV1
from contracts.sealing import SealedRevision
from kit.ids import new_id

from content.domain.draft import Connection, Draft, resolve
from content.domain.post import Decision, Post, PostState, Revision, Step
from content.domain.problems import PostMissing
from content.ports import Store


@dataclass(frozen=True)
class Author:
    """Who writes, where and when."""

    workspace_id: UUID
    account_id: UUID
    at: datetime


async def create_post(
    draft: Draft, *, author: Author, connections: Mapping[UUID, Connection], store: Store
) -> tuple[Post, Revision]:
    """Start a post with its first revision; raises `Invalid` where the draft names what is not there."""
    post = Post(
        workspace_id=author.workspace_id,
        post_id=new_id(),
        title=draft.title,
        state=PostState.DRAFT,
        revision_id=new_id(),
        number=1,
        created_by=author.account_id,
        created_at=author.at,
        changed_at=author.at,
    )
    revision = await _revision_of(post, draft, author=author, connections=connections, store=store)
    await store.add_post(post)
    await store.add_revision(revision)
    return post, revision


async def edit_post(
    draft: Draft, *, post_id: UUID, author: Author, connections: Mapping[UUID, Connection], store: Store
) -> tuple[Post, Revision]:
    """Add a revision. An approval of the one before ends with it."""
    before = await store.locked_post(author.workspace_id, post_id)
    if before is None:
        raise PostMissing()
    post = before.edited(title=draft.title, revision_id=new_id(), at=author.at)
    revision = await _revision_of(post, draft, author=author, connections=connections, store=store)
    if before.state is PostState.APPROVED:
        await _withdraw(before, author=author, store=store)
    await store.change_post(post)
    await store.add_revision(revision)
    return post, revision


async def _revision_of(
    post: Post, draft: Draft, *, author: Author, connections: Mapping[UUID, Connection], store: Store
) -> Revision:
    media = await store.hold_media(post.workspace_id, draft.media_ids())
    content = SealedRevision(
        workspace_id=post.workspace_id,
        post_id=post.post_id,
        revision_id=post.revision_id,
        variants=resolve(draft, connections=connections, media=media),
    )
    return Revision(
        number=post.number,
        content_hash=content.content_hash(),
        created_by=author.account_id,
        created_at=author.at,
        content=content,
    )


async def _withdraw(post: Post, *, author: Author, store: Store) -> None:
    await store.delete_seal(post.workspace_id, post.revision_id)
    await store.add_decision(
        Decision(
            decision_id=new_id(),
            workspace_id=post.workspace_id,
            post_id=post.post_id,
            revision_id=post.revision_id,
            step=Step.APPROVAL_WITHDRAWN,
            decided_by=author.account_id,
            decided_at=author.at,
        )
    )
    store.emit(
        PostApprovalWithdrawnV1(workspace_id=post.workspace_id, post_id=post.post_id, revision_id=post.revision_id)
    )
