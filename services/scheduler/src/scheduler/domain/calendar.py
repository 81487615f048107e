"""A calendar is read a page at a time, from a place in the order of times onwards or backwards."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from kit.passport import Reach

from scheduler.domain.schedule import Schedule, ScheduleState

PAGE_MAX = 500
"""Schedules in one answer: the calendar of a busy month."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class NoPlace(Exception):
    """The text names no place."""


@dataclass(frozen=True, order=True)
class Place:
    """Where a schedule stood when it was told. It stays where it is when the schedule is moved or gone."""

    due_at: datetime
    schedule_id: UUID

    @classmethod
    def of(cls, schedule: Schedule) -> Place:
        return cls(schedule.due_at, schedule.schedule_id)

    @classmethod
    def parse(cls, text: str) -> Place:
        """Raises `NoPlace`."""
        # Seventeen digits of microseconds end in the year 5138.
        found = re.fullmatch(r"([0-9]{1,17})-([0-9a-f]{32})", text)
        if found is None:
            raise NoPlace()
        return cls(_EPOCH + int(found[1]) * _MICROSECOND, UUID(found[2]))

    def __str__(self) -> str:
        return f"{(self.due_at - _EPOCH) // _MICROSECOND}-{self.schedule_id.hex}"


@dataclass(frozen=True)
class Wanted:
    """Which schedules: due from `since` until before `until`, at a connection, in a state, beside a place."""

    reach: Reach
    since: datetime | None = None
    until: datetime | None = None
    connection_id: UUID | None = None
    state: ScheduleState | None = None
    before: Place | None = None
    after: Place | None = None

    @property
    def onwards(self) -> bool:
        """Whether the earliest comes first: who says where to begin reads on from there, else the latest does."""
        return self.before is None and (self.after is not None or self.since is not None)


@dataclass(frozen=True)
class Page:
    """`next`: where the following page goes on, in the same direction; None at the end."""

    schedules: list[Schedule]
    next: Place | None
