"""A series: an approved revision that goes out again and again, by a rule. Each of its times becomes a schedule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from kit.problems import Conflict, NotFound

from scheduler.domain.rule import Occurrence, Rule

AHEAD = timedelta(days=14)
"""So far ahead a series is written out as schedules: people see, move and cancel single ones of the next two weeks."""

PENDING_MAX = 100
"""Schedules of one series that wait for their time: a rule may have a very busy week."""

LOOK_AGAIN = timedelta(days=366)
"""How far a series looks for its next time, and when it looks again if there was none."""

PAUSE_MIN = timedelta(minutes=1)
"""A series whose schedules all wait is not looked at without end."""

OPEN_MAX = 1_000
"""Series of one workspace that have not ended. Each costs a look every two weeks at least."""


class SeriesState(StrEnum):
    """`finished`: its rule brings no more; what it brought may still wait for its time."""

    ACTIVE = "active"
    PAUSED = "paused"
    FINISHED = "finished"
    CANCELLED = "cancelled"


class SeriesNotFound(NotFound):
    title = "There is no such series in this workspace"


class SeriesOver(Conflict):
    code = "series-over"
    title = "The series has come to its end, or another one follows it"


class TooManySeries(Conflict):
    code = "too-many-series"
    title = "The workspace has as many series as it can have"


@dataclass(frozen=True)
class Series:
    """`starts_at` is naive local time in `time_zone`, from which the rule is followed.

    `last_number` is the last of the rule's times that was dealt with; behind `ends_after` another series goes on.
    `skipped` counts times that passed with their window while nothing could be made of them. `next_at` is when the
    series has to be looked at again; None if never. `despite_blackouts`: it happens in blackouts too.
    `content_hashes`: what each connection gets, as a hash; nothing of a series that is older than these.
    """

    series_id: UUID
    workspace_id: UUID
    post_id: UUID
    revision_id: UUID
    connection_ids: tuple[UUID, ...]
    rule: str
    starts_at: datetime
    time_zone: str
    late: timedelta
    when_missed: str
    created_by: UUID | None
    created_at: datetime
    state: SeriesState = SeriesState.ACTIVE
    reason: str | None = None
    last_number: int = 0
    ends_after: int | None = None
    skipped: int = 0
    next_at: datetime | None = None
    trace: str | None = None
    despite_blackouts: bool = False
    content_hashes: Mapping[UUID, str] = field(default_factory=dict)

    def followed(self) -> Rule:
        return Rule.parse(self.rule, self.starts_at)

    def pause(self, reason: str) -> Series:
        """Raises `SeriesOver`."""
        if self.state is SeriesState.CANCELLED:
            raise SeriesOver()
        if self.state is SeriesState.PAUSED:
            return self
        return replace(self, state=SeriesState.PAUSED, reason=reason, next_at=None)

    def resume(self, now: datetime) -> Series:
        """Raises `SeriesOver`."""
        if self.state is SeriesState.CANCELLED:
            raise SeriesOver()
        if self.state is not SeriesState.PAUSED:
            return self
        return replace(self, state=SeriesState.ACTIVE, reason=None, next_at=now)

    def cancel(self, reason: str) -> Series:
        """Once is as good as twice."""
        if self.state is SeriesState.CANCELLED:
            return self
        return replace(self, state=SeriesState.CANCELLED, reason=reason, next_at=None)

    def without(self, connection_id: UUID, reason: str) -> Series:
        """Narrow it to its other connections; without any it ends."""
        left = tuple(each for each in self.connection_ids if each != connection_id)
        return replace(self, connection_ids=left) if left else self.cancel(reason)

    def refuse_change(self) -> None:
        """Raise `SeriesOver` where no other series can follow: what was changed once has its successor already."""
        if self.state is SeriesState.CANCELLED or self.ends_after is not None:
            raise SeriesOver()

    def cut(self, number: int) -> Series:
        """End it before this one of its times. Raises `SeriesOver`."""
        self.refuse_change()
        return replace(self, ends_after=number - 1)

    def unfold(self, in_zone: ZoneInfo, pending: Sequence[datetime], now: datetime) -> tuple[Series, list[Occurrence]]:
        """What of it is to be written out now, and when it is to be looked at again. `pending`: what waits already."""
        made: list[Occurrence] = []
        number, skipped, rule = self.last_number, self.skipped, self.followed()
        for occurrence in rule.occurrences(in_zone, last=now + LOOK_AGAIN, behind=number):
            if self.ends_after is not None and occurrence.number > self.ends_after:
                return self._unfolded(number, skipped, None), made
            if occurrence.due_at > now + AHEAD:
                return self._unfolded(number, skipped, occurrence.due_at - AHEAD), made
            if occurrence.due_at + self.late < now:
                skipped += 1
            elif len(pending) + len(made) >= PENDING_MAX:
                # When half of what waits has gone out, there is room for as many again.
                waiting = sorted([*pending, *(each.due_at for each in made)])
                return self._unfolded(number, skipped, max(waiting[len(waiting) // 2], now + PAUSE_MIN)), made
            else:
                made.append(occurrence)
            number = occurrence.number
        over = rule.is_over(number, now + LOOK_AGAIN)
        return self._unfolded(number, skipped, None if over else now + LOOK_AGAIN - AHEAD), made

    def _unfolded(self, number: int, skipped: int, next_at: datetime | None) -> Series:
        state = SeriesState.ACTIVE if next_at else SeriesState.FINISHED
        return replace(self, last_number=number, skipped=skipped, next_at=next_at, state=state)
