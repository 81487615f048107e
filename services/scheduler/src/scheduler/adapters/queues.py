"""Queues in PostgreSQL, and which of their times are free."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import LiteralString
from uuid import UUID

from scheduler.adapters.spread import SpreadRows
from scheduler.domain.queues import Queue, Slot

_HOUR = 60
_DAY = 24 * _HOUR

_SELECT: LiteralString = "SELECT workspace_id, connection_id, time_zone, slots FROM queue"


@dataclass(frozen=True)
class _QueueRow:
    """`slots` are minutes since Monday, 00:00."""

    workspace_id: UUID
    connection_id: UUID
    time_zone: str
    slots: list[int]

    def queue(self) -> Queue:
        slots = tuple(Slot(minute // _DAY, time(minute % _DAY // _HOUR, minute % _HOUR)) for minute in self.slots)
        return Queue(self.workspace_id, self.connection_id, self.time_zone, slots)


class QueueRows(SpreadRows):
    """The part of `ports.Store` that queues need."""

    async def keep_queue(self, queue: Queue) -> None:
        minutes = [slot.weekday * _DAY + slot.at.hour * _HOUR + slot.at.minute for slot in queue.slots]
        await self._transaction.execute(
            "INSERT INTO queue (workspace_id, connection_id, time_zone, slots) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (workspace_id, connection_id)"
            " DO UPDATE SET time_zone = excluded.time_zone, slots = excluded.slots",
            (queue.workspace_id, queue.connection_id, queue.time_zone, minutes),
        )

    async def find_queue(self, connection_id: UUID) -> Queue | None:
        row = await self._transaction.first(_QueueRow, _SELECT + " WHERE connection_id = %s", (connection_id,))
        return row.queue() if row else None

    async def free_of(self, connection_id: UUID, times: Sequence[datetime], spread: timedelta) -> set[datetime]:
        # Exactly so far apart is far enough.
        closer = max(spread - timedelta(microseconds=1), timedelta())
        return set(
            await self._transaction.scalars(
                """
                SELECT wanted FROM unnest(%(times)s::timestamptz[]) AS wanted
                -- Ordered and limited, so that each time is looked up in the index and not all that is planned is read;
                -- with an offset, so that what stands there is looked up, and not all that a connection has.
                WHERE (SELECT due_at FROM schedule
                       WHERE due_at BETWEEN wanted - %(closer)s AND wanted + %(closer)s AND EXISTS (
                           SELECT 1 FROM target WHERE target.schedule_id = schedule.schedule_id
                             AND target.connection_id = %(connection_id)s AND target.state <> 'cancelled' OFFSET 0)
                       ORDER BY due_at LIMIT 1) IS NULL
                """,
                {"times": list(times), "closer": closer, "connection_id": connection_id},
            )
        )
