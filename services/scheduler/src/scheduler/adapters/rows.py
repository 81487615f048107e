"""A schedule's row, read together with its targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from kit.database import Transaction

from scheduler.domain.schedule import Schedule, ScheduleState, Target, TargetState
from scheduler.domain.wall_clock import Adjustment

SELECT: LiteralString = """
SELECT schedule_id, workspace_id, post_id, revision_id, wall_clock, time_zone, adjustment, due_at, state, reason,
       created_by, created_at, trace, publish_until, when_missed, series_id, occurrence, zone_version,
       despite,
       ARRAY(SELECT jsonb_build_object('connection_id', t.connection_id, 'state', t.state, 'code', t.code,
                                       'publication_id', t.publication_id, 'removed_at', t.removed_at)
             FROM target t WHERE t.schedule_id = schedule.schedule_id ORDER BY t.position) AS targets
FROM schedule
"""

SELECT_ID: LiteralString = "SELECT schedule_id FROM schedule"

IN_REACH: LiteralString = """
WHERE (%(reach)s::uuid[] IS NULL OR NOT EXISTS (
    SELECT 1 FROM target t
    WHERE t.schedule_id = schedule.schedule_id AND t.connection_id <> ALL (%(reach)s::uuid[])))
"""


@dataclass(frozen=True)
class ScheduleRow:
    schedule_id: UUID
    workspace_id: UUID
    post_id: UUID
    revision_id: UUID
    wall_clock: datetime
    time_zone: str
    adjustment: str
    due_at: datetime
    state: str
    reason: str | None
    created_by: UUID | None
    created_at: datetime
    trace: str | None
    publish_until: datetime | None
    when_missed: str
    series_id: UUID | None
    occurrence: int
    zone_version: str
    despite: list[UUID]
    targets: list[dict[str, Any]]

    def schedule(self) -> Schedule:
        return Schedule(
            schedule_id=self.schedule_id,
            workspace_id=self.workspace_id,
            post_id=self.post_id,
            revision_id=self.revision_id,
            at=self.wall_clock,
            time_zone=self.time_zone,
            adjustment=Adjustment(self.adjustment),
            due_at=self.due_at,
            state=ScheduleState(self.state),
            reason=self.reason,
            created_by=self.created_by,
            created_at=self.created_at,
            trace=self.trace,
            publish_until=self.publish_until,
            when_missed=self.when_missed,
            series_id=self.series_id,
            occurrence=self.occurrence,
            zone_version=self.zone_version,
            despite=tuple(self.despite),
            targets=tuple(_target(target) for target in self.targets),
        )


def _target(document: dict[str, Any]) -> Target:
    publication_id, removed_at = document["publication_id"], document["removed_at"]
    return Target(
        connection_id=UUID(document["connection_id"]),
        state=TargetState(document["state"]),
        code=document["code"],
        publication_id=UUID(publication_id) if publication_id else None,
        removed_at=datetime.fromisoformat(removed_at) if removed_at else None,
    )


class Rows:
    """What reads schedules in one transaction."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def _of(self, ids: Sequence[UUID]) -> list[Schedule]:
        if not ids:
            return []
        query: LiteralString = SELECT + " WHERE schedule_id = ANY(%(ids)s) ORDER BY due_at, schedule_id"
        return await self._all(query, {"ids": list(ids)})

    async def _all(self, query: LiteralString, parameters: dict[str, Any]) -> list[Schedule]:
        return [row.schedule() for row in await self._transaction.all(ScheduleRow, query, parameters)]
