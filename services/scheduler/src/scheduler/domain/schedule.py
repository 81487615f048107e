"""A schedule: one approved revision, one time, and what becomes of it at each of its connections."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from contracts.scheduler import WHEN_MISSED_HOLD
from kit.problems import Conflict, Invalid, NotFound

from scheduler.domain.wall_clock import Adjustment, Resolved

PAST_TOLERANCE = timedelta(minutes=1)
"""A time that passed while a person filled in the form still means now."""

HORIZON = timedelta(days=366)
"""Zones change their rules; an instant further ahead than a year is not worth promising."""

LATE_DEFAULT = timedelta(hours=1)
"""How late a post may still go out unless its author says otherwise. Later it reads as a mistake."""

LATE_MAX = timedelta(hours=72)
"""A weekend: nobody expects last week's post to appear."""

CONNECTIONS_MAX = 50
"""Connections of one schedule: more than any workspace has, few enough for one event."""


class ScheduleState(StrEnum):
    """`scheduled` waits for its time, `paused` for a person, `due` is with the publisher, the others are ends."""

    SCHEDULED = "scheduled"
    PAUSED = "paused"
    DUE = "due"
    DONE = "done"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"


BEFORE_DUE = frozenset({ScheduleState.SCHEDULED, ScheduleState.PAUSED})
"""The publisher shows nothing of it: it can be moved, and taken back at once."""

OPEN = BEFORE_DUE | {ScheduleState.DUE}


class TargetState(StrEnum):
    """What became of the schedule at one connection."""

    WAITING = "waiting"
    PUBLISHED = "published"
    FAILED = "failed"
    NEEDS_ATTENTION = "needs_attention"
    MISSED = "missed"
    CANCELLED = "cancelled"


class ScheduleNotFound(NotFound):
    title = "There is no such schedule in this workspace"


class RevisionNotApproved(Conflict):
    code = "revision-not-approved"
    title = "Only an approved revision can be scheduled"


class InThePast(Invalid):
    code = "in-the-past"
    title = "This time has passed"


class AlreadyOut(Conflict):
    code = "already-out"
    title = "The schedule has run; there is nothing left to stop"


class TimeHasCome(Conflict):
    code = "time-has-come"
    title = "The schedule's time has come; it cannot be moved any more"


@dataclass(frozen=True)
class Target:
    """One connection of a schedule and its outcome. `code` says why it is not published.

    What was taken off the platform again stays `published`: `removed_at` says since when it is gone.
    """

    connection_id: UUID
    state: TargetState = TargetState.WAITING
    code: str | None = None
    publication_id: UUID | None = None
    removed_at: datetime | None = None

    def told(self, outcome: Target) -> Target:
        """Itself after this outcome. A published post stays published, whatever is told later."""
        if self.state is not TargetState.PUBLISHED:
            return outcome
        return replace(self, removed_at=outcome.removed_at or self.removed_at)


class Announced(NamedTuple):
    """What is told of a schedule whose time has come. `connection_ids`: those whose outcome is open."""

    schedule_id: UUID
    workspace_id: UUID
    occurrence: int
    post_id: UUID
    revision_id: UUID
    connection_ids: Sequence[UUID]
    due_at: datetime
    publish_until: datetime | None
    when_missed: str
    trace: str | None


@dataclass(frozen=True)
class Schedule:
    """`at` is what the person asked for, on the wall clock of `time_zone`; `due_at` the instant it means.

    What is still not out at `publish_until` is held for a person's word, or dropped: `when_missed`.
    `trace` is the trace of the request that made it (a W3C `traceparent`), which its announcement continues.
    `zone_version` is the release of the time zone database by which `due_at` was worked out.
    `despite` are the blackouts in which it is to go out all the same, as a person has said.
    `occurrence` says which one of its series it is; a schedule that belongs to none happens once.
    """

    schedule_id: UUID
    workspace_id: UUID
    post_id: UUID
    revision_id: UUID
    at: datetime
    time_zone: str
    adjustment: Adjustment
    due_at: datetime
    state: ScheduleState
    reason: str | None
    created_by: UUID | None
    created_at: datetime
    targets: tuple[Target, ...]
    trace: str | None = None
    publish_until: datetime | None = None
    when_missed: str = WHEN_MISSED_HOLD
    series_id: UUID | None = None
    occurrence: int = 1
    zone_version: str = ""
    despite: tuple[UUID, ...] = ()

    def waiting(self) -> tuple[UUID, ...]:
        """The connections whose outcome is open."""
        return tuple(target.connection_id for target in self.targets if target.state is TargetState.WAITING)

    def move(
        self,
        at: datetime,
        time_zone: str,
        resolved: Resolved,
        *,
        zone_version: str,
        late: timedelta | None,
        when_missed: str | None,
    ) -> Schedule:
        """Give it another time or another window, which moves with the time. Raises `TimeHasCome`."""
        if self.state not in BEFORE_DUE:
            raise TimeHasCome()
        if late is None and self.publish_until is not None:
            late = self.publish_until - self.due_at
        return replace(
            self,
            at=at,
            time_zone=time_zone,
            adjustment=resolved.adjustment,
            due_at=resolved.due_at,
            publish_until=None if late is None else resolved.due_at + late,
            when_missed=when_missed or self.when_missed,
            zone_version=zone_version,
        )

    def pause(self, reason: str) -> Schedule:
        """Nothing of it begins to go out until it is resumed. Raises `AlreadyOut`."""
        if self.state not in OPEN:
            raise AlreadyOut()
        return self if self.state is ScheduleState.PAUSED else replace(self, state=ScheduleState.PAUSED, reason=reason)

    def resume(self) -> Schedule:
        """Let it go on; if its time has passed meanwhile, it is due at once. Raises `AlreadyOut`."""
        if self.state not in OPEN:
            raise AlreadyOut()
        return replace(self, state=ScheduleState.SCHEDULED, reason=None) if self.state is ScheduleState.PAUSED else self

    def cancel(self, reason: str, connection_id: UUID | None = None) -> Schedule:
        """Take back one connection, or all.

        Before its time that settles the outcome. Afterwards the publisher decides what could still be
        stopped, and its answers settle it; only the reason is noted here.
        """
        if self.state not in BEFORE_DUE:
            return replace(self, reason=reason) if connection_id is None else self
        cancelled = [
            replace(target, state=TargetState.CANCELLED, code=reason)
            if target.state is TargetState.WAITING and connection_id in (None, target.connection_id)
            else target
            for target in self.targets
        ]
        return replace(self, targets=tuple(cancelled), reason=reason)._settled()

    def record(self, outcome: Target) -> Schedule:
        """Note what became of one connection."""
        targets = tuple(
            target.told(outcome) if target.connection_id == outcome.connection_id else target for target in self.targets
        )
        return replace(self, targets=targets)._settled()

    def _settled(self) -> Schedule:
        return self if self.waiting() else replace(self, state=overall(target.state for target in self.targets))


def overall(states: Iterable[TargetState]) -> ScheduleState:
    """The end of a schedule whose outcomes are all known."""
    found = set(states)
    if found == {TargetState.PUBLISHED}:
        return ScheduleState.DONE
    if found == {TargetState.CANCELLED}:
        return ScheduleState.CANCELLED
    return ScheduleState.PARTIAL if TargetState.PUBLISHED in found else ScheduleState.FAILED
