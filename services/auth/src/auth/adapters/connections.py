"""Connections in PostgreSQL. Whoever works on one claims it for a while; whoever lends it holds its row."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from contracts.auth import PlatformConfirmation, RevocationReason
from kit.database import Transaction

from auth.domain.connections import CONFIRMED, LENDABLE, Brief, Connection, Ended, UnconfirmedBecause
from auth.domain.renewing import EXPIRING_AHEAD, Life
from auth.ports.connections import Closed, Due, Ending, Known, Stopped


class StoredConnections:
    """Implements `auth.ports.connections.Connections`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def of_workspace(self, workspace_id: UUID) -> list[Connection]:
        return await self._transaction.all(
            Connection,
            "SELECT connection_id, workspace_id, platform, state, external_id AS account_id, union_id, handle,"
            " display_name, avatar_url, account_type, scopes, expires_at, ends_at, failing_since FROM connection"
            " WHERE workspace_id = %s AND state <> 'revoked' ORDER BY established_at, connection_id",
            (workspace_id,),
        )

    async def briefs(self, workspace_id: UUID) -> list[Brief]:
        return await self._transaction.all(
            Brief,
            "SELECT connection_id, platform, state, ends_at, failing_since, expires_at FROM connection"
            " WHERE workspace_id = %s AND state <> 'revoked' ORDER BY established_at, connection_id",
            (workspace_id,),
        )

    async def known(self, workspace_id: UUID, platform: str, account_id: str) -> Known | None:
        return await self._transaction.first(
            Known,
            "SELECT connection_id, generation, data_key_id FROM connection JOIN sealed_grant USING (connection_id)"
            " WHERE connection.workspace_id = %s AND platform = %s AND external_id = %s"
            " AND state IN ('active', 'expiring', 'reauth_required')",
            (workspace_id, platform, account_id),
        )

    async def establish(self, connection: Connection, life: Life, *, bond: str, at: datetime, is_new: bool) -> bool:
        facts = {
            "connection_id": connection.connection_id,
            "workspace_id": connection.workspace_id,
            "platform": connection.platform,
            "external_id": connection.account_id,
            "union_id": connection.union_id,
            "handle": connection.handle,
            "display_name": connection.display_name,
            "avatar_url": connection.avatar_url,
            "account_type": connection.account_type,
            "scopes": connection.scopes,
            "expires_at": life.expires_at,
            "refresh_at": life.refresh_at,
            "ends_at": life.ends_at,
            "bond": bond,
            "at": at,
        }
        if is_new:
            return bool(
                await self._transaction.execute(
                    "INSERT INTO connection (connection_id, workspace_id, platform, state, external_id, union_id,"
                    " handle, display_name, avatar_url, account_type, scopes, expires_at, established_at, refresh_at,"
                    " ends_at, bond)"
                    " VALUES (%(connection_id)s, %(workspace_id)s, %(platform)s, 'active', %(external_id)s,"
                    " %(union_id)s, %(handle)s, %(display_name)s, %(avatar_url)s, %(account_type)s, %(scopes)s,"
                    " %(expires_at)s, %(at)s, %(refresh_at)s, %(ends_at)s, %(bond)s) ON CONFLICT DO NOTHING",
                    facts,
                )
            )
        return bool(
            await self._transaction.execute(
                "UPDATE connection SET state = 'active', union_id = %(union_id)s, handle = %(handle)s,"
                " display_name = %(display_name)s, avatar_url = %(avatar_url)s, account_type = %(account_type)s,"
                " scopes = %(scopes)s, expires_at = %(expires_at)s, refresh_at = %(refresh_at)s,"
                " refresh_attempts = 0, refreshing_until = NULL, established_at = %(at)s, ends_at = %(ends_at)s,"
                " bond = %(bond)s, failing_since = NULL, is_overdue = false, notice = NULL, reauth_reason = NULL,"
                " dead_since = NULL WHERE connection_id = %(connection_id)s"
                " AND state IN ('active', 'expiring', 'reauth_required')",
                facts,
            )
        )

    async def is_shared(self, platform: str, bond: str) -> bool:
        found = await self._transaction.scalar(
            "SELECT 1 FROM connection WHERE platform = %s AND bond = %s AND state IN ('active', 'expiring') LIMIT 1",
            (platform, bond),
        )
        return found is not None

    async def require_reauthorisation(
        self, connection_id: UUID, *, code: str, at: datetime, generation: int | None = None
    ) -> Stopped | None:
        stopped = await self._transaction.first(
            Stopped,
            "UPDATE connection SET state = 'reauth_required', refresh_at = NULL, refreshing_until = NULL,"
            " notice = 'needs_you', reauth_reason = %(code)s, dead_since = %(at)s"
            " WHERE connection_id = %(connection_id)s AND state IN ('active', 'expiring')"
            " AND (%(generation)s::int IS NULL OR EXISTS (SELECT 1 FROM sealed_grant g"
            " WHERE g.connection_id = %(connection_id)s AND g.generation = %(generation)s))"
            " RETURNING workspace_id, platform",
            {"connection_id": connection_id, "generation": generation, "code": code, "at": at},
        )
        if stopped is None:
            await self._transaction.execute(
                "UPDATE connection SET refreshing_until = NULL WHERE connection_id = %s AND state = 'ending'",
                (connection_id,),
            )
        return stopped

    async def claim_due(self, *, now: datetime, until: datetime, forced_before: datetime, limit: int) -> list[Due]:
        return await self._transaction.all(
            Due,
            "UPDATE connection SET refreshing_until = %(until)s WHERE connection_id IN ("
            " SELECT c.connection_id FROM connection c WHERE c.state IN ('active', 'expiring')"
            " AND c.refresh_at <= %(now)s AND (c.ends_at IS NULL OR c.ends_at > %(now)s)"
            " AND (c.refreshing_until IS NULL OR c.refreshing_until <= %(now)s)"
            " AND (c.expires_at <= %(forced_before)s OR NOT EXISTS"
            " (SELECT 1 FROM lease l WHERE l.connection_id = c.connection_id AND l.expires_at > %(now)s))"
            " ORDER BY c.expires_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)"
            " RETURNING connection_id, workspace_id, platform, refresh_attempts",
            {"now": now, "until": until, "forced_before": forced_before, "limit": limit},
        )

    async def renewed(
        self,
        connection_id: UUID,
        *,
        generation: int,
        scopes: Sequence[str],
        life: Life,
        at: datetime,
    ) -> str | None:
        state: str | None = await self._transaction.scalar(
            "UPDATE connection c SET scopes = %(scopes)s, expires_at = %(expires_at)s, ends_at = %(ends_at)s,"
            " refresh_attempts = 0, refreshing_until = NULL, failing_since = NULL, is_overdue = false,"
            " notice = nullif(notice, 'overdue'),"
            " state = CASE WHEN state = 'expiring' AND (%(ends_at)s::timestamptz IS NULL OR %(ends_at)s > %(soon)s)"
            " THEN 'active' ELSE state END,"
            " refresh_at = CASE WHEN state IN ('active', 'expiring') THEN %(refresh_at)s ELSE refresh_at END"
            " FROM sealed_grant g WHERE c.connection_id = %(connection_id)s AND c.state <> 'revoked'"
            " AND g.connection_id = c.connection_id AND g.generation = %(generation)s RETURNING c.state",
            {
                "connection_id": connection_id,
                "generation": generation,
                "scopes": list(scopes),
                "expires_at": life.expires_at,
                "ends_at": life.ends_at,
                "refresh_at": life.refresh_at,
                "soon": at + EXPIRING_AHEAD,
            },
        )
        return state

    async def postpone(self, connection_id: UUID, *, refresh_at: datetime, at: datetime, is_failure: bool) -> None:
        await self._transaction.execute(
            "UPDATE connection SET refresh_attempts = refresh_attempts + 1, refreshing_until = NULL,"
            " refresh_at = CASE WHEN state IN ('active', 'expiring') THEN %(refresh_at)s ELSE refresh_at END,"
            " failing_since = CASE WHEN %(is_failure)s THEN coalesce(failing_since, %(at)s) ELSE failing_since END,"
            " notice = CASE WHEN %(is_failure)s AND expires_at <= %(at)s AND NOT is_overdue THEN 'overdue'"
            " ELSE notice END, is_overdue = is_overdue OR (%(is_failure)s AND expires_at <= %(at)s)"
            " WHERE connection_id = %(connection_id)s",
            {"connection_id": connection_id, "refresh_at": refresh_at, "at": at, "is_failure": is_failure},
        )

    async def freeze(self, connection_id: UUID, reason: RevocationReason, *, now: datetime, until: datetime) -> bool:
        return bool(
            await self._transaction.execute(
                "UPDATE connection SET state = 'ending', ending_reason = coalesce(ending_reason, %(reason)s),"
                " ending_until = %(until)s, refresh_at = NULL WHERE connection_id = %(connection_id)s"
                " AND (state IN ('active', 'expiring', 'reauth_required')"
                " OR (state = 'ending' AND ending_until <= %(now)s))",
                {"connection_id": connection_id, "reason": reason.value, "now": now, "until": until},
            )
        )

    async def ended(self, connection_id: UUID) -> Ended | None:
        return await self._transaction.first(
            Ended,
            "SELECT platform, state, platform_confirmed, erasure_id, unconfirmed_because FROM connection"
            " WHERE connection_id = %s",
            (connection_id,),
        )

    async def claim_stuck(self, *, now: datetime, until: datetime, limit: int) -> list[UUID]:
        return await self._transaction.scalars(
            "UPDATE connection SET ending_until = %s WHERE connection_id IN (SELECT connection_id FROM connection"
            " WHERE state = 'ending' AND ending_until <= %s LIMIT %s FOR UPDATE SKIP LOCKED) RETURNING connection_id",
            (until, now, limit),
        )

    async def is_quiet(self, connection_id: UUID, *, now: datetime, beside_refresh: bool) -> bool:
        busy: bool | None = await self._transaction.scalar(
            "SELECT EXISTS (SELECT 1 FROM lease WHERE connection_id = %(connection_id)s AND expires_at > %(now)s)"
            " OR (%(beside_refresh)s AND EXISTS (SELECT 1 FROM connection WHERE connection_id = %(connection_id)s"
            " AND refreshing_until > %(now)s))",
            {"connection_id": connection_id, "now": now, "beside_refresh": beside_refresh},
        )
        return not busy

    async def is_lendable(self, connection_id: UUID) -> bool:
        state = await self._transaction.scalar(
            "SELECT state FROM connection WHERE connection_id = %s", (connection_id,)
        )
        return state in LENDABLE

    async def ending(self, connection_id: UUID) -> Ending | None:
        return await self._transaction.first(
            Ending,
            "SELECT platform, ending_reason AS reason, platform_confirmed, unconfirmed_because,"
            " dead_since IS NOT NULL AS dead, bond, EXISTS (SELECT 1 FROM connection o"
            " WHERE o.platform = c.platform AND o.bond = c.bond AND o.connection_id <> c.connection_id"
            " AND o.state IN ('active', 'expiring')) AS shared FROM connection c WHERE connection_id = %s",
            (connection_id,),
        )

    async def recall(self, connection_id: UUID, *, erasure_id: UUID, now: datetime) -> bool:
        return bool(
            await self._transaction.execute(
                "UPDATE connection SET state = 'ending', ending_reason = coalesce(ending_reason, %s),"
                " ending_until = %s, refresh_at = NULL, erasure_id = %s"
                " WHERE connection_id = %s AND state <> 'revoked'",
                (RevocationReason.DISCONNECTED.value, now, erasure_id, connection_id),
            )
        )

    async def record_answer(
        self, connection_id: UUID, confirmation: PlatformConfirmation, because: UnconfirmedBecause | None
    ) -> None:
        await self._transaction.execute(
            "UPDATE connection SET platform_confirmed = %s, unconfirmed_because = %s"
            " WHERE connection_id = %s AND state = 'ending'",
            (CONFIRMED[confirmation], because, connection_id),
        )

    async def close(
        self,
        connection_id: UUID,
        confirmation: PlatformConfirmation,
        because: UnconfirmedBecause | None,
        *,
        at: datetime,
        erasure_id: UUID,
    ) -> Closed | None:
        return await self._transaction.first(
            Closed,
            "UPDATE connection SET state = 'revoked', revoked_at = coalesce(dead_since, %s), platform_confirmed = %s,"
            " unconfirmed_because = %s, erasure_id = coalesce(erasure_id, %s),"
            " external_id = NULL, union_id = NULL, handle = NULL, display_name = NULL,"
            " avatar_url = NULL, account_type = NULL, scopes = NULL, expires_at = NULL,"
            " ends_at = NULL, bond = NULL, failing_since = NULL, notice = NULL, noticed_at = NULL,"
            " reauth_reason = NULL, refresh_at = NULL, refreshing_until = NULL, ending_until = NULL,"
            " dead_since = NULL WHERE connection_id = %s AND state = 'ending'"
            " RETURNING workspace_id, platform, ending_reason, revoked_at, erasure_id",
            (at, CONFIRMED[confirmation], because, erasure_id, connection_id),
        )
