"""Everything the publisher stores, behind `ports.Store`: publications, budgets, connections, cancellations,
events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from contracts.event import Event
from contracts.scheduler import ScheduleCancelledV1

from publisher.adapters.budgets import BudgetRows
from publisher.adapters.removals import RemovalRows
from publisher.adapters.rows import PublicationRows
from publisher.domain.connection import Connection, ConnectionState


@dataclass(frozen=True)
class _ConnectionRow:
    connection_id: UUID
    workspace_id: UUID
    platform: str | None
    state: str


class Store(PublicationRows, BudgetRows, RemovalRows):
    """Satisfies `ports.Store`."""

    def emit(self, event: Event) -> UUID:
        return self._transaction.emit(event)

    def when_committed(self, call: Callable[[], None]) -> None:
        self._transaction.when_committed(call)

    async def connection(self, connection_id: UUID) -> Connection | None:
        row = await self._transaction.first(
            _ConnectionRow,
            "SELECT connection_id, workspace_id, platform, state FROM connection WHERE connection_id = %s",
            (connection_id,),
        )
        if row is None:
            return None
        return Connection(row.connection_id, row.workspace_id, row.platform, ConnectionState(row.state))

    async def keep_connection(self, connection: Connection) -> None:
        await self._transaction.execute(
            "INSERT INTO connection (connection_id, workspace_id, platform, state, changed_at)"
            " VALUES (%(connection_id)s, %(workspace_id)s, %(platform)s, %(state)s, %(now)s)"
            " ON CONFLICT (connection_id) DO UPDATE SET platform = excluded.platform, state = excluded.state,"
            " changed_at = excluded.changed_at",
            vars(connection) | {"now": self._transaction.clock.now()},
        )

    async def keep_cancellation(self, cancelled: ScheduleCancelledV1) -> None:
        await self._transaction.execute_many(
            "INSERT INTO cancellation (schedule_id, occurrence, connection_id, workspace_id, reason, at)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            [
                (
                    cancelled.schedule_id, cancelled.occurrence, connection_id, cancelled.workspace_id,
                    cancelled.reason, self._transaction.clock.now(),
                )
                for connection_id in (cancelled.connection_ids or (None,))
            ],
        )  # fmt: skip

    async def cancellation(self, schedule_id: UUID, occurrence: int, connection_id: UUID) -> str | None:
        reason: str | None = await self._transaction.scalar(
            "SELECT reason FROM cancellation WHERE schedule_id = %s AND (occurrence IS NULL OR occurrence = %s)"
            " AND (connection_id IS NULL OR connection_id = %s) ORDER BY at LIMIT 1",
            (schedule_id, occurrence, connection_id),
        )
        return reason
