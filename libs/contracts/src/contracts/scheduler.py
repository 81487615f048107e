"""Events of scheduler: when an approved revision goes to which connections."""

from __future__ import annotations

from uuid import UUID

from contracts.event import Event, Instant, Word
from contracts.registry import event

WHEN_MISSED_HOLD = "hold"
"""What has missed its window waits for a person's word."""

WHEN_MISSED_DROP = "drop"
"""What has missed its window does not go out."""


@event("schedule.created", 1, owner="scheduler", aggregate="schedule_id")
class ScheduleCreatedV1(Event):
    """A revision has a time. `due_at` is the instant that the wall-clock time and its zone resolve to.

    `publish_until` ends the window in which it may still go out late (without it the publisher's own limit holds), and
    `when_missed` says what becomes of it then: `hold` or `drop`. A schedule that repeats is told once an occurrence.
    """

    workspace_id: UUID
    schedule_id: UUID
    occurrence: int
    post_id: UUID
    revision_id: UUID
    connection_ids: tuple[UUID, ...]
    due_at: Instant
    publish_until: Instant | None = None
    when_missed: Word = WHEN_MISSED_HOLD


@event("schedule.changed", 1, owner="scheduler", aggregate="schedule_id")
class ScheduleChangedV1(Event):
    """The schedule was moved to another time, before its time had come."""

    workspace_id: UUID
    schedule_id: UUID
    occurrence: int
    due_at: Instant
    publish_until: Instant | None = None
    when_missed: Word = WHEN_MISSED_HOLD


@event("schedule.paused", 1, owner="scheduler", aggregate="schedule_id")
class SchedulePausedV1(Event):
    """Nothing of the schedule goes out until it is resumed, its time having come or not.

    What a platform is being told at this moment cannot be stopped any more.
    """

    workspace_id: UUID
    schedule_id: UUID
    occurrence: int
    reason: Word


@event("schedule.resumed", 1, owner="scheduler", aggregate="schedule_id")
class ScheduleResumedV1(Event):
    """The schedule goes on, at the time it has now. Where that has passed, `schedule.due` follows at once."""

    workspace_id: UUID
    schedule_id: UUID
    occurrence: int
    due_at: Instant
    publish_until: Instant | None = None
    when_missed: Word = WHEN_MISSED_HOLD


@event("schedule.cancelled", 1, owner="scheduler", aggregate="schedule_id")
class ScheduleCancelledV1(Event):
    """Nothing more goes out for this schedule. `connection_ids` empty: for none of its connections.

    `occurrence`: only this one of a schedule that repeats; without it all of them.
    """

    workspace_id: UUID
    schedule_id: UUID
    connection_ids: tuple[UUID, ...] = ()
    reason: Word
    occurrence: int | None = None


@event("schedule.due", 1, owner="scheduler", aggregate="schedule_id")
class ScheduleDueV1(Event):
    """The time has come. Carries all that is needed where `schedule.created` has not arrived yet."""

    workspace_id: UUID
    schedule_id: UUID
    occurrence: int
    post_id: UUID
    revision_id: UUID
    connection_ids: tuple[UUID, ...]
    due_at: Instant
    publish_until: Instant | None = None
    when_missed: Word = WHEN_MISSED_HOLD
