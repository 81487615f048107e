"""The auditor's rows: its own look at publications, its runs and what they found."""
# ruff: noqa: S608

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, LiteralString
from uuid import UUID

from kit.database import Transaction
from psycopg.types.json import Jsonb

from publisher.domain.auditing import Booked, Difference, Kind, names_in
from publisher.ports.auditing import Account, Report, Run

LATE = timedelta(days=8)
"""A person may let a post go out a week after its time; older ones are not looked through for what went out late."""

BACK_MAX = timedelta(days=7)
"""An audit after a long silence looks back no further."""

_BOOKED: LiteralString = """
SELECT p.publication_id, p.workspace_id, p.schedule_id, p.connection_id, p.revision_id, p.platform, p.state, p.code,
    p.due_at, p.publish_until, p.attempted_at, p.platform_post_id, p.evidence,
    coalesce((SELECT max(h.at) FROM history h WHERE h.publication_id = p.publication_id
        AND left(h.state, 5) <> 'remov'), p.created_at) AS changed_at,
    coalesce((SELECT c.state <> 'revoked' FROM connection c WHERE c.connection_id = p.connection_id), false)
        AS connected,
    r.state AS removal, r.ended_at AS removal_ended_at
FROM publication p LEFT JOIN removal r USING (publication_id)
"""

_HAPPENED: LiteralString = """
p.due_at >= %(since)s - %(late)s AND p.due_at < %(until)s
    AND (p.due_at >= %(since)s OR p.attempted_at >= %(since)s OR p.published_at >= %(since)s)
"""


@dataclass(frozen=True)
class _Receipt:
    platform_post_id: str | None
    evidence: dict[str, Any] | None


@dataclass
class _RunRow:
    run_id: UUID
    state: str
    since: datetime
    until: datetime
    created_at: datetime
    ended_at: datetime | None
    counts: dict[str, int]


@dataclass
class _FindingRow:
    kind: str
    workspace_id: UUID
    detail: str
    schedule_id: UUID | None
    publication_id: UUID | None
    connection_id: UUID | None
    platform: str | None
    post_ids: list[str]


class AuditRows:
    """Satisfies `ports.auditing.AuditStore`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def plan(self, run: Run, *, asked: bool) -> None:
        await self._transaction.execute(
            "INSERT INTO audit (run_id, since, until, asked, state, created_at)"
            " VALUES (%(run_id)s, %(since)s, %(until)s, %(asked)s, 'waiting', %(now)s)",
            vars(run) | {"asked": asked, "now": self._transaction.clock.now()},
        )

    async def plan_if_due(self, run_id: UUID, *, until: datetime, every: timedelta) -> None:
        since: datetime | None = await self._transaction.scalar(
            "SELECT coalesce((SELECT max(until) FROM audit WHERE NOT asked), (SELECT min(due_at) FROM publication))"
        )
        if since is None or since + every > until:
            return
        # Of several processes one plans it; what the others saw is looked at once more.
        await self._transaction.execute("SELECT pg_advisory_xact_lock(hashtextextended('audit', 0))")
        planned = await self._transaction.scalar(
            "SELECT EXISTS (SELECT 1 FROM audit WHERE NOT asked AND until > %s)", (since,)
        )
        if not planned:
            await self.plan(Run(run_id, max(since, until - BACK_MAX), until, None), asked=False)

    async def claim(self, *, leased_until: datetime) -> Run | None:
        run = await self._transaction.first(
            Run,
            "UPDATE audit SET state = 'running', claim = gen_random_uuid(), leased_until = %(leased_until)s"
            " WHERE run_id = (SELECT run_id FROM audit WHERE state <> 'done'"
            " AND (leased_until IS NULL OR leased_until <= %(now)s)"
            " ORDER BY asked DESC, created_at LIMIT 1 FOR UPDATE SKIP LOCKED)"
            " RETURNING run_id, since, until, claim",
            {"leased_until": leased_until, "now": self._transaction.clock.now()},
        )
        if run is not None:
            await self._transaction.execute("DELETE FROM audit_finding WHERE run_id = %s", (run.run_id,))
        return run

    async def prolong(self, run: Run, leased_until: datetime) -> bool:
        kept = await self._transaction.execute(
            "UPDATE audit SET leased_until = %s WHERE run_id = %s AND claim = %s",
            (leased_until, run.run_id, run.claim),
        )
        return bool(kept)

    async def note(self, run: Run, differences: Sequence[Difference]) -> None:
        await self._transaction.execute_many(
            "INSERT INTO audit_finding (run_id, workspace_id, kind, schedule_id, publication_id, connection_id,"
            " platform, post_ids, detail) VALUES (%(run_id)s, %(workspace_id)s, %(kind)s, %(schedule_id)s,"
            " %(publication_id)s, %(connection_id)s, %(platform)s, %(post_ids)s, %(detail)s)",
            [vars(each) | {"run_id": run.run_id, "post_ids": list(each.post_ids)} for each in differences],
        )

    async def finish(self, run: Run, counts: Mapping[str, int]) -> None:
        await self._transaction.execute(
            "UPDATE audit SET state = 'done', ended_at = %s, counts = %s, claim = NULL, leased_until = NULL"
            " WHERE run_id = %s AND claim = %s",
            (self._transaction.clock.now(), Jsonb(dict(counts)), run.run_id, run.claim),
        )

    async def of_schedules(self, schedule_ids: Collection[UUID]) -> list[Booked]:
        return await self._booked("WHERE p.schedule_id = ANY(%(ids)s)", {"ids": list(schedule_ids)})

    async def due_between(self, since: datetime, until: datetime, *, after: UUID | None, limit: int) -> list[Booked]:
        return await self._booked(
            "WHERE p.due_at >= %(since)s AND p.due_at < %(until)s"
            " AND (%(after)s::uuid IS NULL OR p.publication_id > %(after)s)"
            " ORDER BY p.publication_id LIMIT %(limit)s",
            {"since": since, "until": until, "after": after, "limit": limit},
        )

    async def not_ended(self, before: datetime, *, limit: int) -> list[Booked]:
        return await self._booked(
            "WHERE p.due_at < %(before)s AND p.state NOT IN ('published', 'failed', 'needs_attention', 'missed',"
            " 'cancelled') ORDER BY p.due_at LIMIT %(limit)s",
            {"before": before, "limit": limit},
        )

    async def accounts(self, since: datetime, until: datetime) -> list[Account]:
        query: LiteralString = (
            "SELECT DISTINCT p.connection_id, p.workspace_id, coalesce(p.platform, c.platform) AS platform"
            " FROM publication p JOIN connection c USING (connection_id) WHERE c.state <> 'revoked'"
            " AND coalesce(p.platform, c.platform) IS NOT NULL AND " + _HAPPENED
        )
        return await self._transaction.all(Account, query, {"since": since, "until": until, "late": LATE})

    async def at(self, connection_id: UUID, since: datetime, until: datetime, *, limit: int) -> list[Booked]:
        where: LiteralString = (
            "WHERE p.connection_id = %(connection_id)s AND " + _HAPPENED + " ORDER BY p.due_at LIMIT %(limit)s"
        )
        asked = {"connection_id": connection_id, "since": since, "until": until, "late": LATE, "limit": limit}
        return await self._booked(where, asked)

    async def claimed(self, connection_id: UUID, since: datetime) -> frozenset[str]:
        receipts = await self._transaction.all(
            _Receipt,
            "SELECT platform_post_id, evidence FROM publication WHERE connection_id = %s"
            " AND (published_at >= %s OR attempted_at >= %s)",
            (connection_id, since, since),
        )
        return frozenset(name for each in receipts for name in names_in([each.platform_post_id, each.evidence]))

    async def report(self, run_id: UUID) -> Report | None:
        row = await self._transaction.first(
            _RunRow,
            "SELECT run_id, state, since, until, created_at, ended_at, counts FROM audit WHERE run_id = %s",
            (run_id,),
        )
        if row is None:
            return None
        rows = await self._transaction.all(
            _FindingRow,
            "SELECT kind, workspace_id, detail, schedule_id, publication_id, connection_id, platform, post_ids"
            " FROM audit_finding WHERE run_id = %s ORDER BY number",
            (run_id,),
        )
        findings = [
            Difference(**vars(each) | {"kind": Kind(each.kind), "post_ids": tuple(each.post_ids)}) for each in rows
        ]
        return Report(**vars(row), findings=findings)

    async def withdraw(self, run_id: UUID) -> bool:
        return bool(
            await self._transaction.execute("DELETE FROM audit WHERE run_id = %s AND state = 'waiting'", (run_id,))
        )

    async def forget(self, before: datetime) -> None:
        await self._transaction.execute("DELETE FROM audit WHERE created_at < %s", (before,))

    async def _booked(self, where: LiteralString, parameters: dict[str, Any]) -> list[Booked]:
        return await self._transaction.all(Booked, _BOOKED + where, parameters)
