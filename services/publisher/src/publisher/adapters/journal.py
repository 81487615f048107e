"""The journal in PostgreSQL: each record is a short transaction of its own, on disk before it returns.

What a platform names in `secret_facts` (the address of an upload is as good as a token) is sealed for
ourselves before it is stored, bound to its publication and name.
"""

from __future__ import annotations

import base64
from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from kit.database import Database, Scope
from kit.keys import SealingKey, TrustedKeys
from kit.secret import Secret
from platforms.platform import Platform
from platforms.shape import PlatformName
from psycopg.types.json import Jsonb

from publisher.domain.publication import Publication
from publisher.ports import ClaimLost

_SEALED = "sealed"


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
        self, publication: Publication, facts: dict[str, Any], secret: Collection[str], database: Database, seals: Seals
    ) -> None:
        self._publication = publication
        self._facts = facts
        self._secret = secret
        self._database = database
        self._seals = seals
        self.recorded = 0

    @property
    def facts(self) -> Mapping[str, Any]:
        return self._facts

    async def record(self, **facts: Any) -> None:
        """Merge facts into the journal. Raises `ClaimLost` if the publication is not ours any more."""
        mine = {name: Secret(value) if self._hides(name, value) else value for name, value in facts.items()}
        stored = {
            name: self._seals.close(self._publication.publication_id, name, value)
            if isinstance(value, Secret)
            else value
            for name, value in mine.items()
        }
        async with self._database.transaction(Scope.worker()) as transaction:
            written = await transaction.execute(
                """
                INSERT INTO journal (publication_id, workspace_id, facts)
                SELECT publication_id, workspace_id, %(facts)s FROM publication
                WHERE publication_id = %(publication_id)s AND claim = %(claim)s FOR UPDATE
                ON CONFLICT (publication_id) DO UPDATE SET facts = journal.facts || excluded.facts
                """,
                {
                    "facts": Jsonb(stored),
                    "publication_id": self._publication.publication_id,
                    "claim": self._publication.claim,
                },
            )
        if not written:
            raise ClaimLost
        self._facts.update(mine)
        self.recorded += 1

    def _hides(self, name: str, value: Any) -> bool:
        return name in self._secret and isinstance(value, str)


class PostgresJournals:
    """Satisfies `ports.Journals`."""

    def __init__(self, database: Database, seals: Seals, platforms: Mapping[PlatformName, Platform]) -> None:
        self._database = database
        self._seals = seals
        self._platforms = platforms

    async def open(self, publication: Publication, platform: str) -> PostgresJournal:
        async with self._database.transaction(Scope.worker()) as transaction:
            stored: dict[str, Any] | None = await transaction.scalar(
                "SELECT facts FROM journal WHERE publication_id = %s", (publication.publication_id,)
            )
        secret = self._secret_facts(platform)
        facts = {
            name: self._seals.open(publication.publication_id, name, value)
            if name in secret and isinstance(value, dict)
            else value
            for name, value in (stored or {}).items()
        }
        return PostgresJournal(publication, facts, secret, self._database, self._seals)

    def _secret_facts(self, platform: str) -> frozenset[str]:
        offered = {name.value: client for name, client in self._platforms.items()}
        return frozenset(getattr(offered.get(platform), "secret_facts", ()))


def _context(publication_id: UUID, name: str) -> bytes:
    return f"journal:{publication_id}:{name}".encode()
