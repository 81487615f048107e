"""Blackouts: named windows in which nothing is to go out, such as holidays, and when exactly each of them is.

A window is said on the wall clock of a zone. It lasts from the first instant at which the clock shows its beginning, or
more, until the last at which it still shows less than its end: an hour that the clocks repeat is inside as a whole.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from kit.problems import Conflict, NotFound

from scheduler.domain.wall_clock import Adjustment, resolve
from scheduler.domain.zones import zone

BLACKOUTS_MAX = 500
"""A workspace, of those that are not over: the holidays of some countries for several years. All can be read for every
decision."""

OVER_MAX = BLACKOUTS_MAX
"""A workspace, of those that are over: people look back at them. The earliest make room when others are made."""

LENGTH_MAX = timedelta(days=366)
"""No schedule is further ahead than that. Whoever wants nothing to go out for longer pauses the workspace."""

AHEAD_MAX = timedelta(days=3_660)
"""Ten years: calendars of holidays are not made further ahead."""

LOOKED_AT = 500
"""Schedules that one page of conflicts is found among."""

IN_BLACKOUT = "blackout"
"""Why a time of a series was left out."""

NEAR = timedelta(days=2)
"""No wall clock is a day from UTC, and none leaps further than a day."""

_MINUTE = timedelta(minutes=1)


class InBlackout(Conflict):
    code = "blackout"
    title = "Nothing is to go out at this time"


class TooManyBlackouts(Conflict):
    code = "too-many-blackouts"
    title = f"The workspace would have more than {BLACKOUTS_MAX} blackouts that are not over"


class BlackoutNotFound(NotFound):
    title = "There is no such blackout in this workspace"


@dataclass(frozen=True)
class Window:
    """`starts_at` and `ends_at` are naive local times in `time_zone`; it ends before `ends_at`.

    `yearly`: it returns on the same days of every later year; what it has of 29 February is left out of other years.
    `connection_ids`: the only ones it is for; None if it is for all, also for those still to come.
    """

    name: str
    starts_at: datetime
    ends_at: datetime
    time_zone: str
    yearly: bool = False
    connection_ids: tuple[UUID, ...] | None = None

    @property
    def whole_days(self) -> bool:
        return self.starts_at.time() == self.ends_at.time() == time()

    def concerns(self, connection_ids: Collection[UUID]) -> bool:
        return self.connection_ids is None or not set(self.connection_ids).isdisjoint(connection_ids)

    def overlaps_itself(self) -> bool:
        """Whether it would begin again before it has ended."""
        return self.yearly and self.ends_at > _first_in(self.starts_at.year + 1, self.starts_at)

    def is_over(self, now: datetime) -> bool:
        return not self.yearly and _behind(self.ends_at - _MINUTE, zone(self.time_zone)) <= now

    def times(self, since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
        """From when until before when it lasts, each time that it touches the period between two instants."""
        in_zone = zone(self.time_zone)
        earliest, latest = _utc(since) - NEAR, _utc(until) + NEAR
        last_minute = self.ends_at - _MINUTE
        for year in self._years(earliest.year, latest.year):
            first = _first_in(year, self.starts_at)
            last = _last_in(year + last_minute.year - self.starts_at.year, last_minute)
            if first > latest or last < earliest:
                continue  # what is far away needs no zone's rules
            begins, ends = resolve(first, in_zone).due_at, _behind(last, in_zone)
            if begins < ends and begins <= until and ends > since:
                yield begins, ends

    def _years(self, first: int, last: int) -> Iterable[int]:
        if not self.yearly:
            return (self.starts_at.year,)
        # One that began in the year before may last until into this one.
        return range(max(first - 1, self.starts_at.year), last + 1)


@dataclass(frozen=True)
class Blackout:
    """A window of a workspace."""

    blackout_id: UUID
    workspace_id: UUID
    window: Window


@dataclass(frozen=True)
class Closure:
    """One time of a blackout: from `since` on, until before `until`."""

    since: datetime
    until: datetime
    blackout: Blackout


@dataclass(frozen=True)
class Closures:
    """When some blackouts are, as far as they touch a period. Nothing is known of other times."""

    closures: Sequence[Closure] = ()
    ranges: Sequence[tuple[datetime, datetime]] = ()
    """The same, in order and joined, so that between any two of them there is time for a post."""

    @classmethod
    def between(cls, blackouts: Iterable[Blackout], since: datetime, until: datetime) -> Closures:
        """Those that touch the period, both of its ends included."""
        found = [Closure(*times, each) for each in blackouts for times in each.window.times(since, until)]
        found.sort(key=lambda closure: closure.since)
        ranges: list[tuple[datetime, datetime]] = []
        for closure in found:
            if ranges and closure.since <= ranges[-1][1]:
                ranges[-1] = ranges[-1][0], max(ranges[-1][1], closure.until)
            else:
                ranges.append((closure.since, closure.until))
        return cls(found, ranges)

    def around(self, instant: datetime) -> tuple[datetime, datetime] | None:
        """From when until before when nothing is to go out, if that is so at this instant."""
        before = bisect(self.ranges, instant, key=lambda each: each[0])
        return self.ranges[before - 1] if before and instant < self.ranges[before - 1][1] else None

    def at(self, instant: datetime, connection_ids: Collection[UUID]) -> list[Closure]:
        """Those that an instant is in and that are for one of these connections."""
        if not self.around(instant):
            return []
        return [
            each
            for each in self.closures
            if each.since <= instant < each.until and each.blackout.window.concerns(connection_ids)
        ]


def _utc(instant: datetime) -> datetime:
    """What a clock of UTC shows."""
    return instant.astimezone(UTC).replace(tzinfo=None)


def _first_in(year: int, at: datetime) -> datetime:
    """The same time of another year; instead of 29 February the first behind it."""
    try:
        return at.replace(year=year)
    except ValueError:
        return at.replace(year=year, month=3, day=1, hour=0, minute=0)


def _last_in(year: int, at: datetime) -> datetime:
    """The same minute of another year; instead of 29 February the last before it."""
    try:
        return at.replace(year=year)
    except ValueError:
        return at.replace(year=year, month=2, day=28, hour=23, minute=59)


def _behind(minute: datetime, in_zone: ZoneInfo) -> datetime:
    """The instant behind the last at which the clock shows this minute or less."""
    resolved = resolve(minute, in_zone)
    if resolved.adjustment is Adjustment.GAP:
        return resolved.due_at
    return minute.replace(tzinfo=in_zone, fold=1).astimezone(UTC) + _MINUTE
