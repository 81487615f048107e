"""The journal in PostgreSQL: each record is on disk before it returns; those of one moment share a transaction.

What a platform names in `secret_facts` (the address of an upload is as good as a token) is sealed for
ourselves before it is stored, bound to its publication and name.
"""

from __future__ import annotations

import base64
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from kit.batching import Batcher
from kit.database import Database, Scope
from kit.keys import SealingKey, TrustedKeys
from kit.secret import Secret
from platforms.platform import Platform
from platforms.shape import PlatformName
from psycopg.types.json import Jsonb

from publisher.domain.publication import Publication
from publisher.ports import ClaimLost

_SEALED = "sealed"

TOGETHER_MAX = 200
"""Records of one transaction: locked for some milliseconds."""


class Seals:
    """Seals facts for the publisher alone."""

    def __init__(self, trusted: TrustedKeys, key: SealingKey) -> None:
        self._trusted = trusted
        self._key = key

    def close(self, publication_id: UUID, name: str, value: Secret) -> dict[str, str]:
        sealed = self._trusted.seal("publisher", value.reveal().encode(), context=_context(publication_id, name))
        return {_SEALED: base64.b64encode(sealed).decode()}

    def open(self, publication_id: UUID, name: str, stored: Mapping[str, str]) -> Secret:
        sealed = base64.b64decode(stored[_SEALED])
        return Secret(self._key.open(sealed, context=_context(publication_id, name)).decode())


class PostgresJournal:
    """Satisfies `platforms.shape.Journal`. Secret facts are `Secret` in memory."""

    def __init__(
        self, publication: Publication, facts: dict[str, Any], secret: Collection[str], journals: PostgresJournals
    ) -> None:
        self._publication = publication
        self._facts = facts
        self._secret = secret
        self._journals = journals
        self.recorded = 0

    @property
    def facts(self) -> Mapping[str, Any]:
        return self._facts

    async def record(self, **facts: Any) -> None:
        """Merge facts into the journal. Raises `ClaimLost` if the publication is not ours any more."""
        mine = {name: Secret(value) if self._hides(name, value) else value for name, value in facts.items()}
        await self._journals.record(self._publication, mine)
        self._facts.update(mine)
        self.recorded += 1

    def _hides(self, name: str, value: Any) -> bool:
        return name in self._secret and isinstance(value, str)


@dataclass(frozen=True)
class _Record:
    publication: Publication
    facts: Mapping[str, Any]


class PostgresJournals:
    """Satisfies `ports.Journals`. What is read and written at the same time shares statements and transactions."""

    def __init__(self, database: Database, seals: Seals, platforms: Mapping[PlatformName, Platform]) -> None:
        self._database = database
        self._seals = seals
        self._platforms = platforms
        self._reader: Batcher[UUID, dict[str, Any]] = Batcher(self._read_all, size_max=TOGETHER_MAX)
        self._writer: Batcher[_Record, None] = Batcher(self._write_all, size_max=TOGETHER_MAX)

    async def open(self, publication: Publication, platform: str) -> PostgresJournal:
        stored = await self._reader.do(publication.publication_id)
        secret = self._secret_facts(platform)
        facts = {
            name: self._seals.open(publication.publication_id, name, value)
            if name in secret and isinstance(value, dict)
            else value
            for name, value in stored.items()
        }
        return PostgresJournal(publication, facts, secret, self)

    async def record(self, publication: Publication, facts: Mapping[str, Any]) -> None:
        """On disk once it returns. Raises `ClaimLost`."""
        stored = {
            name: self._seals.close(publication.publication_id, name, value) if isinstance(value, Secret) else value
            for name, value in facts.items()
        }
        await self._writer.do(_Record(publication, stored))

    async def _read_all(self, publication_ids: Sequence[UUID]) -> list[dict[str, Any]]:
        async with self._database.transaction(Scope.worker()) as transaction:
            rows = await transaction.all(
                _Row,
                "SELECT publication_id, facts FROM journal WHERE publication_id = ANY(%s)",
                (list(publication_ids),),
            )
        found = {row.publication_id: row.facts for row in rows}
        return [found.get(publication_id, {}) for publication_id in publication_ids]

    async def _write_all(self, records: Sequence[_Record]) -> list[Exception | None]:
        try:
            written = await self._write_together(records)
        except psycopg.OperationalError:
            raise
        except psycopg.Error as error:
            # What PostgreSQL refuses spoils nobody else's record.
            return [error] if len(records) == 1 else [(await self._write_all([record]))[0] for record in records]
        return [None if record.publication.publication_id in written else ClaimLost() for record in records]

    async def _write_together(self, records: Sequence[_Record]) -> set[UUID]:
        """The publications whose record was written: those that are still claimed by who wrote it."""
        async with self._database.transaction(Scope.worker()) as transaction:
            written = await transaction.scalars(
                """
                WITH held AS (
                    SELECT p.publication_id, p.workspace_id, new.facts FROM publication p
                    JOIN unnest(%s::uuid[], %s::uuid[], %s::jsonb[]) AS new (publication_id, claim, facts)
                      ON new.publication_id = p.publication_id AND new.claim = p.claim
                    ORDER BY p.publication_id FOR UPDATE OF p
                )
                INSERT INTO journal (publication_id, workspace_id, facts, recorded_at)
                SELECT publication_id, workspace_id, facts, %s FROM held
                ON CONFLICT (publication_id) DO UPDATE
                SET facts = journal.facts || excluded.facts, recorded_at = excluded.recorded_at
                RETURNING publication_id
                """,
                (
                    [record.publication.publication_id for record in records],
                    [record.publication.claim for record in records],
                    [Jsonb(dict(record.facts)) for record in records],
                    self._database.clock.now(),
                ),
            )
        return set(written)

    def _secret_facts(self, platform: str) -> frozenset[str]:
        offered = {name.value: client for name, client in self._platforms.items()}
        return frozenset(getattr(offered.get(platform), "secret_facts", ()))


@dataclass(frozen=True)
class _Row:
    publication_id: UUID
    facts: dict[str, Any]


def _context(publication_id: UUID, name: str) -> bytes:
    return f"journal:{publication_id}:{name}".encode()
