"""Events of scheduler: when an approved revision goes to which connections."""

from __future__ import annotations

from uuid import UUID

from contracts.event import Event, Instant, Word
from contracts.registry import event


@event("schedule.created", 1, owner="scheduler", aggregate="schedule_id")
class ScheduleCreatedV1(Event):
    """A revision has a time. `due_at` is the instant that the wall-clock time and its zone resolve to."""

    workspace_id: UUID
    schedule_id: UUID
    occurrence: int
    post_id: UUID
    revision_id: UUID
    connection_ids: tuple[UUID, ...]
    due_at: Instant


@event("schedule.cancelled", 1, owner="scheduler", aggregate="schedule_id")
class ScheduleCancelledV1(Event):
    """Nothing more goes out for this schedule. `connection_ids` empty: for none of its connections."""

    workspace_id: UUID
    schedule_id: UUID
    connection_ids: tuple[UUID, ...] = ()
    reason: Word


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
