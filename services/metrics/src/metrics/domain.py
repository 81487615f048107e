"""What is measured, how often, and what an answer of a platform changes. No I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from contracts.topology import STREAM_MAX_AGE
from kit.problems import NotFound
from platforms.shape import Counts

LOOKS: Sequence[tuple[timedelta, timedelta]] = (
    (timedelta(minutes=15), timedelta(minutes=1)),
    (timedelta(days=1), timedelta(minutes=15)),
    (timedelta(days=7), timedelta(hours=1)),
    (timedelta(days=90), timedelta(days=1)),
)
"""Up to which age of a post it is looked at how often. Numbers move most at first; after the last line no more."""

ABSENCES_MAX = 3
"""A post that the platform did not tell of this many times in a row is gone; once can be its own slip."""

CLAIM = timedelta(minutes=2)
"""How long a claimed look may take before another process repeats it; a platform call ends far earlier."""

CONNECTIONS_AT_ONCE = 10
"""Connections asked in one round: bounds the leases held and the calls under way."""

BACKOFF_FIRST = timedelta(seconds=30)
BACKOFF_LONGEST = timedelta(hours=1)

ENDED_KEPT = STREAM_MAX_AGE + timedelta(days=1)
"""Until then an event from before the end may still arrive; a day more for clocks that differ."""

PUBLICATIONS_MAX = 500
"""Publications in one list, newest first. Older ones are read one by one."""


class PublicationUnknown(NotFound):
    code = "publication-unknown"
    title = "There is no such publication here"


class TrackingState(StrEnum):
    """Whether a publication is looked at, and if not, why."""

    WAITING = "waiting"
    TRACKING = "tracking"
    STOPPED = "stopped"
    GONE = "gone"
    FINISHED = "finished"


class Withheld(StrEnum):
    """Why a platform tells no numbers of a publication, in a word for clients. `WITHHELD` has it in sentences."""

    STATISTICS_DENIED = "statistics-denied"
    INSIGHTS_REFUSED = "insights-refused"


@dataclass(frozen=True)
class Reason:
    """What it means, and what a person can do about it."""

    detail: str
    advice: str


WITHHELD: Mapping[Withheld, Reason] = MappingProxyType(
    {
        Withheld.STATISTICS_DENIED: Reason(
            "The platform shows statistics to the page's administrators only, and somebody else connected it.",
            "Have an administrator of the page connect it.",
        ),
        Withheld.INSIGHTS_REFUSED: Reason(
            "The platform refuses to tell the numbers of this post.",
            "Look on the platform whether the post and its statistics can be seen there.",
        ),
    }
)


@dataclass(frozen=True)
class Tracked:
    """One publication whose numbers are due."""

    publication_id: UUID
    workspace_id: UUID
    connection_id: UUID
    platform: str
    platform_post_id: str
    published_at: datetime
    absences: int
    failures: int
    withheld: Withheld | None


@dataclass(frozen=True)
class Batch:
    """Publications of one connection that are asked for in one call."""

    workspace_id: UUID
    connection_id: UUID
    platform: str
    publications: tuple[Tracked, ...]


@dataclass(frozen=True)
class Counted:
    """The platform answered: counts by its own post id; a post that is gone is missing.

    `withheld`: the posts of which it told none, because it refused each by itself.
    """

    counts: Mapping[str, Counts]
    withheld: Mapping[str, Withheld] = field(default_factory=dict)


@dataclass(frozen=True)
class Postponed:
    """Nothing of this connection can be asked before `until`."""

    until: datetime
    code: str


@dataclass(frozen=True)
class Failed:
    """No numbers this time; the same publications are asked for again, more and more rarely.

    `withheld`: the platform did answer, and told none.
    """

    code: str
    withheld: Withheld | None = None


Answer = Counted | Postponed | Failed


@dataclass(frozen=True)
class Look:
    """What one look changes about a tracked publication."""

    state: TrackingState
    next_at: datetime | None
    absences: int
    failures: int
    withheld: Withheld | None = None


@dataclass(frozen=True)
class Snapshot:
    """The numbers of one publication at one time; `None`: the platform does not tell this one."""

    taken_at: datetime
    views: int | None
    likes: int | None
    comments: int | None
    shares: int | None
    impressions: int | None


@dataclass(frozen=True)
class Standing:
    """What is known of one publication beside its numbers."""

    withheld: Withheld | None


@dataclass(frozen=True)
class Performance:
    """A publication with its newest numbers; all of them `None` before the first look."""

    publication_id: UUID
    connection_id: UUID
    post_id: UUID
    platform: str
    published_at: datetime
    state: TrackingState
    withheld: Withheld | None
    taken_at: datetime | None
    views: int | None
    likes: int | None
    comments: int | None
    shares: int | None
    impressions: int | None


def next_look_at(published_at: datetime, now: datetime) -> datetime | None:
    """When a post of this age is looked at again; None: no more."""
    age = now - published_at
    for up_to, pause in LOOKS:
        if age < up_to:
            return now + pause
    return None


def after_answer(tracked: Tracked, counts: Counts | None, now: datetime) -> Look:
    """The platform answered, with or without this publication."""
    absences = 0 if counts is not None else tracked.absences + 1
    next_at = next_look_at(tracked.published_at, now)
    if absences >= ABSENCES_MAX:
        return Look(TrackingState.GONE, None, absences, 0)
    if next_at is None:
        return Look(TrackingState.FINISHED, None, absences, 0)
    return Look(TrackingState.TRACKING, next_at, absences, 0)


def after_failure(tracked: Tracked, withheld: Withheld | None, now: datetime) -> Look:
    """The platform told nothing: twice as long a pause each time, up to the longest. Silence is no other reason."""
    if withheld is not None and next_look_at(tracked.published_at, now) is None:
        return Look(TrackingState.FINISHED, None, tracked.absences, tracked.failures + 1, withheld)
    pause = min(BACKOFF_FIRST * 2 ** min(tracked.failures, 10), BACKOFF_LONGEST)
    reason = withheld or tracked.withheld
    return Look(TrackingState.TRACKING, now + pause, tracked.absences, tracked.failures + 1, reason)
