"""From a wall-clock time and its zone to an instant, on the two days a year when that is not obvious too.

A time that does not exist (a gap) becomes the first instant after it that does; a time that exists twice
(an overlap) is its first occurrence. Which of the two happened is told, so that a person can see it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

_MICROSECOND = timedelta(microseconds=1)


class Adjustment(StrEnum):
    """What the zone's rules did to a wall-clock time."""

    NONE = "none"
    GAP = "gap"
    OVERLAP = "overlap"


@dataclass(frozen=True)
class Resolved:
    """The instant (UTC) of a wall-clock time."""

    due_at: datetime
    adjustment: Adjustment


def resolve(at: datetime, in_zone: ZoneInfo) -> Resolved:
    """The instant that the naive local time `at` means in a zone. Raises `OverflowError` at the ends of time."""
    first, second = at.replace(tzinfo=in_zone, fold=0), at.replace(tzinfo=in_zone, fold=1)
    instant = first.astimezone(UTC)
    if instant.astimezone(in_zone).replace(tzinfo=None) != at:
        return Resolved(_end_of_gap(second.astimezone(UTC), instant, in_zone), Adjustment.GAP)
    overlaps = first.utcoffset() != second.utcoffset()
    return Resolved(instant, Adjustment.OVERLAP if overlaps else Adjustment.NONE)


def _end_of_gap(before: datetime, after: datetime, in_zone: ZoneInfo) -> datetime:
    """The instant between the two at which the offset changes, found by halving to the microsecond."""
    offset = before.astimezone(in_zone).utcoffset()
    while after - before > _MICROSECOND:
        middle = before + (after - before) / 2
        if middle.astimezone(in_zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after
