"""Publications as rows: read, claimed, written together with their history and attempts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from kit.database import Transaction
from kit.passport import Reach
from psycopg.types.json import Jsonb

from publisher.domain.publication import Publication, State
from publisher.ports import Entry

_COLUMNS: LiteralString = """
publication_id, workspace_id, schedule_id, occurrence, post_id, revision_id, connection_id, due_at, created_at,
platform, state, due, held, next_at, attempts, failures, content_hash, media_verified, staged_at, attempted_at,
published_at, platform_post_id, url, evidence, code, detail, advice, claim, leased_until, trace
"""
_SELECT: LiteralString = "SELECT " + _COLUMNS + " FROM publication "  # noqa: S608  # constants

_INSERT: LiteralString = """
INSERT INTO publication (publication_id, workspace_id, schedule_id, occurrence, post_id, revision_id, connection_id,
    due_at, created_at, platform, state, due, held, next_at, code, detail, advice, trace)
VALUES (%(publication_id)s, %(workspace_id)s, %(schedule_id)s, %(occurrence)s, %(post_id)s, %(revision_id)s,
    %(connection_id)s, %(due_at)s, %(created_at)s, %(platform)s, %(state)s, %(due)s, %(held)s, %(next_at)s, %(code)s,
    %(detail)s, %(advice)s, %(trace)s)
ON CONFLICT (schedule_id, connection_id, occurrence) DO NOTHING
"""

_UPDATE: LiteralString = """
UPDATE publication SET platform = %(platform)s, state = %(state)s, due = %(due)s, held = %(held)s,
    next_at = %(next_at)s, attempts = %(attempts)s, failures = %(failures)s, content_hash = %(content_hash)s,
    media_verified = %(media_verified)s, staged_at = %(staged_at)s, attempted_at = %(attempted_at)s,
    published_at = %(published_at)s, platform_post_id = %(platform_post_id)s, url = %(url)s, evidence = %(evidence)s,
    code = %(code)s, detail = %(detail)s, advice = %(advice)s, claim = %(claim)s, leased_until = %(leased_until)s,
    trace = %(trace)s
WHERE publication_id = %(publication_id)s
"""

_CLAIM: LiteralString = """
WITH chosen AS (
    SELECT publication_id FROM publication
    WHERE next_at <= %(now)s AND state = ANY(%(states)s) AND (leased_until IS NULL OR leased_until <= %(now)s)
      AND publication_id <> ALL(%(busy)s)
    ORDER BY next_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
UPDATE publication SET claim = gen_random_uuid(), leased_until = %(leased_until)s
WHERE publication_id IN (SELECT publication_id FROM chosen)
"""
# The columns are named, because a newer schema must fit this code while a release rolls out.
_RETURNING: LiteralString = "RETURNING " + _COLUMNS


@dataclass(frozen=True)
class _HistoryRow:
    publication_id: UUID
    at: datetime
    state: str
    code: str | None


class PublicationRows:
    """The part of `ports.Store` that is about publications."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def serialise(self, schedule_id: UUID) -> None:
        await self._transaction.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s::text, 0))", (schedule_id,))

    async def add(self, publication: Publication) -> bool:
        added = await self._transaction.execute(_INSERT, _values(publication))
        if added:
            await self._write_history(publication)
        return bool(added)

    async def save(self, before: Publication, after: Publication) -> None:
        await self._transaction.execute(_UPDATE, _values(after))
        if (after.state, after.code) != (before.state, before.code):
            await self._write_history(after)
        if after.attempts > before.attempts:
            await self._begin_attempt(after)
        if before.state is State.PUBLISHING and after.state is not State.PUBLISHING:
            await self._end_attempt(after)
        if after.ended:
            await self._transaction.execute("DELETE FROM journal WHERE publication_id = %s", (after.publication_id,))

    async def lock(self, publication_id: UUID) -> Publication | None:
        found = await self._all(_SELECT + "WHERE publication_id = %(id)s FOR UPDATE", {"id": publication_id})
        return found[0] if found else None

    async def lock_of_schedule(self, schedule_id: UUID) -> list[Publication]:
        return await self._all(
            _SELECT + "WHERE schedule_id = %(id)s ORDER BY publication_id FOR UPDATE", {"id": schedule_id}
        )

    async def lock_open_of_connection(self, connection_id: UUID) -> list[Publication]:
        return await self._all(
            _SELECT + "WHERE connection_id = %(id)s AND (next_at IS NOT NULL OR state = 'staged')"
            " ORDER BY publication_id FOR UPDATE",
            {"id": connection_id},
        )

    async def lock_open_of_workspace(self, workspace_id: UUID) -> list[Publication]:
        return await self._all(
            _SELECT + "WHERE workspace_id = %(id)s AND (next_at IS NOT NULL OR state = 'staged')"
            " ORDER BY publication_id FOR UPDATE",
            {"id": workspace_id},
        )

    async def claim(
        self, states: Collection[State], *, limit: int, busy: Collection[UUID], leased_until: datetime
    ) -> list[Publication]:
        return await self._all(
            _CLAIM + _RETURNING,
            {
                "now": self._transaction.clock.now(),
                "states": list(states),
                "limit": limit,
                "busy": list(busy),
                "leased_until": leased_until,
            },
        )

    async def prolong(self, publication: Publication, leased_until: datetime) -> None:
        await self._transaction.execute(
            "UPDATE publication SET leased_until = %s WHERE publication_id = %s AND claim = %s",
            (leased_until, publication.publication_id, publication.claim),
        )

    async def release(self, publication: Publication) -> None:
        await self._transaction.execute(
            "UPDATE publication SET claim = NULL, leased_until = NULL WHERE publication_id = %s AND claim = %s",
            (publication.publication_id, publication.claim),
        )

    async def find(self, publication_id: UUID) -> Publication | None:
        found = await self._all(_SELECT + "WHERE publication_id = %(id)s", {"id": publication_id})
        return found[0] if found else None

    async def newest(
        self, *, post_id: UUID | None, schedule_id: UUID | None, reach: Reach, limit: int
    ) -> list[Publication]:
        return await self._all(
            _SELECT + "WHERE (%(post_id)s::uuid IS NULL OR post_id = %(post_id)s)"
            " AND (%(schedule_id)s::uuid IS NULL OR schedule_id = %(schedule_id)s)"
            " AND (%(reach)s::uuid[] IS NULL OR connection_id = ANY (%(reach)s::uuid[]))"
            " ORDER BY due_at DESC, publication_id LIMIT %(limit)s",
            {"post_id": post_id, "schedule_id": schedule_id, "reach": reach, "limit": limit},
        )

    async def histories(self, publication_ids: Sequence[UUID]) -> dict[UUID, list[Entry]]:
        rows = await self._transaction.all(
            _HistoryRow,
            "SELECT publication_id, at, state, code FROM history WHERE publication_id = ANY(%s) ORDER BY number",
            (list(publication_ids),),
        )
        histories: dict[UUID, list[Entry]] = {publication_id: [] for publication_id in publication_ids}
        for row in rows:
            histories[row.publication_id].append(Entry(row.at, row.state, row.code))
        return histories

    async def _write_history(self, publication: Publication) -> None:
        await self._transaction.execute(
            "INSERT INTO history (publication_id, workspace_id, at, state, code) VALUES (%s, %s, %s, %s, %s)",
            (
                publication.publication_id, publication.workspace_id, self._transaction.clock.now(),
                publication.state, publication.code,
            ),
        )  # fmt: skip

    async def _begin_attempt(self, publication: Publication) -> None:
        await self._transaction.execute(
            "INSERT INTO attempt (publication_id, number, workspace_id, started_at) VALUES (%s, %s, %s, %s)",
            (
                publication.publication_id, publication.attempts, publication.workspace_id, publication.attempted_at,
            ),
        )  # fmt: skip

    async def _end_attempt(self, publication: Publication) -> None:
        await self._transaction.execute(
            "UPDATE attempt SET ended_at = %s, outcome = %s, code = %s WHERE publication_id = %s AND number = %s",
            (
                self._transaction.clock.now(), publication.state, publication.code, publication.publication_id,
                publication.attempts,
            ),
        )  # fmt: skip

    async def _all(self, query: LiteralString, parameters: dict[str, Any]) -> list[Publication]:
        rows = await self._transaction.all(_Row, query, parameters)
        return [Publication(**vars(row) | {"state": State(row.state)}) for row in rows]


@dataclass
class _Row:
    """The columns, in any order; `Publication` has the same names."""

    publication_id: UUID
    workspace_id: UUID
    schedule_id: UUID
    occurrence: int
    post_id: UUID
    revision_id: UUID
    connection_id: UUID
    due_at: datetime
    created_at: datetime
    platform: str | None
    state: str
    due: bool
    held: bool
    next_at: datetime | None
    attempts: int
    failures: int
    content_hash: str | None
    media_verified: bool
    staged_at: datetime | None
    attempted_at: datetime | None
    published_at: datetime | None
    platform_post_id: str | None
    url: str | None
    evidence: dict[str, Any] | None
    code: str | None
    detail: str | None
    advice: str | None
    claim: UUID | None
    leased_until: datetime | None
    trace: str | None


def _values(publication: Publication) -> dict[str, Any]:
    evidence = publication.evidence
    return vars(publication) | {"evidence": Jsonb(dict(evidence)) if evidence is not None else None}
