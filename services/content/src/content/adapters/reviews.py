"""Rows of the review history."""

from __future__ import annotations

from dataclasses import asdict, replace
from uuid import UUID

from content.adapters.rows import Rows
from content.domain.post import Decision, Step


class Reviews(Rows):
    async def add_decision(self, decision: Decision) -> None:
        await self._transaction.execute(
            "INSERT INTO decision (workspace_id, decision_id, post_id, revision_id, step, decided_by, decided_at,"
            " comment) VALUES (%(workspace_id)s, %(decision_id)s, %(post_id)s, %(revision_id)s, %(step)s,"
            " %(decided_by)s, %(decided_at)s, %(comment)s)",
            asdict(decision),
        )

    async def decisions(self, workspace_id: UUID, post_id: UUID) -> list[Decision]:
        rows = await self._transaction.all(
            Decision,
            "SELECT * FROM decision WHERE workspace_id = %s AND post_id = %s ORDER BY decided_at, decision_id",
            (workspace_id, post_id),
        )
        return [replace(row, step=Step(row.step)) for row in rows]
