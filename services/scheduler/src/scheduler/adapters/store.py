"""The scheduler's rows in PostgreSQL. A schedule is read and written together with its targets."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from contracts.event import Event
from kit.database import Transaction
from kit.passport import Reach
from psycopg.types.json import Jsonb

from scheduler.domain.lookahead import Held
from scheduler.domain.schedule import Schedule, ScheduleState, Target, TargetState
from scheduler.domain.wall_clock import Adjustment

_SELECT: LiteralString = """
SELECT schedule_id, workspace_id, post_id, revision_id, wall_clock, time_zone, adjustment, due_at, state, reason,
       created_by, created_at, trace, publish_until, when_missed,
       ARRAY(SELECT jsonb_build_object('connection_id', t.connection_id, 'state', t.state, 'code', t.code,
                                       'publication_id', t.publication_id)
             FROM target t WHERE t.schedule_id = schedule.schedule_id ORDER BY t.position) AS targets
FROM schedule
"""

_IN_REACH: LiteralString = """
WHERE %(reach)s::uuid[] IS NULL OR NOT EXISTS (
    SELECT 1 FROM target t
    WHERE t.schedule_id = schedule.schedule_id AND t.connection_id <> ALL (%(reach)s::uuid[]))
"""


@dataclass(frozen=True)
class _Row:
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
            targets=tuple(_target(target) for target in self.targets),
        )


def _target(document: dict[str, Any]) -> Target:
    publication_id = document["publication_id"]
    return Target(
        connection_id=UUID(document["connection_id"]),
        state=TargetState(document["state"]),
        code=document["code"],
        publication_id=UUID(publication_id) if publication_id else None,
    )


class Store:
    """Satisfies `ports.Store`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def emit(self, event: Event) -> UUID:
        return self._transaction.emit(event)

    async def add(self, schedule: Schedule) -> None:
        await self._transaction.execute(
            "INSERT INTO schedule (schedule_id, workspace_id, post_id, revision_id, wall_clock, time_zone, adjustment,"
            " due_at, state, created_by, created_at, trace, publish_until, when_missed)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (
                schedule.schedule_id, schedule.workspace_id, schedule.post_id, schedule.revision_id, schedule.at,
                schedule.time_zone, schedule.adjustment, schedule.due_at, schedule.state, schedule.created_by,
                schedule.created_at, schedule.trace, schedule.publish_until, schedule.when_missed,
            ),
        )  # fmt: skip
        await self._transaction.execute_many(
            "INSERT INTO target (schedule_id, connection_id, workspace_id, position, state)"
            " VALUES (%s, %s, %s, %s, %s)",
            [
                (schedule.schedule_id, target.connection_id, schedule.workspace_id, position, target.state)
                for position, target in enumerate(schedule.targets)
            ],
        )

    async def find(self, schedule_id: UUID) -> Schedule | None:
        row = await self._transaction.first(_Row, _SELECT + " WHERE schedule_id = %s", (schedule_id,))
        return row.schedule() if row else None

    async def newest(self, limit: int, reach: Reach) -> list[Schedule]:
        query = _SELECT + _IN_REACH + " ORDER BY due_at DESC, schedule_id LIMIT %(limit)s"
        return await self._all(query, {"limit": limit, "reach": reach})

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
            WHERE workspace_id = %(workspace_id)s AND state IN ('scheduled', 'due')
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

    async def hold_until(self, last: datetime, *, holder: UUID, limit: int) -> list[Held]:
        held = await self._transaction.all(
            Held,
            """
            WITH chosen AS (
                SELECT schedule_id FROM schedule
                WHERE state = 'scheduled' AND due_at <= %(last)s AND (held_by IS NULL OR NOT EXISTS (
                    SELECT 1 FROM clockwork WHERE holder = held_by AND alive_until > statement_timestamp()))
                ORDER BY due_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
            )
            UPDATE schedule SET held_by = %(holder)s WHERE schedule_id IN (SELECT schedule_id FROM chosen)
            RETURNING due_at, schedule_id
            """,
            {"last": last, "holder": holder, "limit": limit},
        )
        return sorted(held)

    async def let_go(self, holder: UUID, schedule_ids: Collection[UUID] | None = None) -> None:
        await self._transaction.execute(
            "UPDATE schedule SET held_by = NULL WHERE state = 'scheduled' AND held_by = %(holder)s"
            " AND (%(ids)s::uuid[] IS NULL OR schedule_id = ANY(%(ids)s))",
            {"holder": holder, "ids": None if schedule_ids is None else list(schedule_ids)},
        )

    async def lock_held(self, schedule_ids: Sequence[UUID], *, holder: UUID, now: datetime) -> list[Schedule]:
        ids = await self._transaction.scalars(
            "SELECT schedule_id FROM schedule WHERE schedule_id = ANY(%s) AND state = 'scheduled' AND held_by = %s"
            " AND due_at <= %s ORDER BY schedule_id FOR UPDATE",
            (list(schedule_ids), holder, now),
        )
        return await self._of(ids)

    async def save(self, schedule: Schedule) -> None:
        await self._transaction.execute(
            "UPDATE schedule SET state = %s, reason = %s WHERE schedule_id = %s",
            (schedule.state, schedule.reason, schedule.schedule_id),
        )
        targets = [
            {
                "connection_id": str(target.connection_id),
                "state": target.state,
                "code": target.code,
                "publication_id": str(target.publication_id) if target.publication_id else None,
            }
            for target in schedule.targets
        ]
        await self._transaction.execute(
            """
            UPDATE target SET state = new.state, code = new.code, publication_id = new.publication_id
            FROM jsonb_to_recordset(%(targets)s)
              AS new (connection_id uuid, state text, code text, publication_id uuid)
            WHERE target.schedule_id = %(schedule_id)s AND target.connection_id = new.connection_id
            """,
            {"targets": Jsonb(targets), "schedule_id": schedule.schedule_id},
        )

    async def mark_due(self, schedules: Sequence[Schedule]) -> None:
        await self._transaction.execute(
            "UPDATE schedule SET state = 'due' WHERE schedule_id = ANY(%s)",
            ([schedule.schedule_id for schedule in schedules],),
        )

    async def _of(self, ids: Sequence[UUID]) -> list[Schedule]:
        if not ids:
            return []
        query: LiteralString = _SELECT + " WHERE schedule_id = ANY(%(ids)s) ORDER BY due_at, schedule_id"
        return await self._all(query, {"ids": list(ids)})

    async def _all(self, query: LiteralString, parameters: dict[str, Any]) -> list[Schedule]:
        return [row.schedule() for row in await self._transaction.all(_Row, query, parameters)]
