"""Which schedules have the same content for the same connection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from kit.database import Transaction

from scheduler.domain.duplicates import WITHIN, Duplicate
from scheduler.domain.schedule import Schedule


class DuplicateRows:
    """The part of `ports.Store` that compares content."""

    _transaction: Transaction

    async def duplicates(self, schedule: Schedule, hashes: Mapping[UUID, str]) -> list[Duplicate]:
        connection_ids = schedule.waiting()
        return await self._transaction.all(
            Duplicate,
            """
            SELECT DISTINCT ON (connection_id) schedule_id, connection_id, due_at
            FROM unnest(%(connection_ids)s::uuid[], %(hashes)s::text[]) AS wanted (connection_id, content_hash)
            JOIN target USING (connection_id, content_hash) JOIN schedule USING (schedule_id)
            WHERE target.state IN ('waiting', 'published', 'needs_attention') AND target.removed_at IS NULL
              AND due_at BETWEEN %(due_at)s - %(within)s AND %(due_at)s + %(within)s
            ORDER BY connection_id, greatest(due_at - %(due_at)s, %(due_at)s - due_at), schedule_id
            """,
            {
                "connection_ids": list(connection_ids),
                "hashes": [hashes[connection_id] for connection_id in connection_ids],
                "due_at": schedule.due_at,
                "within": WITHIN,
            },
        )

    async def keep_content(self, schedules: Sequence[Schedule], hashes: Mapping[UUID, str]) -> None:
        await self._transaction.execute_many(
            "UPDATE target SET content_hash = %s WHERE schedule_id = %s AND connection_id = %s",
            [
                (hashes[connection_id], schedule.schedule_id, connection_id)
                for schedule in schedules
                for connection_id in schedule.waiting()
                if connection_id in hashes
            ],
        )

    async def hold_post(self, workspace_id: UUID, post_id: UUID) -> None:
        await self._transaction.execute(
            "SELECT 1 FROM schedule WHERE workspace_id = %s AND post_id = %s ORDER BY schedule_id FOR UPDATE",
            (workspace_id, post_id),
        )

    async def forget_content(self, workspace_id: UUID, post_id: UUID) -> None:
        await self._transaction.execute(
            "UPDATE target SET content_hash = NULL FROM schedule"
            " WHERE schedule.schedule_id = target.schedule_id AND target.content_hash IS NOT NULL"
            " AND schedule.workspace_id = %s AND schedule.post_id = %s",
            (workspace_id, post_id),
        )

    async def forget_series_content(self, workspace_id: UUID, post_id: UUID) -> None:
        await self._transaction.execute(
            "UPDATE series SET content_hashes = '{}' WHERE workspace_id = %s AND post_id = %s", (workspace_id, post_id)
        )
