"""Grants on their way to their end, in PostgreSQL. Each step is taken once, by whichever process comes first."""

from __future__ import annotations

from datetime import datetime

from kit.database import Transaction

from auth.ports.endings import Nearing, ToTell


class StoredEndings:
    """Implements `auth.ports.endings.Endings`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def begin_expiring(self, *, now: datetime, before: datetime, limit: int) -> list[Nearing]:
        return await self._transaction.all(
            Nearing,
            "UPDATE connection SET state = 'expiring', notice = 'ends' WHERE connection_id IN ("
            " SELECT connection_id FROM connection WHERE state = 'active' AND ends_at > %(now)s"
            " AND ends_at <= %(before)s ORDER BY ends_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)"
            " RETURNING connection_id, workspace_id, ends_at",
            {"now": now, "before": before, "limit": limit},
        )

    async def expire(self, *, now: datetime, limit: int) -> list[Nearing]:
        return await self._transaction.all(
            Nearing,
            "UPDATE connection SET state = 'reauth_required', refresh_at = NULL, notice = 'needs_you',"
            " reauth_reason = 'expired', dead_since = %(now)s WHERE connection_id IN ("
            " SELECT connection_id FROM connection WHERE state IN ('active', 'expiring') AND ends_at <= %(now)s"
            " AND (refreshing_until IS NULL OR refreshing_until <= %(now)s)"
            " ORDER BY ends_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)"
            " RETURNING connection_id, workspace_id, ends_at",
            {"now": now, "limit": limit},
        )

    async def take_notices(self, *, now: datetime, told_before: datetime, limit: int) -> list[ToTell]:
        return await self._transaction.all(
            ToTell,
            "WITH due AS (SELECT connection_id, notice FROM connection WHERE notice IS NOT NULL"
            " AND (noticed_at IS NULL OR noticed_at <= %(told_before)s) AND state NOT IN ('ending', 'revoked')"
            " LIMIT %(limit)s FOR UPDATE SKIP LOCKED)"
            " UPDATE connection c SET notice = NULL, noticed_at = %(now)s FROM due, workspace w"
            " WHERE c.connection_id = due.connection_id AND w.workspace_id = c.workspace_id"
            " RETURNING c.connection_id, c.workspace_id, w.name AS workspace_name, c.platform, c.handle, due.notice,"
            " c.reauth_reason AS reason, c.ends_at",
            {"now": now, "told_before": told_before, "limit": limit},
        )
