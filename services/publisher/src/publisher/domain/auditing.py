"""What an audit compares, and what it calls a difference.

The auditor knows three accounts of the same posts: scheduler's of what was to go out, ours of what went out, and the
platform's of what is there. It spells states, windows and texts by itself, because whoever shares the words of
what is examined shares its mistakes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from platforms.shape import Shown

SETTLED = timedelta(minutes=15)
"""What happened this lately may still be on its way from one account to another: it is left to the next audit."""

WINDOW = timedelta(hours=72)
"""How late a post may go out where its schedule does not say."""

ASKED = timedelta(hours=24)
"""How long a platform may be asked what became of a post."""

OVERDUE = timedelta(hours=1)
"""So long after its last moment a publication that has not ended is stuck."""

AROUND = timedelta(minutes=10), timedelta(hours=1)
"""Before a publication's time, and after its end: what was posted then may be ours. Nothing else is looked at."""

ENDS = frozenset({"published", "failed", "needs_attention", "missed", "cancelled"})
NOT_OUT = ENDS - {"published"}


class Kind(StrEnum):
    """Each way in which two accounts can differ."""

    NOT_ANNOUNCED = "schedule_not_announced"
    NO_PUBLICATION = "publication_missing"
    NO_SCHEDULE = "schedule_missing"
    TOLD_OTHERWISE = "outcome_differs"
    STUCK = "publication_stuck"
    NO_RECEIPT = "receipt_missing"
    SHARED = "receipt_shared"
    POST_MISSING = "post_missing"
    NOT_REMOVED = "post_not_removed"
    DOUBLE = "post_double"
    UNCLAIMED = "post_unclaimed"
    NOT_LOOKED = "not_looked_at"
    """No difference: the platform could not be asked."""


@dataclass(frozen=True)
class Due:
    """scheduler's account: one connection of one schedule."""

    workspace_id: UUID
    schedule_id: UUID
    connection_id: UUID
    due_at: datetime
    schedule_state: str
    state: str


@dataclass(frozen=True)
class Booked:
    """Our account: one publication as it is stored. `changed_at` is its last line of history, its removal left out."""

    publication_id: UUID
    workspace_id: UUID
    schedule_id: UUID
    connection_id: UUID
    revision_id: UUID
    platform: str | None
    state: str
    code: str | None
    due_at: datetime
    publish_until: datetime | None
    attempted_at: datetime | None
    platform_post_id: str | None
    evidence: Mapping[str, Any] | None
    changed_at: datetime
    connected: bool
    removal: str | None
    removal_ended_at: datetime | None

    @property
    def last_moment(self) -> datetime:
        """After this it has ended, or something is wrong."""
        window = self.publish_until or self.due_at + WINDOW
        return max(window, self.attempted_at + ASKED) if self.attempted_at else window

    def around(self, moment: datetime) -> bool:
        """Whether a post of that moment can be this one."""
        before, after = AROUND
        begin = min(self.due_at, self.attempted_at or self.due_at)
        return begin - before <= moment <= max(self.changed_at, self.due_at) + after

    @property
    def unnamed(self) -> int:
        """Its posts that the platform shows and whose names it never told: such a one is no double."""
        posts = (self.evidence or {}).get("posts")
        parts = list(posts.values()).count(None) if isinstance(posts, dict) else 0
        return parts or int(self.platform_post_id is None)

    def settled(self, now: datetime) -> bool:
        """Nothing about its post has changed lately, nor is about to."""
        if self.removal in ("asked", "removing"):
            return False
        return max(self.changed_at, self.removal_ended_at or self.changed_at) <= now - SETTLED


@dataclass(frozen=True)
class Told:
    """What a publication said, as content has it. `passing`: the platform takes it away by itself after a day."""

    texts: tuple[str, ...]
    passing: bool = False


@dataclass(frozen=True)
class Difference:
    """One finding. `post_ids` are the platform's names for our own posts; `detail` holds nothing of the content."""

    kind: Kind
    workspace_id: UUID
    detail: str
    schedule_id: UUID | None = None
    publication_id: UUID | None = None
    connection_id: UUID | None = None
    platform: str | None = None
    post_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Seen:
    """The platform's account of one connection: posts since a time, and those that it does not list but counts.

    `in_part`: it does not list everything, so that a double may not be seen.
    """

    posts: tuple[Shown, ...]
    counted: frozenset[str]
    in_part: bool = False


def difference(kind: Kind, row: Booked, detail: str, *post_ids: str) -> Difference:
    return Difference(
        kind=kind,
        workspace_id=row.workspace_id,
        detail=detail,
        schedule_id=row.schedule_id,
        publication_id=row.publication_id,
        connection_id=row.connection_id,
        platform=row.platform,
        post_ids=tuple(filter(None, post_ids)),
    )


def told_by(settings: Mapping[str, Any], text: str) -> Told:
    """What a post says: its own text, those of its thread, its first comment."""
    thread = [str(part.get("text", "")) for part in settings.get("thread") or [] if isinstance(part, Mapping)]
    texts = (text, *thread, str(settings.get("first_comment") or ""))
    return Told(texts, passing=settings.get("kind") == "story")


def names_in(value: Any) -> Iterator[str]:
    """Every text in a receipt, however deep: any of them may be a post's name."""
    match value:
        case str():
            yield value
        case dict():
            for each in value.values():
                yield from names_in(each)
        case list():
            for each in value:
                yield from names_in(each)
