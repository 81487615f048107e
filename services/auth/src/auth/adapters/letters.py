"""Mail on its way and its proofs, in PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from uuid import UUID

from kit.database import Transaction
from kit.ids import new_id
from opentelemetry.metrics import Meter
from psycopg.types.json import Jsonb

from auth.adapters.audiences import IN_AUDIENCE, parameters_of
from auth.domain.audiences import Audience
from auth.domain.letters import QUOTA_PERIOD, DueLetter, Letter, LetterKind, Proof, ProofPurpose

Dropped = Callable[[LetterKind, str], None]


def counting(meter: Meter) -> Dropped:
    """Counts letters that were given up, by kind and by the code of the reason: `signoff.letters.dropped`."""
    counter = meter.create_counter("signoff.letters.dropped", unit="{letter}", description="Letters that were given up")
    return lambda kind, code: counter.add(1, {"kind": kind.value, "code": code})


class StoredLetters:
    """Implements `auth.ports.letters.Letters`.

    `written` is told when a letter is there to be sent, `dropped` of each that was given up: its kind, and why.
    """

    def __init__(
        self, transaction: Transaction, written: Callable[[], None] | None, dropped: Dropped | None = None
    ) -> None:
        self._transaction = transaction
        self._written = written
        self._dropped = dropped

    async def add(self, letter: Letter, *, at: datetime) -> None:
        await self._transaction.execute(
            "INSERT INTO letter (letter_id, kind, address, account_id, workspace_id, facts, subject_id, written_at,"
            " due_at, attempts) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, 0)",
            (
                new_id(), letter.kind, letter.address, letter.account_id, letter.workspace_id,
                Jsonb(dict(letter.facts)), letter.subject_id, at, at,
            ),
        )  # fmt: skip
        if self._written is not None:
            self._transaction.when_committed(self._written)

    async def add_for(self, audience: Audience, kind: LetterKind, facts: Mapping[str, str], *, at: datetime) -> int:
        if self._written is not None:
            self._transaction.when_committed(self._written)
        return await self._transaction.execute(
            "INSERT INTO letter (letter_id, kind, address, account_id, facts, written_at, due_at, attempts)"  # noqa: S608
            " SELECT gen_random_uuid(), %(kind)s, a.email, a.account_id, %(facts)s, %(at)s, %(at)s, 0"
            " FROM account a WHERE " + IN_AUDIENCE,
            parameters_of(audience) | {"kind": kind, "facts": Jsonb(dict(facts)), "at": at},
        )

    async def claim(self, *, now: datetime, until: datetime, limit: int) -> list[DueLetter]:
        return await self._transaction.all(
            DueLetter,
            "WITH claimed AS (UPDATE letter SET due_at = %s, attempts = attempts + 1 WHERE letter_id IN"
            "  (SELECT letter_id FROM letter WHERE due_at <= %s AND kind = ANY(%s)"
            "   ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED)"
            "  RETURNING *),"
            " addressed AS (SELECT c.*, (SELECT a.account_id FROM account a"
            "   WHERE a.email = c.address AND a.deleted_at IS NULL AND a.state <> 'unverified') AS known,"
            "  (SELECT a.account_id FROM account a WHERE a.email = c.address AND a.state = 'unverified'"
            "   ORDER BY a.created_at DESC LIMIT 1) AS pending FROM claimed c)"
            " SELECT letter_id, kind, address, account_id, workspace_id, subject_id, facts, written_at, attempts,"
            "  known, pending, coalesce(facts->>'language', (SELECT a.language FROM account a"
            "   WHERE a.account_id = coalesce(l.known, l.account_id, l.pending))) AS language"
            " FROM addressed l ORDER BY letter_id",
            # A kind that a newer release writes is left to it.
            (until, now, list(LetterKind), limit),
        )

    async def count_sent(self, address: str, kind: LetterKind, *, since: datetime, besides: UUID) -> int:
        count: int = await self._transaction.scalar(
            "SELECT count(*) FROM letter_sent WHERE address = %s AND kind = %s AND sent_at > %s AND letter_id <> %s",
            (address, kind, since, besides),
        )
        return count

    async def note_sent(self, letter: DueLetter, *, at: datetime) -> None:
        await self._transaction.execute(
            "INSERT INTO letter_sent (letter_id, kind, address, account_id, sent_at) VALUES (%s, %s, %s, %s, %s)"
            " ON CONFLICT (letter_id) DO NOTHING",
            (letter.letter_id, letter.kind, letter.address, letter.account_id, at),
        )

    async def postpone(self, letter_id: UUID, *, until: datetime) -> None:
        await self._transaction.execute("UPDATE letter SET due_at = %s WHERE letter_id = %s", (until, letter_id))

    async def remove(self, letter_id: UUID) -> None:
        await self._transaction.execute("DELETE FROM letter WHERE letter_id = %s", (letter_id,))

    async def drop(self, letter_id: UUID, kind: LetterKind, code: str) -> None:
        await self.remove(letter_id)
        if self._dropped is not None:
            self._transaction.when_committed(partial(self._dropped, kind, code))


class StoredProofs:
    """Implements `auth.ports.letters.Proofs`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def add(self, token_hash: bytes, purpose: ProofPurpose, proof: Proof, *, expires_at: datetime) -> None:
        await self._transaction.execute(
            "INSERT INTO proof (token_hash, purpose, subject_id, account_id, workspace_id, address, expires_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s)",
            (
                token_hash, purpose, proof.subject_id, proof.account_id, proof.workspace_id, proof.address, expires_at,
            ),
        )  # fmt: skip

    async def find(self, token_hash: bytes, purpose: ProofPurpose) -> Proof | None:
        return await self._transaction.first(
            Proof,
            "SELECT subject_id, account_id, workspace_id, address FROM find_proof(%s, %s, %s)",
            (token_hash, purpose, self._transaction.clock.now()),
        )

    async def take(self, token_hash: bytes, purpose: ProofPurpose) -> Proof | None:
        return await self._transaction.first(
            Proof,
            "SELECT subject_id, account_id, workspace_id, address FROM take_proof(%s, %s, %s)",
            (token_hash, purpose, self._transaction.clock.now()),
        )

    async def cancel(self, account_id: UUID) -> None:
        await self._transaction.execute("SELECT cancel_proofs(%s)", (account_id,))


async def forget_letters(transaction: Transaction, now: datetime) -> None:
    """Delete proofs that are over and what was noted of mail that no limit counts any more."""
    await transaction.execute("DELETE FROM proof WHERE expires_at <= %s", (now,))
    await transaction.execute("DELETE FROM letter_sent WHERE sent_at <= %s", (now - QUOTA_PERIOD,))
