"""Access that was withdrawn at a platform or may still stand there, in PostgreSQL."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from kit.database import Transaction

from auth.domain.withdrawing import EndedConnection
from auth.ports.withdrawals import LateRevocation


class StoredWithdrawals:
    """Implements `auth.ports.withdrawals.Withdrawals`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def end_account(self, platform: str, person_id: str, *, left_at: datetime, now: datetime) -> list[UUID]:
        # Platforms tell whole seconds; nobody leaves and comes back within one.
        return await self._transaction.scalars(
            "UPDATE connection SET state = 'ending', ending_reason = 'platform', ending_until = %(now)s,"
            " refresh_at = NULL WHERE connection_id IN (SELECT connection_id FROM connection"
            " WHERE platform = %(platform)s AND (external_id = %(person)s OR union_id = %(person)s)"
            " AND state IN ('active', 'expiring', 'reauth_required')"
            " AND date_trunc('second', established_at) <= %(left_at)s ORDER BY connection_id FOR UPDATE)"
            " RETURNING connection_id",
            {"platform": platform, "person": person_id, "left_at": left_at, "now": now},
        )

    async def erasures_of(self, platform: str, person_id: str) -> list[UUID]:
        # What ends with its workspace or account is covered by that erasure.
        return await self._transaction.scalars(
            "UPDATE connection SET erasure_id = coalesce(erasure_id, gen_random_uuid()) WHERE platform = %(platform)s"
            " AND (external_id = %(person)s OR union_id = %(person)s) AND state = 'ending'"
            " AND ending_reason IN ('platform', 'disconnected') RETURNING erasure_id",
            {"platform": platform, "person": person_id},
        )

    async def end_lapsed(self, *, dead_until: datetime, now: datetime, limit: int) -> int:
        return await self._transaction.execute(
            "UPDATE connection SET state = 'ending', ending_reason = 'platform', ending_until = %(now)s"
            " WHERE connection_id IN (SELECT connection_id FROM connection WHERE state = 'reauth_required'"
            " AND dead_since <= %(dead_until)s ORDER BY dead_since LIMIT %(limit)s FOR UPDATE SKIP LOCKED)",
            {"dead_until": dead_until, "now": now, "limit": limit},
        )

    async def ended(self, workspace_id: UUID, *, limit: int) -> list[EndedConnection]:
        return await self._transaction.all(
            EndedConnection,
            "SELECT connection_id, platform, ending_reason AS reason, established_at, revoked_at, platform_confirmed,"
            " confirmed_at, unconfirmed_because, erasure_id FROM connection"
            " WHERE workspace_id = %s AND state = 'revoked' ORDER BY revoked_at DESC, connection_id LIMIT %s",
            (workspace_id, limit),
        )

    async def add_late(self, late: LateRevocation, workspace_id: UUID, *, due_at: datetime, until: datetime) -> None:
        await self._transaction.execute(
            "INSERT INTO late_revocation (connection_id, workspace_id, platform, wrapped_key, key_id, nonce,"
            " ciphertext, attempts, due_at, until)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            (
                late.connection_id, workspace_id, late.platform, late.wrapped_key, late.key_id, late.nonce,
                late.ciphertext, late.attempts, due_at, until,
            ),
        )  # fmt: skip

    async def claim_late(self, *, now: datetime, until: datetime, limit: int) -> list[LateRevocation]:
        return await self._transaction.all(
            LateRevocation,
            "UPDATE late_revocation SET due_at = %(until)s, attempts = attempts + 1 WHERE connection_id IN"
            " (SELECT connection_id FROM late_revocation WHERE due_at <= %(now)s AND until > %(now)s"
            "  ORDER BY due_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)"
            " RETURNING connection_id, platform, wrapped_key, key_id, nonce, ciphertext, attempts",
            {"now": now, "until": until, "limit": limit},
        )

    async def postpone_late(self, connection_id: UUID, *, due_at: datetime) -> None:
        await self._transaction.execute(
            "UPDATE late_revocation SET due_at = %s WHERE connection_id = %s", (due_at, connection_id)
        )

    async def drop_late(self, connection_id: UUID) -> None:
        await self._transaction.execute("DELETE FROM late_revocation WHERE connection_id = %s", (connection_id,))

    async def confirm(self, connection_id: UUID, *, at: datetime) -> None:
        await self._transaction.execute(
            "UPDATE connection SET platform_confirmed = true, unconfirmed_because = NULL, confirmed_at = %s"
            " WHERE connection_id = %s AND state = 'revoked' AND platform_confirmed = false",
            (at, connection_id),
        )


async def forget_late_revocations(transaction: Transaction, now: datetime) -> None:
    await transaction.execute("DELETE FROM late_revocation WHERE until <= %s", (now,))
