"""Removals as rows. A worker that died is found by its lease, as with publications."""
# ruff: noqa: S608

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from kit.database import Transaction
from psycopg.types.json import Jsonb

from publisher.domain.removal import Removal, RemovalState

_COLUMNS: LiteralString = """
publication_id, workspace_id, asked_by, asked_at, state, tries, next_at, ended_at, code, detail, advice, evidence,
claim, leased_until
"""

_HISTORY = {
    RemovalState.ASKED: "removal_asked",
    RemovalState.REMOVED: "removed",
    RemovalState.NOT_POSSIBLE: "removal_not_possible",
    RemovalState.FAILED: "removal_failed",
}
"""How a publication's history calls it."""


@dataclass
class _Row:
    publication_id: UUID
    workspace_id: UUID
    asked_by: UUID | None
    asked_at: datetime
    state: str
    tries: int
    next_at: datetime | None
    ended_at: datetime | None
    code: str | None
    detail: str | None
    advice: str | None
    evidence: dict[str, Any] | None
    claim: UUID | None
    leased_until: datetime | None


class RemovalRows:
    """The part of `ports.Store` that is about removals."""

    _transaction: Transaction

    async def removals(self, publication_ids: Collection[UUID]) -> dict[UUID, Removal]:
        query: LiteralString = "SELECT " + _COLUMNS + " FROM removal WHERE publication_id = ANY(%(ids)s)"
        return {row.publication_id: row for row in await self._removals(query, {"ids": list(publication_ids)})}

    async def keep_removal(self, removal: Removal, *, actor: UUID | None = None) -> None:
        values = vars(removal) | {"evidence": Jsonb(dict(removal.evidence)) if removal.evidence is not None else None}
        await self._transaction.execute(
            "INSERT INTO removal (publication_id, workspace_id, asked_by, asked_at, state, tries, next_at, ended_at,"
            " code, detail, advice, evidence, claim, leased_until)"
            " VALUES (%(publication_id)s, %(workspace_id)s, %(asked_by)s, %(asked_at)s, %(state)s, %(tries)s,"
            " %(next_at)s, %(ended_at)s, %(code)s, %(detail)s, %(advice)s, %(evidence)s, %(claim)s, %(leased_until)s)"
            " ON CONFLICT (publication_id) DO UPDATE SET asked_by = excluded.asked_by, asked_at = excluded.asked_at,"
            " state = excluded.state, tries = excluded.tries, next_at = excluded.next_at, ended_at = excluded.ended_at,"
            " code = excluded.code, detail = excluded.detail, advice = excluded.advice, evidence = excluded.evidence,"
            " claim = excluded.claim, leased_until = excluded.leased_until",
            values,
        )
        told = _HISTORY.get(removal.state)
        if told is not None:
            await self._transaction.execute(
                "INSERT INTO history (publication_id, workspace_id, at, actor, state, code)"
                " VALUES (%s, %s, %s, %s, %s, %s)",
                (
                    removal.publication_id, removal.workspace_id, self._transaction.clock.now(), actor, told,
                    removal.code,
                ),
            )  # fmt: skip

    async def claim_removals(self, *, limit: int, leased_until: datetime) -> list[Removal]:
        query: LiteralString = (
            "UPDATE removal SET state = 'removing', claim = gen_random_uuid(), leased_until = %(leased_until)s"
            " WHERE publication_id IN (SELECT publication_id FROM removal WHERE next_at <= %(now)s"
            " AND (leased_until IS NULL OR leased_until <= %(now)s) ORDER BY next_at LIMIT %(limit)s"
            " FOR UPDATE SKIP LOCKED) RETURNING " + _COLUMNS
        )
        asked = {"now": self._transaction.clock.now(), "leased_until": leased_until, "limit": limit}
        return await self._removals(query, asked)

    async def lock_removal(self, claimed: Removal) -> Removal | None:
        query: LiteralString = (
            "SELECT " + _COLUMNS + " FROM removal WHERE publication_id = %(id)s AND claim = %(claim)s FOR UPDATE"
        )
        found = await self._removals(query, {"id": claimed.publication_id, "claim": claimed.claim})
        return found[0] if found else None

    async def _removals(self, query: LiteralString, parameters: dict[str, Any]) -> list[Removal]:
        rows = await self._transaction.all(_Row, query, parameters)
        return [Removal(**vars(row) | {"state": RemovalState(row.state)}) for row in rows]
