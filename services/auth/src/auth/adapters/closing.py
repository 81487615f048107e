"""The deletion of accounts in PostgreSQL, in two steps with the platforms' farewell between them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from contracts.auth import RevocationReason
from kit.database import Transaction

from auth.adapters.grants import cancel_authorisations

_WAYS_IN = ("session", "ceremony", "proof", "credential", "totp", "passkey", "recovery_code")


class StoredClosing:
    """Implements `auth.ports.connections.Closing`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def begin(self, account_id: UUID, *, at: datetime, until: datetime) -> bool:
        # Two owners who leave together take turns here, so that the second one closes the workspace.
        await self._transaction.execute(
            "SELECT 1 FROM workspace WHERE workspace_id IN (SELECT workspace_id FROM member WHERE account_id = %s)"
            " ORDER BY workspace_id FOR UPDATE",
            (account_id,),
        )
        begun = await self._transaction.execute(
            "UPDATE account SET deleted_at = %s, closing_until = %s WHERE account_id = %s AND deleted_at IS NULL",
            (at, until, account_id),
        )
        if not begun:
            return False
        for table in _WAYS_IN:
            await self._transaction.execute(f"DELETE FROM {table} WHERE account_id = %s", (account_id,))  # noqa: S608
        await self._transaction.execute("DELETE FROM photo WHERE account_id = %s", (account_id,))
        await self._transaction.execute("DELETE FROM invitation WHERE invited_by = %s", (account_id,))
        await self._transaction.execute("DELETE FROM identity WHERE account_id = %s", (account_id,))
        await self._transaction.execute(
            "UPDATE workspace w SET deleted_at = %(at)s, closed_by = %(account_id)s WHERE w.deleted_at IS NULL"
            " AND EXISTS (SELECT 1 FROM member m WHERE m.workspace_id = w.workspace_id"
            "  AND m.account_id = %(account_id)s AND m.role = 'owner')"
            " AND NOT EXISTS (SELECT 1 FROM member m JOIN account a USING (account_id)"
            "  WHERE m.workspace_id = w.workspace_id AND m.role = 'owner' AND a.deleted_at IS NULL)",
            {"at": at, "account_id": account_id},
        )
        await self._stop_what_is_closed(account_id, until)
        return True

    async def _stop_what_is_closed(self, account_id: UUID, until: datetime) -> None:
        await cancel_authorisations(
            self._transaction,
            "account_id = %(account_id)s OR workspace_id IN"
            " (SELECT workspace_id FROM workspace WHERE closed_by = %(account_id)s)",
            {"account_id": account_id},
        )
        await self._transaction.execute(
            "DELETE FROM invitation WHERE workspace_id IN (SELECT workspace_id FROM workspace WHERE closed_by = %s)",
            (account_id,),
        )
        await self._transaction.execute(
            "UPDATE connection SET state = 'ending', ending_reason = %(reason)s, ending_until = %(until)s,"
            " refresh_at = NULL WHERE connection_id IN (SELECT connection_id FROM connection"
            "  WHERE workspace_id IN (SELECT workspace_id FROM workspace WHERE closed_by = %(account_id)s)"
            "  AND state IN ('active', 'expiring', 'reauth_required') ORDER BY connection_id FOR UPDATE)",
            {"account_id": account_id, "reason": RevocationReason.ACCOUNT_DELETED.value, "until": until},
        )

    async def open_connections(self, account_id: UUID) -> list[UUID]:
        return await self._transaction.scalars(
            "SELECT connection_id FROM connection JOIN workspace USING (workspace_id)"
            " WHERE closed_by = %s AND state <> 'revoked'",
            (account_id,),
        )

    async def claim_stuck(self, *, now: datetime, until: datetime, limit: int) -> list[UUID]:
        return await self._transaction.scalars(
            "UPDATE account SET closing_until = %s WHERE account_id IN (SELECT account_id FROM account"
            " WHERE closing_until <= %s LIMIT %s FOR UPDATE SKIP LOCKED) RETURNING account_id",
            (until, now, limit),
        )

    async def finish(self, account_id: UUID) -> list[UUID] | None:
        finished = await self._transaction.execute(
            "UPDATE account SET closing_until = NULL WHERE account_id = %s AND closing_until IS NOT NULL",
            (account_id,),
        )
        if not finished:
            return None
        return await self._transaction.scalars(
            "UPDATE workspace SET closed_by = NULL WHERE closed_by = %s RETURNING workspace_id", (account_id,)
        )
