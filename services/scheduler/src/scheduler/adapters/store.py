"""The scheduler's rows in PostgreSQL. A schedule is read and written together with its targets."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from contracts.event import Event
from kit.passport import Reach

from scheduler.adapters.blackouts import BlackoutRows
from scheduler.adapters.calendar import CalendarRows
from scheduler.adapters.clockwork import ClockworkRows
from scheduler.adapters.due import DueRows
from scheduler.adapters.duplicates import DuplicateRows
from scheduler.adapters.queues import QueueRows
from scheduler.adapters.rows import IN_REACH, SELECT, SELECT_ID, ScheduleRow
from scheduler.adapters.series import SeriesRows
from scheduler.domain.schedule import Schedule


class Store(DueRows, ClockworkRows, SeriesRows, QueueRows, CalendarRows, DuplicateRows, BlackoutRows):
    """Satisfies `ports.Store`."""

    def emit(self, event: Event) -> UUID:
        return self._transaction.emit(event)

    async def add(self, schedules: Sequence[Schedule]) -> None:
        await self._transaction.execute_many(
            "INSERT INTO schedule (schedule_id, workspace_id, post_id, revision_id, wall_clock, time_zone, adjustment,"
            " due_at, state, reason, created_by, created_at, trace, publish_until, when_missed, series_id, occurrence,"
            " zone_version, despite)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                (
                    each.schedule_id, each.workspace_id, each.post_id, each.revision_id, each.at, each.time_zone,
                    each.adjustment, each.due_at, each.state, each.reason, each.created_by, each.created_at, each.trace,
                    each.publish_until, each.when_missed, each.series_id, each.occurrence, each.zone_version,
                    list(each.despite),
                )
                for each in schedules
            ],
        )  # fmt: skip
        await self._transaction.execute_many(
            "INSERT INTO target (schedule_id, connection_id, workspace_id, position, state, code)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            [
                (
                    schedule.schedule_id,
                    target.connection_id,
                    schedule.workspace_id,
                    position,
                    target.state,
                    target.code,
                )
                for schedule in schedules
                for position, target in enumerate(schedule.targets)
            ],
        )

    async def find(self, schedule_id: UUID) -> Schedule | None:
        row = await self._transaction.first(ScheduleRow, SELECT + " WHERE schedule_id = %s", (schedule_id,))
        return row.schedule() if row else None

    async def planned(self, *, until: datetime, connection_id: UUID | None, limit: int) -> list[Schedule]:
        ids = await self._transaction.scalars(
            "SELECT schedule_id FROM schedule WHERE state IN ('scheduled', 'due') AND due_at <= %(until)s"
            " AND (%(connection_id)s::uuid IS NULL OR EXISTS (SELECT 1 FROM target t"
            " WHERE t.schedule_id = schedule.schedule_id AND t.connection_id = %(connection_id)s))"
            " ORDER BY due_at, schedule_id LIMIT %(limit)s",
            {"until": until, "connection_id": connection_id, "limit": limit},
        )
        return await self._of(ids)

    async def lock(self, schedule_id: UUID) -> Schedule | None:
        # Locked first and read after it, so that the targets are those of the last holder.
        await self._transaction.execute("SELECT 1 FROM schedule WHERE schedule_id = %s FOR UPDATE", (schedule_id,))
        return await self.find(schedule_id)

    async def running(self, workspace_id: UUID, *, reach: Reach, limit: int) -> list[UUID]:
        return await self._transaction.scalars(
            SELECT_ID + IN_REACH + " AND workspace_id = %(workspace_id)s"
            " AND state IN ('scheduled', 'due') ORDER BY due_at LIMIT %(limit)s",
            {"workspace_id": workspace_id, "reach": reach, "limit": limit},
        )

    async def paused(self, workspace_id: UUID, reason: str, *, reach: Reach, limit: int) -> list[UUID]:
        return await self._transaction.scalars(
            SELECT_ID + IN_REACH + " AND workspace_id = %(workspace_id)s"
            " AND state = 'paused' AND reason = %(reason)s ORDER BY due_at LIMIT %(limit)s",
            {"workspace_id": workspace_id, "reason": reason, "reach": reach, "limit": limit},
        )

    async def lock_open(
        self,
        workspace_id: UUID,
        *,
        post_id: UUID | None = None,
        revision_id: UUID | None = None,
        connection_id: UUID | None = None,
    ) -> list[Schedule]:
        ids = await self._transaction.scalars(
            """
            SELECT schedule_id FROM schedule
            WHERE workspace_id = %(workspace_id)s AND state IN ('scheduled', 'paused', 'due')
              AND (%(post_id)s::uuid IS NULL OR post_id = %(post_id)s)
              AND (%(revision_id)s::uuid IS NULL OR revision_id = %(revision_id)s)
              AND (%(connection_id)s::uuid IS NULL OR EXISTS (
                    SELECT 1 FROM target t WHERE t.schedule_id = schedule.schedule_id
                      AND t.connection_id = %(connection_id)s AND t.state = 'waiting'))
            ORDER BY schedule_id FOR UPDATE
            """,
            {
                "workspace_id": workspace_id,
                "post_id": post_id,
                "revision_id": revision_id,
                "connection_id": connection_id,
            },
        )
        return await self._of(ids)

    async def lock_all(self, schedule_ids: Collection[UUID]) -> list[Schedule]:
        ids = await self._transaction.scalars(
            "SELECT schedule_id FROM schedule WHERE schedule_id = ANY(%s) ORDER BY schedule_id FOR UPDATE",
            (list(schedule_ids),),
        )
        return await self._of(ids)

    async def save(self, schedule: Schedule) -> None:
        await self.save_all([schedule])

    async def save_all(self, schedules: Sequence[Schedule]) -> None:
        await self._transaction.execute(
            # Who held it in another state holds it no longer.
            "UPDATE schedule SET state = new.state, reason = new.reason,"
            " held_by = CASE WHEN schedule.state = new.state THEN held_by END"
            " FROM unnest(%s::uuid[], %s::text[], %s::text[]) AS new (schedule_id, state, reason)"
            " WHERE schedule.schedule_id = new.schedule_id",
            (
                [schedule.schedule_id for schedule in schedules],
                [schedule.state for schedule in schedules],
                [schedule.reason for schedule in schedules],
            ),
        )
        targets = [(schedule.schedule_id, target) for schedule in schedules for target in schedule.targets]
        await self._transaction.execute(
            "UPDATE target SET state = new.state, code = new.code, publication_id = new.publication_id,"
            " removed_at = new.removed_at"
            " FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::uuid[], %s::timestamptz[])"
            " AS new (schedule_id, connection_id, state, code, publication_id, removed_at)"
            " WHERE target.schedule_id = new.schedule_id AND target.connection_id = new.connection_id",
            (
                [schedule_id for schedule_id, _ in targets],
                [target.connection_id for _, target in targets],
                [target.state for _, target in targets],
                [target.code for _, target in targets],
                [target.publication_id for _, target in targets],
                [target.removed_at for _, target in targets],
            ),
        )
