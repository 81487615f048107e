"""Blackouts in PostgreSQL, and what is planned while they last."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import LiteralString
from uuid import UUID

from scheduler.adapters.rows import Rows
from scheduler.domain.blackouts import NEAR, Blackout, Window
from scheduler.domain.calendar import Place
from scheduler.domain.schedule import Schedule

_SELECT: LiteralString = """
SELECT blackout_id, workspace_id, name, starts_at, ends_at, time_zone, yearly, connection_ids
FROM blackout WHERE workspace_id = %(workspace_id)s
"""

# Of a yearly window the last time that begins before the period ends is the one that lasts longest into it. Where 29
# February is missing, that is reckoned by a day at most otherwise than `Window.times` does; `NEAR` has room for it.
_NEAR: LiteralString = """
  AND starts_at <= %(until)s
  AND ends_at + CASE WHEN yearly THEN date_trunc('year', age(%(until)s, starts_at)) ELSE interval '0' END >= %(since)s
"""


@dataclass(frozen=True)
class _BlackoutRow:
    blackout_id: UUID
    workspace_id: UUID
    name: str
    starts_at: datetime
    ends_at: datetime
    time_zone: str
    yearly: bool
    connection_ids: list[UUID] | None

    def blackout(self) -> Blackout:
        chosen = None if self.connection_ids is None else tuple(self.connection_ids)
        window = Window(self.name, self.starts_at, self.ends_at, self.time_zone, self.yearly, chosen)
        return Blackout(self.blackout_id, self.workspace_id, window)


class BlackoutRows(Rows):
    """The part of `ports.Store` that blackouts need."""

    async def heed_blackouts(self, workspace_id: UUID) -> None:
        await self._transaction.execute(
            "SELECT pg_advisory_xact_lock_shared(hashtextextended('blackouts of ' || %s::text, 0))", (workspace_id,)
        )

    async def lock_blackouts(self, workspace_id: UUID) -> None:
        await self._transaction.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended('blackouts of ' || %s::text, 0))", (workspace_id,)
        )

    async def blackouts(self, workspace_id: UUID) -> list[Blackout]:
        query = _SELECT + " ORDER BY starts_at, name, blackout_id"
        found = await self._transaction.all(_BlackoutRow, query, {"workspace_id": workspace_id})
        return [row.blackout() for row in found]

    async def blackouts_near(self, workspace_id: UUID, since: datetime, until: datetime) -> list[Blackout]:
        found = await self._transaction.all(
            _BlackoutRow,
            _SELECT + _NEAR,
            {
                "workspace_id": workspace_id,
                "since": since.astimezone(UTC).replace(tzinfo=None) - NEAR,
                "until": until.astimezone(UTC).replace(tzinfo=None) + NEAR,
            },
        )
        return [row.blackout() for row in found]

    async def add_blackouts(self, blackouts: Sequence[Blackout]) -> None:
        await self._transaction.execute_many(
            "INSERT INTO blackout (blackout_id, workspace_id, name, starts_at, ends_at, time_zone, yearly,"
            " connection_ids) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            [
                (
                    each.blackout_id, each.workspace_id, each.window.name, each.window.starts_at, each.window.ends_at,
                    each.window.time_zone, each.window.yearly,
                    None if each.window.connection_ids is None else list(each.window.connection_ids),
                )
                for each in blackouts
            ],
        )  # fmt: skip

    async def remove_blackouts(self, blackout_ids: Collection[UUID]) -> None:
        await self._transaction.execute("DELETE FROM blackout WHERE blackout_id = ANY(%s)", (list(blackout_ids),))

    async def planned_within(
        self, ranges: Sequence[tuple[datetime, datetime]], *, after: Place, limit: int
    ) -> list[Schedule]:
        ids = await self._transaction.scalars(
            """
            SELECT planned.schedule_id
            FROM unnest(%(since)s::timestamptz[], %(until)s::timestamptz[]) AS closed (since, until)
            -- Ordered and limited, so that each range is looked up in the index and only so far.
            CROSS JOIN LATERAL (
                SELECT schedule_id, due_at FROM schedule
                WHERE due_at >= closed.since AND due_at < closed.until AND state IN ('scheduled', 'paused')
                  AND (due_at, schedule_id) > (%(place_due_at)s, %(place_id)s)
                ORDER BY due_at, schedule_id LIMIT %(limit)s
            ) AS planned
            ORDER BY planned.due_at, planned.schedule_id LIMIT %(limit)s
            """,
            {
                "since": [since for since, _ in ranges],
                "until": [until for _, until in ranges],
                "place_due_at": after.due_at,
                "place_id": after.schedule_id,
                "limit": limit,
            },
        )
        return await self._of(ids)
