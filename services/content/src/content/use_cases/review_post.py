"""Submit, approve, send back, take the approval back: every step is locked, kept in the history, and told."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from contracts.content import (
    PostApprovalWithdrawnV1,
    PostApprovedV1,
    PostChangesRequestedV1,
    PostSubmittedV1,
)
from contracts.sealing import Seal, SealedRevision, seal_message
from kit.ids import new_id
from platforms.platform import Platform
from platforms.shape import PlatformName

from content.domain.post import Decision, Post, Step
from content.domain.problems import PlatformRules, PostMissing
from content.ports import Sign, Store
from content.use_cases.find_violations import find_violations

NO_VARIANT = {"pointer": "/variants", "detail": "The post goes to no connection.", "code": "variants_missing"}


@dataclass(frozen=True)
class Review:
    """Who decides on which post, and when."""

    workspace_id: UUID
    post_id: UUID
    account_id: UUID
    at: datetime


async def submit_post(
    review: Review, revision_id: UUID, *, platforms: Mapping[PlatformName, Platform], store: Store
) -> None:
    """Ask for the review of the newest revision; raises `PlatformRules` if a platform would refuse it."""
    post = await _step(review, Step.SUBMITTED, revision_id, store=store)
    revision = await _content(post, store)
    violations = find_violations(revision, platforms) if revision.variants else [NO_VARIANT]
    if violations:
        raise PlatformRules(errors=violations)
    store.emit(PostSubmittedV1(workspace_id=post.workspace_id, post_id=post.post_id, revision_id=revision_id))


async def approve_post(review: Review, revision_id: UUID, *, sign: Sign, store: Store) -> None:
    """Approve the newest revision and seal it: from now on it may be published, exactly as it is."""
    post = await _step(review, Step.APPROVED, revision_id, store=store)
    content_hash = (await _content(post, store)).content_hash()
    message = seal_message(content_hash, (review.account_id,), review.at)
    seal = Seal(
        content_hash=content_hash,
        approved_by=(review.account_id,),
        approved_at=review.at,
        signature=base64.urlsafe_b64encode(sign(message)).decode(),
    )
    await store.add_seal(post.workspace_id, revision_id, seal)
    store.emit(
        PostApprovedV1(
            workspace_id=post.workspace_id,
            post_id=post.post_id,
            revision_id=revision_id,
            content_hash=content_hash,
        )
    )


async def request_changes(review: Review, revision_id: UUID, comment: str, *, store: Store) -> None:
    """Send the newest revision back with a comment."""
    post = await _step(review, Step.CHANGES_REQUESTED, revision_id, comment=comment, store=store)
    store.emit(PostChangesRequestedV1(workspace_id=post.workspace_id, post_id=post.post_id, revision_id=revision_id))


async def withdraw_approval(review: Review, *, store: Store) -> None:
    """Take the approval of the newest revision back; it waits for its review again."""
    post = await _step(review, Step.APPROVAL_WITHDRAWN, None, store=store)
    await store.delete_seal(post.workspace_id, post.revision_id)
    store.emit(
        PostApprovalWithdrawnV1(workspace_id=post.workspace_id, post_id=post.post_id, revision_id=post.revision_id)
    )


async def _step(review: Review, step: Step, revision_id: UUID | None, *, store: Store, comment: str = "") -> Post:
    post = await store.locked_post(review.workspace_id, review.post_id)
    if post is None:
        raise PostMissing()
    after = post.after(step, revision_id=revision_id or post.revision_id, at=review.at)
    await store.change_post(after)
    await store.add_decision(
        Decision(
            decision_id=new_id(),
            workspace_id=post.workspace_id,
            post_id=post.post_id,
            revision_id=post.revision_id,
            step=step,
            decided_by=review.account_id,
            decided_at=review.at,
            comment=comment,
        )
    )
    return after


async def _content(post: Post, store: Store) -> SealedRevision:
    content = await store.revision(post.workspace_id, post.revision_id)
    if content is None:
        raise LookupError(f"post {post.post_id} has lost its newest revision")
    return content
