"""What was to go out in a period, for who compares it with what did."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from kit.database import Transaction

from scheduler.ports import DueTarget

_TARGETS: LiteralString = """
SELECT chosen.workspace_id, chosen.schedule_id, target.connection_id, chosen.due_at, chosen.state AS schedule_state,
       target.state, target.publication_id
FROM chosen JOIN target USING (schedule_id)
ORDER BY chosen.due_at, chosen.schedule_id, target.position
"""


class DueRows:
    """The part of `ports.Store` that is about periods."""

    _transaction: Transaction

    async def due_between(self, since: datetime, until: datetime, *, after: UUID | None, limit: int) -> list[DueTarget]:
        chosen: LiteralString = """
            WITH chosen AS (
                SELECT schedule_id, workspace_id, due_at, state FROM schedule
                WHERE due_at >= %(since)s AND due_at < %(until)s
                  AND (%(after)s::uuid IS NULL OR (due_at, schedule_id) >
                    (SELECT due_at, schedule_id FROM schedule WHERE schedule_id = %(after)s))
                ORDER BY due_at, schedule_id LIMIT %(limit)s
            )
            """
        asked = {"since": since, "until": until, "after": after, "limit": limit}
        return await self._transaction.all(DueTarget, chosen + _TARGETS, asked)

    async def due_of(self, schedule_ids: Collection[UUID]) -> list[DueTarget]:
        chosen: LiteralString = "WITH chosen AS (SELECT * FROM schedule WHERE schedule_id = ANY(%s))"
        return await self._transaction.all(DueTarget, chosen + _TARGETS, (list(schedule_ids),))
