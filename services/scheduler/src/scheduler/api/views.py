"""What members see of a schedule."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from scheduler.domain.schedule import Schedule


class TargetView(msgspec.Struct, frozen=True):
    connection_id: UUID
    state: str
    code: str | None
    publication_id: UUID | None


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
            connections=[
                TargetView(target.connection_id, target.state, target.code, target.publication_id)
                for target in schedule.targets
            ],
        )
