"""What grants were lent for, counted by day in PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from kit.database import Transaction

from auth.domain.lending import BORROWINGS_KEPT
from auth.ports.borrowings import Use


class StoredBorrowings:
    """Implements `auth.ports.borrowings.Borrowings`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def count(self, connections: Mapping[UUID, UUID], *, borrower: str, purpose: str, at: datetime) -> None:
        # In one order, so that two requests for many never wait for each other.
        await self._transaction.execute(
            "INSERT INTO borrowing (connection_id, workspace_id, borrower, purpose, day, times, last_at)"
            " SELECT connection_id, workspace_id, %(borrower)s, %(purpose)s, %(day)s, 1, %(at)s"
            " FROM unnest(%(connections)s::uuid[], %(workspaces)s::uuid[]) AS one (connection_id, workspace_id)"
            " ORDER BY connection_id ON CONFLICT (connection_id, borrower, purpose, day)"
            " DO UPDATE SET times = borrowing.times + 1, last_at = greatest(borrowing.last_at, excluded.last_at)",
            {
                "borrower": borrower,
                "purpose": purpose,
                "day": at.date(),
                "at": at,
                "connections": list(connections),
                "workspaces": list(connections.values()),
            },
        )

    async def of_connection(self, connection_id: UUID) -> list[Use] | None:
        known = await self._transaction.scalar(
            "SELECT 1 FROM connection WHERE connection_id = %s AND state <> 'revoked'", (connection_id,)
        )
        if known is None:
            return None
        return await self._transaction.all(
            Use,
            "SELECT day, borrower AS service, purpose, times, last_at FROM borrowing WHERE connection_id = %s"
            " ORDER BY day DESC, borrower, purpose",
            (connection_id,),
        )


async def forget_borrowings(transaction: Transaction, now: datetime) -> None:
    await transaction.execute("DELETE FROM borrowing WHERE day < %s", ((now - BORROWINGS_KEPT).date(),))
