"""Erasures, answers and certificates in PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from contracts.event import Event
from contracts.retention import SubjectKind
from kit.database import Transaction
from psycopg.types.json import Jsonb

from retention.domain.erasure import Answer, Erasure, ErasureState, LedgerEntry, OpenErasure, Overdue

_COLUMNS = (
    "erasure_id, subject_kind, subject_digest, state, requested_at, execute_at, due_at, completed_at,"
    " backups_until, expected, purged"
)
_OPEN_COLUMNS = "erasure_id, subject_kind, subject_id, due_at"

# Services that were asked and have not answered that nothing is left.
_UNANSWERED = (
    "SELECT expected_service FROM unnest(erasure.expected) AS expected_service WHERE NOT EXISTS"
    " (SELECT 1 FROM erasure_answer a WHERE a.erasure_id = erasure.erasure_id"
    " AND a.service = expected_service AND a.complete)"
)


class PostgresErasures:
    """`retention.ports.Erasures` on one transaction."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def emit(self, event: Event) -> None:
        self._transaction.emit(event)

    async def open(
        self,
        *,
        erasure_id: UUID,
        kind: SubjectKind,
        subject_id: UUID,
        digest: str,
        requested_at: datetime,
        execute_at: datetime,
        warn_at: datetime,
        due_at: datetime,
    ) -> None:
        await self._transaction.execute(
            "INSERT INTO erasure (erasure_id, subject_kind, subject_id, subject_digest, state, requested_at,"
            " execute_at, warn_at, due_at, next_try_at) VALUES (%s, %s, %s, %s, 'scheduled', %s, %s, %s, %s, %s)"
            " ON CONFLICT DO NOTHING",
            (erasure_id, kind, subject_id, digest, requested_at, execute_at, warn_at, due_at, execute_at),
        )

    async def request_due(self, now: datetime, expected: Sequence[str], limit: int) -> Sequence[OpenErasure]:
        rows = await self._transaction.all(
            OpenErasure,
            "UPDATE erasure SET state = 'requested', expected = %(expected)s"  # noqa: S608
            " WHERE erasure_id = ANY(ARRAY("
            " SELECT erasure_id FROM erasure WHERE state = 'scheduled' AND execute_at <= %(now)s"
            f" ORDER BY execute_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)) RETURNING {_OPEN_COLUMNS}",
            {"now": now, "expected": list(expected), "limit": limit},
        )
        return _typed(rows)

    async def warn_overdue(self, now: datetime, limit: int) -> Sequence[Overdue]:
        return await self._transaction.all(
            Overdue,
            "UPDATE erasure SET warned_at = %(now)s WHERE erasure_id = ANY(ARRAY("  # noqa: S608
            " SELECT erasure_id FROM erasure WHERE state = 'requested' AND warned_at IS NULL AND warn_at <= %(now)s"
            " ORDER BY due_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED))"
            f" RETURNING erasure_id, due_at, ARRAY({_UNANSWERED}) AS waiting_for",
            {"now": now, "limit": limit},
        )

    async def write_answer(self, erasure_id: UUID, answer: Answer) -> None:
        known = await self._transaction.first(
            Answer,
            "SELECT service, erased, anonymised, remaining, complete, done_at FROM erasure_answer"
            " WHERE erasure_id = %s AND service = %s FOR UPDATE",
            (erasure_id, answer.service),
        )
        total = answer if known is None else known.followed_by(answer)
        await self._transaction.execute(
            "INSERT INTO erasure_answer (erasure_id, service, erased, anonymised, remaining, complete, done_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (erasure_id, service) DO UPDATE"
            " SET erased = excluded.erased, anonymised = excluded.anonymised, remaining = excluded.remaining,"
            " complete = excluded.complete, done_at = excluded.done_at",
            (
                erasure_id,
                total.service,
                Jsonb(total.erased),
                Jsonb(total.anonymised),
                Jsonb(total.remaining),
                total.complete,
                total.done_at,
            ),
        )

    async def answered(self, now: datetime, limit: int) -> Sequence[OpenErasure]:
        rows = await self._transaction.all(
            OpenErasure,
            f"SELECT {_OPEN_COLUMNS} FROM erasure WHERE state = 'requested' AND next_try_at <= %s"  # noqa: S608
            f" AND NOT EXISTS ({_UNANSWERED}) ORDER BY next_try_at LIMIT %s",
            (now, limit),
        )
        return _typed(rows)

    async def add_purged(self, erasure_id: UUID, purged: Mapping[str, int], next_try_at: datetime) -> None:
        known: dict[str, int] | None = await self._transaction.scalar(
            "SELECT purged FROM erasure WHERE erasure_id = %s AND state = 'requested' FOR UPDATE", (erasure_id,)
        )
        if known is None:
            return
        total = {name: known.get(name, 0) + purged.get(name, 0) for name in known.keys() | purged.keys()}
        await self._transaction.execute(
            "UPDATE erasure SET purged = %s, next_try_at = %s WHERE erasure_id = %s",
            (Jsonb(total), next_try_at, erasure_id),
        )

    async def complete(
        self, erasure_id: UUID, *, at: datetime, backups_until: datetime | None, final: bool
    ) -> Erasure | None:
        state = ErasureState.FINAL if final else ErasureState.DONE
        return await self._one(
            "UPDATE erasure SET state = %(state)s, completed_at = %(at)s, backups_until = %(until)s,"  # noqa: S608
            " subject_id = CASE WHEN %(final)s THEN NULL ELSE subject_id END"
            f" WHERE erasure_id = %(id)s AND state = 'requested' RETURNING {_COLUMNS}",
            {"id": erasure_id, "state": state, "at": at, "until": backups_until, "final": final},
        )

    async def without_backups(self, now: datetime, limit: int) -> Sequence[OpenErasure]:
        rows = await self._transaction.all(
            OpenErasure,
            f"SELECT {_OPEN_COLUMNS} FROM erasure WHERE state = 'done' AND backups_until <= %s"  # noqa: S608
            " AND NOT EXISTS (SELECT 1 FROM backup"
            " WHERE taken_at <= erasure.completed_at AND state IN ('taking', 'taken'))"
            " ORDER BY backups_until LIMIT %s",
            (now, limit),
        )
        return _typed(rows)

    async def finalise(self, erasure_id: UUID) -> Erasure | None:
        return await self._one(
            "UPDATE erasure SET state = 'final', subject_id = NULL"  # noqa: S608
            f" WHERE erasure_id = %(id)s AND state = 'done' RETURNING {_COLUMNS}",
            {"id": erasure_id},
        )

    async def outside_ledger(self, limit: int) -> Sequence[LedgerEntry]:
        rows = await self._transaction.all(
            LedgerEntry,
            "SELECT erasure_id, subject_kind, subject_id, requested_at FROM erasure"
            " WHERE state <> 'final' AND NOT in_ledger ORDER BY requested_at LIMIT %s",
            (limit,),
        )
        return [replace(row, subject_kind=SubjectKind(row.subject_kind)) for row in rows]

    async def final_in_ledger(self, limit: int) -> Sequence[UUID]:
        return await self._transaction.scalars(
            "SELECT erasure_id FROM erasure WHERE state = 'final' AND in_ledger LIMIT %s", (limit,)
        )

    async def mark_ledger(self, erasure_id: UUID, *, entered: bool) -> None:
        await self._transaction.execute(
            "UPDATE erasure SET in_ledger = %s WHERE erasure_id = %s", (entered, erasure_id)
        )

    async def not_final(self) -> Sequence[OpenErasure]:
        rows = await self._transaction.all(
            OpenErasure,
            f"SELECT {_OPEN_COLUMNS} FROM erasure WHERE state IN ('requested', 'done') ORDER BY due_at",  # noqa: S608
        )
        return _typed(rows)

    async def ended_connections(self) -> Sequence[OpenErasure]:
        rows = await self._transaction.all(
            OpenErasure,
            f"SELECT {_OPEN_COLUMNS} FROM erasure"  # noqa: S608
            " WHERE state = 'scheduled' AND subject_kind = 'connection' ORDER BY due_at",
        )
        return _typed(rows)

    async def write_certificate(
        self, certificate_id: UUID, erasure_id: UUID, *, final: bool, jws: str, issued_at: datetime
    ) -> None:
        await self._transaction.execute(
            "INSERT INTO certificate (certificate_id, erasure_id, final, jws, issued_at) VALUES (%s, %s, %s, %s, %s)",
            (certificate_id, erasure_id, final, jws, issued_at),
        )

    async def get(self, erasure_id: UUID) -> Erasure | None:
        return await self._one(f"SELECT {_COLUMNS} FROM erasure WHERE erasure_id = %(id)s", {"id": erasure_id})  # noqa: S608

    async def answers(self, erasure_id: UUID) -> Sequence[Answer]:
        return await self._transaction.all(
            Answer,
            "SELECT service, erased, anonymised, remaining, complete, done_at FROM erasure_answer"
            " WHERE erasure_id = %s ORDER BY service",
            (erasure_id,),
        )

    async def newest_certificate(self, erasure_id: UUID) -> str | None:
        jws: str | None = await self._transaction.scalar(
            "SELECT jws FROM certificate WHERE erasure_id = %s ORDER BY final DESC LIMIT 1", (erasure_id,)
        )
        return jws

    async def forget_proofs(self, before: datetime) -> int:
        gone = await self._transaction.scalars(
            "DELETE FROM erasure WHERE state = 'final' AND completed_at < %s RETURNING erasure_id", (before,)
        )
        for table in ("certificate", "erasure_answer"):
            await self._transaction.execute(f"DELETE FROM {table} WHERE erasure_id = ANY(%s)", (gone,))  # noqa: S608
        return len(gone)

    async def _one(self, query: LiteralString, parameters: Mapping[str, object]) -> Erasure | None:
        row = await self._transaction.first(Erasure, query, parameters)
        if row is None:
            return None
        return replace(row, subject_kind=SubjectKind(row.subject_kind), state=ErasureState(row.state))


def _typed(rows: Sequence[OpenErasure]) -> list[OpenErasure]:
    return [replace(row, subject_kind=SubjectKind(row.subject_kind)) for row in rows]
