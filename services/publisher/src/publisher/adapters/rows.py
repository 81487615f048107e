"""Publications as rows: read, claimed, written together with their history and attempts."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from kit.database import Transaction
from kit.json_rows import json_rows
from psycopg.types.json import Jsonb

from publisher.adapters import statements
from publisher.domain.publication import Publication, State
from publisher.ports import Attempt, Change, Entry, Wanted


@dataclass(frozen=True)
class _HistoryRow:
    publication_id: UUID
    at: datetime
    state: str
    code: str | None
    actor: UUID | None


class PublicationRows:
    """The part of `ports.Store` that is about publications."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def serialise(self, schedule_id: UUID) -> None:
        await self._transaction.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s::text, 0))", (schedule_id,))

    async def add(self, publication: Publication) -> bool:
        return bool(
            await self._transaction.execute(
                statements.INSERT, _values(publication) | {"now": self._transaction.clock.now()}
            )
        )

    async def save(self, changes: Sequence[Change], *, actor: UUID | None = None) -> None:
        """One statement for rows, history, attempts and journal: the time of a burst is spent between statements."""
        different = {name for change in changes for name in _different(*change)}
        changed = tuple(name for name in statements.CHANGEABLE if name in different)
        await self._transaction.execute(
            statements.save(changed),
            {
                "rows": json_rows([_document(changed, *change) for change in changes]),
                "now": self._transaction.clock.now(),
                "actor": actor,
                "done": [new.publication_id for _, new in changes if not new.resumable],
            },
        )

    async def lock(self, publication_ids: Collection[UUID]) -> list[Publication]:
        return await self._all(
            statements.SELECT + "WHERE publication_id = ANY(%(ids)s) ORDER BY publication_id FOR UPDATE",
            {"ids": list(publication_ids)},
        )

    async def lock_of_schedules(self, schedule_ids: Collection[UUID]) -> list[Publication]:
        return await self._all(
            statements.SELECT + "WHERE schedule_id = ANY(%(ids)s) ORDER BY publication_id FOR UPDATE",
            {"ids": list(schedule_ids)},
        )

    async def lock_open_of_connection(self, connection_id: UUID) -> list[Publication]:
        return await self._all(
            statements.SELECT + "WHERE connection_id = %(id)s AND (next_at IS NOT NULL OR state = 'staged')"
            " ORDER BY publication_id FOR UPDATE",
            {"id": connection_id},
        )

    async def lock_open_of_workspace(self, workspace_id: UUID) -> list[Publication]:
        return await self._all(
            statements.SELECT + "WHERE workspace_id = %(id)s AND (next_at IS NOT NULL OR state = 'staged')"
            " ORDER BY publication_id FOR UPDATE",
            {"id": workspace_id},
        )

    async def claim(
        self,
        states: Collection[State],
        *,
        limit: int,
        busy: Collection[UUID],
        without: Collection[str] = (),
        leased_until: datetime,
    ) -> list[Publication]:
        asked = self._ready(states, busy, without) | {"limit": limit, "leased_until": leased_until}
        return await self._all(statements.CLAIM_OLDEST, asked)

    async def claim_in_turns(
        self,
        states: Collection[State],
        workspaces: Sequence[UUID],
        *,
        each: int,
        busy: Collection[UUID],
        without: Collection[str] = (),
        leased_until: datetime,
    ) -> list[Publication]:
        asked = self._ready(states, busy, without) | {
            "workspaces": list(workspaces),
            "limit": each,
            "leased_until": leased_until,
        }
        return await self._all(statements.CLAIM_OF_EACH, asked)

    async def waiting(
        self, states: Collection[State], *, busy: Collection[UUID], without: Collection[str] = ()
    ) -> list[UUID]:
        return await self._transaction.scalars(statements.WAITING, self._ready(states, busy, without))

    def _ready(self, states: Collection[State], busy: Collection[UUID], without: Collection[str]) -> dict[str, Any]:
        now = self._transaction.clock.now()
        return {"now": now, "states": list(states), "busy": list(busy), "without": list(without)}

    async def prolong(self, publications: Collection[Publication], leased_until: datetime) -> None:
        """Rows that are being written at this moment are left out: to wait for them would hold up all others."""
        await self._transaction.execute(
            "UPDATE publication SET leased_until = %s WHERE publication_id IN ("
            " SELECT publication_id FROM publication p"
            " JOIN unnest(%s::uuid[], %s::uuid[]) AS ours (publication_id, claim) USING (publication_id, claim)"
            " FOR UPDATE OF p SKIP LOCKED)",
            (leased_until, *_columns(publications, "publication_id", "claim")),
        )

    async def release(self, publications: Collection[Publication]) -> None:
        await self._transaction.execute(
            "UPDATE publication SET claim = NULL, leased_until = NULL"
            " FROM unnest(%s::uuid[], %s::uuid[]) AS ours (publication_id, claim)"
            " WHERE publication.publication_id = ours.publication_id AND publication.claim = ours.claim",
            _columns(publications, "publication_id", "claim"),
        )

    async def find(self, publication_id: UUID) -> Publication | None:
        found = await self._all(statements.SELECT + "WHERE publication_id = %(id)s", {"id": publication_id})
        return found[0] if found else None

    async def newest(self, wanted: Wanted, *, limit: int) -> list[Publication]:
        return await self._all(statements.SELECT + statements.WANTED, vars(wanted) | {"limit": limit})

    async def attempts(self, publication_id: UUID) -> list[Attempt]:
        return await self._transaction.all(
            Attempt,
            "SELECT number, started_at, ended_at, outcome, code FROM attempt WHERE publication_id = %s ORDER BY number",
            (publication_id,),
        )

    async def forget_journals(self, *, before: datetime) -> None:
        await self._transaction.execute(
            "DELETE FROM journal USING publication p WHERE journal.recorded_at < %s AND p.next_at IS NULL"
            " AND p.publication_id = journal.publication_id AND p.state IN ('failed', 'missed', 'needs_attention')",
            (before,),
        )

    async def histories(self, publication_ids: Sequence[UUID]) -> dict[UUID, list[Entry]]:
        rows = await self._transaction.all(
            _HistoryRow,
            "SELECT publication_id, at, state, code, actor FROM history WHERE publication_id = ANY(%s) ORDER BY number",
            (list(publication_ids),),
        )
        histories: dict[UUID, list[Entry]] = {publication_id: [] for publication_id in publication_ids}
        for row in rows:
            histories[row.publication_id].append(Entry(row.at, row.state, row.code, row.actor))
        return histories

    async def _all(self, query: LiteralString, parameters: dict[str, Any]) -> list[Publication]:
        return await self._transaction.rows(_publication, query, parameters)


def _publication(names: Sequence[str], values: Sequence[Any]) -> Publication:
    """The columns are those of `Publication`, in any order."""
    return Publication.stored(dict(zip(names, values, strict=True)))


def _values(publication: Publication) -> dict[str, Any]:
    stored = {name: getattr(publication, name) for name in ("evidence", "paid")}
    return vars(publication) | {name: Jsonb(dict(each)) for name, each in stored.items() if each is not None}


def _document(changed: Sequence[str], old: Publication, new: Publication) -> dict[str, Any]:
    """A changed row as `statements.save` reads it."""
    return {
        "publication_id": new.publication_id,
        "workspace_id": new.workspace_id,
        "to_state": new.state,
        "why": new.code,
        "number": new.attempts,
        "told": (new.state, new.code) != (old.state, old.code),
        "begun_at": new.attempted_at if new.attempts > old.attempts else None,
        "ended": old.state is State.PUBLISHING and new.state is not State.PUBLISHING,
        **{name: getattr(new, name) for name in changed},
    }


def _different(old: Publication, new: Publication) -> Iterator[str]:
    before = vars(old)
    return (name for name, value in vars(new).items() if value != before[name])


def _columns(publications: Collection[Publication], *names: str) -> list[list[Any]]:
    return [[getattr(publication, name) for publication in publications] for name in names]
