"""Room between the posts of one connection, so that none of them drowns another."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from kit.problems import Conflict

from scheduler.domain.schedule import Schedule
from scheduler.domain.wall_clock import Resolved, resolve

SPREAD_MAX = timedelta(hours=24)
"""One post a day: who wants less often has a rule for a series."""

SEARCH = timedelta(days=31)
"""How far from the time that was asked for another one is looked for. Further away it is not what was meant."""

MINUTE = timedelta(minutes=1)

TOO_CLOSE = "too_close"
"""Why a time of a series was left out."""

_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class TooClose(Conflict):
    code = "too-close"
    title = "Another post goes out through this connection at nearly the same time"


@dataclass(frozen=True)
class Spacing:
    """What a person asks for. `shift`: what is too close to another post takes the next time that is not."""

    spread: timedelta = timedelta()
    shift: bool = False


@dataclass(frozen=True)
class Neighbour:
    """A schedule that stands near a time at one connection."""

    schedule_id: UUID
    connection_id: UUID
    due_at: datetime


@dataclass(frozen=True)
class Crowd:
    """What a schedule must keep away from: other schedules of its connections, closer than `spread` to its time.

    `besides`: the schedule itself, if it is there already.
    """

    workspace_id: UUID
    connection_ids: tuple[UUID, ...]
    besides: UUID | None
    spread: timedelta

    @classmethod
    def around(cls, schedule: Schedule, spread: timedelta) -> Crowd:
        return cls(schedule.workspace_id, schedule.waiting(), schedule.schedule_id, spread)


@dataclass(frozen=True)
class FreeTime:
    """An instant that is free, as the wall clock says it."""

    at: datetime
    resolved: Resolved


def is_close(due_at: datetime, busy: Sequence[datetime], spread: timedelta) -> bool:
    """Whether a time is too close to what is busy (in order)."""
    behind = bisect(busy, due_at)
    return any(abs(due_at - other) < spread for other in busy[max(behind - 1, 0) : behind + 1])


def next_free(busy: Sequence[datetime], spread: timedelta, in_zone: ZoneInfo, *, since: datetime) -> FreeTime:
    """The first time that is far enough from what is busy (in order) and that the wall clock can say: `since` or a full
    minute behind it."""
    wanted = since
    for due_at in (*busy, datetime.max.replace(tzinfo=UTC)):
        if due_at <= wanted - spread:
            continue
        while due_at >= wanted + spread:
            at, resolved = said(wanted, in_zone)
            if resolved.due_at == wanted:
                return FreeTime(at, resolved)
            wanted += MINUTE
        wanted = _full_minute(due_at + spread)
    raise AssertionError("nothing is busy at the end of time")


def last_free(busy: Sequence[datetime], spread: timedelta, in_zone: ZoneInfo, *, until: datetime) -> FreeTime:
    """The last one: `until` or a full minute before it."""
    wanted = until
    for due_at in (*reversed(busy), datetime.min.replace(tzinfo=UTC)):
        if due_at >= wanted + spread:
            continue
        while due_at <= wanted - spread:
            at, resolved = said(wanted, in_zone)
            if resolved.due_at == wanted:
                return FreeTime(at, resolved)
            wanted -= MINUTE
        wanted = _full_minute(due_at - spread - MINUTE + _MICROSECOND)
    raise AssertionError("nothing is busy at the beginning of time")


def _full_minute(instant: datetime) -> datetime:
    """The first one that is not before it."""
    return -(-(instant - _EPOCH) // MINUTE) * MINUTE + _EPOCH


def said(instant: datetime, in_zone: ZoneInfo) -> tuple[datetime, Resolved]:
    """What the wall clock shows at an instant, and what that means: in the second half of an overlap another one."""
    at = instant.astimezone(in_zone).replace(tzinfo=None, fold=0)
    return at, resolve(at, in_zone)
