"""What members see of a schedule and of a series."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec

from scheduler.domain.blackouts import Closure
from scheduler.domain.duplicates import Duplicate
from scheduler.domain.rule import Occurrence
from scheduler.domain.schedule import Schedule
from scheduler.domain.series import Series


class TargetView(msgspec.Struct, frozen=True):
    connection_id: UUID
    state: str
    code: str | None
    publication_id: UUID | None
    removed_at: datetime | None


class ScheduleView(msgspec.Struct, frozen=True):
    """A schedule as members see it. `at` is wall-clock time in `time_zone`, `due_at` the instant."""

    schedule_id: UUID
    workspace_id: UUID
    post_id: UUID
    revision_id: UUID
    at: str
    time_zone: str
    adjustment: str
    due_at: datetime
    publish_until: datetime | None
    when_missed: str
    state: str
    reason: str | None
    created_at: datetime
    series_id: UUID | None
    occurrence: int
    despite_blackouts: list[UUID]
    connections: list[TargetView]

    @classmethod
    def of(cls, schedule: Schedule) -> ScheduleView:
        return cls(
            schedule_id=schedule.schedule_id,
            workspace_id=schedule.workspace_id,
            post_id=schedule.post_id,
            revision_id=schedule.revision_id,
            at=schedule.at.isoformat(timespec="seconds"),
            time_zone=schedule.time_zone,
            adjustment=schedule.adjustment,
            due_at=schedule.due_at,
            publish_until=schedule.publish_until,
            when_missed=schedule.when_missed,
            state=schedule.state,
            reason=schedule.reason,
            created_at=schedule.created_at,
            series_id=schedule.series_id,
            occurrence=schedule.occurrence,
            despite_blackouts=list(schedule.despite),
            connections=[
                TargetView(target.connection_id, target.state, target.code, target.publication_id, target.removed_at)
                for target in schedule.targets
            ],
        )


class DuplicateView(msgspec.Struct, frozen=True):
    """The same content goes to this connection then, too."""

    code: Literal["duplicate"]
    schedule_id: UUID
    due_at: datetime
    connection_id: UUID

    @classmethod
    def of(cls, duplicate: Duplicate) -> DuplicateView:
        return cls("duplicate", duplicate.schedule_id, duplicate.due_at, duplicate.connection_id)


class PlannedView(ScheduleView, frozen=True, omit_defaults=True):
    """A schedule as it was just planned. `shifted_from`: the time that was asked for, if it got a later one."""

    shifted_from: str | None = None
    warnings: list[DuplicateView] = []

    @classmethod
    def planned(cls, schedule: Schedule, duplicates: Sequence[Duplicate] = (), *, wished: Schedule) -> PlannedView:
        return cls(
            **msgspec.structs.asdict(ScheduleView.of(schedule)),
            shifted_from=wished.at.isoformat(timespec="seconds") if wished.due_at != schedule.due_at else None,
            warnings=[DuplicateView.of(duplicate) for duplicate in duplicates],
        )


class SeriesView(msgspec.Struct, frozen=True):
    """A series as members see it. `starts_at` is wall-clock time in `time_zone`; `skipped` of its times were missed."""

    series_id: UUID
    workspace_id: UUID
    post_id: UUID
    revision_id: UUID
    connection_ids: list[UUID]
    rule: str
    starts_at: str
    time_zone: str
    late_minutes: int
    when_missed: str
    state: str
    reason: str | None
    ends_after: int | None
    skipped: int
    despite_blackouts: bool
    created_at: datetime

    @classmethod
    def of(cls, series: Series) -> SeriesView:
        return cls(
            series_id=series.series_id,
            workspace_id=series.workspace_id,
            post_id=series.post_id,
            revision_id=series.revision_id,
            connection_ids=list(series.connection_ids),
            rule=series.rule,
            starts_at=series.starts_at.isoformat(timespec="seconds"),
            time_zone=series.time_zone,
            late_minutes=series.late // timedelta(minutes=1),
            when_missed=series.when_missed,
            state=series.state,
            reason=series.reason,
            ends_after=series.ends_after,
            skipped=series.skipped,
            despite_blackouts=series.despite_blackouts,
            created_at=series.created_at,
        )


class OccurrenceView(msgspec.Struct, frozen=True):
    """One time of a series: the wall clock, the instant it means, and the names of blackouts that it is in."""

    occurrence: int
    at: str
    due_at: datetime
    adjustment: str
    blackouts: list[str]

    @classmethod
    def of(cls, occurrence: Occurrence, stands_in: Sequence[Closure]) -> OccurrenceView:
        at = occurrence.at.isoformat(timespec="seconds")
        names = [each.blackout.window.name for each in stands_in]
        return cls(occurrence.number, at, occurrence.due_at, occurrence.adjustment, names)
