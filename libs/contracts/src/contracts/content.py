"""Events of content: posts and their review, media."""

from __future__ import annotations

from uuid import UUID

from pydantic import Field

from contracts.event import Event, Word
from contracts.registry import event


@event("post.submitted", 1, owner="content", aggregate="post_id")
class PostSubmittedV1(Event):
    """A revision waits for its review."""

    workspace_id: UUID
    post_id: UUID
    revision_id: UUID


@event("post.approved", 1, owner="content", aggregate="post_id")
class PostApprovedV1(Event):
    """A revision was approved and sealed. `content_hash` is the lower-case hex SHA-256 that the seal covers."""

    workspace_id: UUID
    post_id: UUID
    revision_id: UUID
    content_hash: str = Field(pattern=r"^[0-9a-f]{64}$")


@event("post.changes_requested", 1, owner="content", aggregate="post_id")
class PostChangesRequestedV1(Event):
    """A reviewer wants the revision changed; it is not approved."""

    workspace_id: UUID
    post_id: UUID
    revision_id: UUID


@event("post.approval_withdrawn", 1, owner="content", aggregate="post_id")
class PostApprovalWithdrawnV1(Event):
    """The revision may no longer be published: its post was edited, or the approval was taken back."""

    workspace_id: UUID
    post_id: UUID
    revision_id: UUID


@event("post.deleted", 1, owner="content", aggregate="post_id")
class PostDeletedV1(Event):
    """The post is gone with all its revisions; none of them may be published."""

    workspace_id: UUID
    post_id: UUID


@event("media.uploaded", 1, owner="content", aggregate="media_id")
class MediaUploadedV1(Event):
    """An image or video was stored and understood."""

    workspace_id: UUID
    media_id: UUID
    kind: Word
    size_bytes: int = Field(ge=1)
