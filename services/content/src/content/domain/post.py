"""A post, its review, and what became of it.

A review decides on the newest revision only, so that an approval never covers a text that nobody has seen.
Whoever may approve may approve their own work too: a team of one must be able to publish.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from contracts.sealing import SealedRevision

from content.domain.problems import RevisionOutdated, TooManyRevisions, WrongState

REVISIONS_MAX = 1_000


class PostState(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    CHANGES_REQUESTED = "changes_requested"


class Step(StrEnum):
    """One step of a review, as its history keeps it."""

    SUBMITTED = "submitted"
    APPROVED = "approved"
    CHANGES_REQUESTED = "changes_requested"
    APPROVAL_WITHDRAWN = "approval_withdrawn"


_STEPS: Mapping[Step, tuple[frozenset[PostState], PostState]] = MappingProxyType(
    {
        Step.SUBMITTED: (frozenset({PostState.DRAFT, PostState.CHANGES_REQUESTED}), PostState.SUBMITTED),
        Step.APPROVED: (frozenset({PostState.SUBMITTED}), PostState.APPROVED),
        Step.CHANGES_REQUESTED: (frozenset({PostState.SUBMITTED}), PostState.CHANGES_REQUESTED),
        # Taken back by an approver, the decision is open again.
        Step.APPROVAL_WITHDRAWN: (frozenset({PostState.APPROVED}), PostState.SUBMITTED),
    }
)


@dataclass(frozen=True)
class Post:
    """A post as of its newest revision. `created_by` is None once that person was forgotten."""

    workspace_id: UUID
    post_id: UUID
    title: str
    state: PostState
    revision_id: UUID
    number: int
    created_by: UUID | None
    created_at: datetime
    changed_at: datetime

    def after(self, step: Step, *, revision_id: UUID, at: datetime) -> Post:
        """The post once a step was taken; raises `RevisionOutdated` or `WrongState`."""
        if revision_id != self.revision_id:
            raise RevisionOutdated(revision_id=str(self.revision_id))
        allowed, state = _STEPS[step]
        if self.state not in allowed:
            raise WrongState(state=self.state.value)
        return replace(self, state=state, changed_at=at)

    def edited(self, *, title: str, revision_id: UUID, at: datetime) -> Post:
        """The post with a new revision: a draft again, whatever was decided on the one before."""
        if self.number >= REVISIONS_MAX:
            raise TooManyRevisions(f"The limit is {REVISIONS_MAX}.")
        return replace(
            self,
            title=title,
            state=PostState.DRAFT,
            revision_id=revision_id,
            number=self.number + 1,
            changed_at=at,
        )


@dataclass(frozen=True)
class Revision:
    """An immutable version of a post."""

    number: int
    content_hash: str
    created_by: UUID | None
    created_at: datetime
    content: SealedRevision


@dataclass(frozen=True)
class Decision:
    """One line of a post's review history. `decided_by` is None once that person was forgotten."""

    decision_id: UUID
    workspace_id: UUID
    post_id: UUID
    revision_id: UUID
    step: Step
    decided_by: UUID | None
    decided_at: datetime
    comment: str = ""


class PublicationState(StrEnum):
    """What publisher told last."""

    NEEDS_ATTENTION = "needs_attention"
    MISSED = "missed"
    CANCELLED = "cancelled"
    FAILED = "failed"
    PUBLISHED = "published"

    @property
    def finality(self) -> int:
        """Events can overtake each other: a state gives way only to one at least as final."""
        return {"needs_attention": 0, "missed": 0, "cancelled": 1, "failed": 1, "published": 2}[self.value]


@dataclass(frozen=True)
class Publication:
    """What became of one revision at one connection. What was taken off the platform again stays `published`."""

    workspace_id: UUID
    post_id: UUID
    publication_id: UUID
    revision_id: UUID
    connection_id: UUID
    platform: str
    state: PublicationState
    code: str | None
    published_at: datetime | None
    told_at: datetime
    removed_at: datetime | None = None

    def after(self, known: Publication) -> Publication:
        """This news about what is known already: a time that was told stays told."""
        return replace(
            self,
            published_at=self.published_at or known.published_at,
            removed_at=self.removed_at or known.removed_at,
        )


@dataclass(frozen=True)
class PostDetails:
    """All there is to see of one post. `violations` are those of its newest revision."""

    post: Post
    revisions: list[Revision]
    decisions: list[Decision]
    publications: list[Publication]
    violations: list[dict[str, str]]
