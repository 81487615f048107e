"""What the clock does with the rows: who holds which schedules, and which are announced."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from scheduler.adapters.rows import Rows
from scheduler.domain.lookahead import Held
from scheduler.domain.schedule import Announced, Schedule


class ClockworkRows(Rows):
    """The part of `ports.Store` that the clock needs."""

    async def stay_alive(self, holder: UUID, seconds: float) -> bool:
        await self._transaction.execute(
            "DELETE FROM clockwork WHERE alive_until < statement_timestamp() - interval '1 day'"
        )
        was_alive: bool | None = await self._transaction.scalar(
            "SELECT alive_until > statement_timestamp() FROM clockwork WHERE holder = %s", (holder,)
        )
        await self._transaction.execute(
            "INSERT INTO clockwork (holder, alive_until) VALUES (%s, statement_timestamp() + make_interval(secs => %s))"
            " ON CONFLICT (holder) DO UPDATE SET alive_until = excluded.alive_until",
            (holder, seconds),
        )
        return bool(was_alive)

    async def hold_until(self, last: datetime, *, overdue: datetime | None, holder: UUID, limit: int) -> list[Held]:
        held = await self._transaction.all(
            Held,
            """
            WITH chosen AS (
                SELECT schedule_id FROM schedule
                WHERE state = 'scheduled' AND due_at <= %(last)s AND (
                    held_by IS NULL OR due_at <= %(overdue)s::timestamptz OR NOT EXISTS (
                    SELECT 1 FROM clockwork WHERE holder = held_by AND alive_until > statement_timestamp()))
                ORDER BY due_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
            )
            UPDATE schedule SET held_by = %(holder)s WHERE schedule_id IN (SELECT schedule_id FROM chosen)
            RETURNING due_at, schedule_id
            """,
            {"last": last, "overdue": overdue, "holder": holder, "limit": limit},
        )
        return sorted(held)

    async def let_go(self, holder: UUID, schedule_ids: Collection[UUID] | None = None) -> None:
        await self._transaction.execute(
            """
            WITH held AS (
                SELECT schedule_id FROM schedule
                WHERE state = 'scheduled' AND held_by = %(holder)s
                  AND (%(ids)s::uuid[] IS NULL OR schedule_id = ANY(%(ids)s))
                ORDER BY schedule_id FOR UPDATE
            )
            UPDATE schedule SET held_by = NULL WHERE schedule_id IN (SELECT schedule_id FROM held)
            """,
            {"holder": holder, "ids": None if schedule_ids is None else list(schedule_ids)},
        )

    async def announce(self, schedule_ids: Sequence[UUID], *, holder: UUID, now: datetime) -> list[Announced]:
        ids = await self._transaction.scalars(
            """
            WITH due AS (
                SELECT schedule_id FROM schedule
                WHERE schedule_id = ANY(%s) AND state = 'scheduled' AND held_by = %s AND due_at <= %s
                ORDER BY schedule_id FOR UPDATE
            )
            UPDATE schedule SET state = 'due', held_by = NULL
            WHERE schedule_id IN (SELECT schedule_id FROM due) RETURNING schedule_id
            """,
            (list(schedule_ids), holder, now),
        )
        # Read once all are locked: who took a connection back before that is seen.
        return await self._transaction.rows(
            lambda _, values: Announced(*values),
            """
            SELECT schedule_id, workspace_id, occurrence, post_id, revision_id,
                   ARRAY(SELECT connection_id FROM target WHERE target.schedule_id = schedule.schedule_id
                         AND target.state = 'waiting' ORDER BY position),
                   due_at, publish_until, when_missed, trace
            FROM schedule WHERE schedule_id = ANY(%s) ORDER BY due_at, schedule_id
            """,
            (ids,),
        )

    async def reschedule(self, schedules: Sequence[Schedule]) -> None:
        await self._transaction.execute_many(
            "UPDATE schedule SET wall_clock = %s, time_zone = %s, adjustment = %s, due_at = %s, publish_until = %s,"
            " when_missed = %s, zone_version = %s, despite = %s, held_by = NULL WHERE schedule_id = %s",
            [
                (each.at, each.time_zone, each.adjustment, each.due_at, each.publish_until, each.when_missed,
                 each.zone_version, list(each.despite), each.schedule_id)
                for each in schedules
            ],
        )  # fmt: skip

    async def lock_resolved_before(self, zone_version: str, *, limit: int) -> list[Schedule]:
        ids = await self._transaction.scalars(
            "SELECT schedule_id FROM schedule WHERE state IN ('scheduled', 'paused') AND zone_version < %s"
            " ORDER BY zone_version LIMIT %s FOR UPDATE SKIP LOCKED",
            (zone_version, limit),
        )
        return await self._of(ids)

    async def keep_zone_version(self, schedule_ids: Sequence[UUID], zone_version: str) -> None:
        await self._transaction.execute(
            "UPDATE schedule SET zone_version = %s WHERE schedule_id = ANY(%s)", (zone_version, list(schedule_ids))
        )

    async def mark(self, schedules: Sequence[Schedule]) -> None:
        await self._transaction.execute(
            "UPDATE schedule SET state = new.state, reason = new.reason, held_by = NULL"
            " FROM unnest(%s::uuid[], %s::text[], %s::text[]) AS new (schedule_id, state, reason)"
            " WHERE schedule.schedule_id = new.schedule_id",
            (
                [schedule.schedule_id for schedule in schedules],
                [schedule.state for schedule in schedules],
                [schedule.reason for schedule in schedules],
            ),
        )
