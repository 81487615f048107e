"""Which times of a connection are crowded, and who may choose one now."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, LiteralString
from uuid import UUID

from kit.database import Transaction

from scheduler.domain.spread import Crowd, Neighbour

# Found by workspace and time (`schedule_newest`): however much is planned, a day of one workspace is little. The offset
# has targets looked up behind it: of a new connection the planner expects nothing, and would read all to find that.
_BUSY: LiteralString = """
WITH busy AS NOT MATERIALIZED (
    SELECT schedule_id, connection_id, due_at FROM schedule CROSS JOIN LATERAL (
        SELECT connection_id FROM target
        WHERE target.schedule_id = schedule.schedule_id AND connection_id = ANY(%(connection_ids)s)
          AND target.state <> 'cancelled' OFFSET 0) AS chosen
    WHERE workspace_id = %(workspace_id)s AND schedule_id IS DISTINCT FROM %(besides)s
)
"""

_CLOSEST: LiteralString = """
SELECT schedule_id, connection_id, due_at FROM busy
WHERE due_at > %(to)s - %(spread)s AND due_at < %(to)s + %(spread)s
ORDER BY greatest(due_at - %(to)s, %(to)s - due_at), schedule_id, connection_id LIMIT 1
"""

_TIMES: LiteralString = """
SELECT DISTINCT due_at FROM busy WHERE due_at BETWEEN %(since)s - %(spread)s AND %(until)s + %(spread)s ORDER BY due_at
"""


class SpreadRows:
    """The part of `ports.Store` that keeps posts apart."""

    _transaction: Transaction

    async def spread(self, workspace_id: UUID) -> timedelta:
        query: LiteralString = "SELECT apart FROM spread WHERE workspace_id = %s"
        found: timedelta | None = await self._transaction.scalar(query, (workspace_id,))
        return found or timedelta()

    async def keep_spread(self, workspace_id: UUID, apart: timedelta) -> None:
        await self._transaction.execute(
            "INSERT INTO spread (workspace_id, apart) VALUES (%s, %s)"
            " ON CONFLICT (workspace_id) DO UPDATE SET apart = excluded.apart",
            (workspace_id, apart),
        )

    async def lock_connections(self, connection_ids: Collection[UUID]) -> None:
        # In one order, so that two who want the same connections do not wait for each other.
        await self._transaction.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(wanted::text, 0)) FROM unnest(%s::uuid[]) AS wanted",
            (sorted(connection_ids),),
        )

    async def closest(self, crowd: Crowd, to: datetime) -> Neighbour | None:
        return await self._transaction.first(Neighbour, _BUSY + _CLOSEST, _parameters(crowd) | {"to": to})

    async def busy(self, crowd: Crowd, *, since: datetime, until: datetime) -> list[datetime]:
        return await self._transaction.scalars(_BUSY + _TIMES, _parameters(crowd) | {"since": since, "until": until})


def _parameters(crowd: Crowd) -> dict[str, Any]:
    return vars(crowd) | {"connection_ids": list(crowd.connection_ids)}
