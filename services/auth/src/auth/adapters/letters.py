"""Mail on its way, in PostgreSQL."""

from __future__ import annotations

from datetime import datetime

from kit.database import Transaction
from kit.ids import new_id
from psycopg.types.json import Jsonb

from auth.domain.letters import Letter


class StoredLetters:
    """Implements `auth.ports.letters.Letters`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def add(self, letter: Letter, *, at: datetime) -> None:
        await self._transaction.execute(
            "INSERT INTO letter (letter_id, kind, address, account_id, workspace_id, facts, subject_id, written_at,"
            " due_at, attempts) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, 0)",
            (
                new_id(), letter.kind, letter.address, letter.account_id, letter.workspace_id,
                Jsonb(dict(letter.facts)), letter.subject_id, at, at,
            ),
        )  # fmt: skip
