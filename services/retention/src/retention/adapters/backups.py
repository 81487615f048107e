"""Backups in PostgreSQL: what was taken, and what of it is still there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from kit.database import Transaction

from retention.domain.backup import Manifest, Part
from retention.domain.policy import Rotation


class PostgresBackups:
    """`retention.ports.Backups` on one transaction."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def newest_taken_at(self, rotation: Rotation) -> datetime | None:
        at: datetime | None = await self._transaction.scalar(
            "SELECT max(taken_at) FROM backup WHERE rotation = %s AND state IN ('taken', 'expired')", (rotation,)
        )
        return at

    async def newest_failed_at(self, rotation: Rotation) -> datetime | None:
        at: datetime | None = await self._transaction.scalar(
            "SELECT max(ended_at) FROM backup WHERE rotation = %s AND state = 'failed'", (rotation,)
        )
        return at

    async def stale(self, before: datetime) -> Sequence[UUID]:
        return await self._transaction.scalars(
            "SELECT backup_id FROM backup WHERE state = 'taking' AND taken_at < %s", (before,)
        )

    async def begin(self, backup_id: UUID, rotation: Rotation, *, taken_at: datetime, expires_at: datetime) -> bool:
        # The index allows one under way in a rotation; a second claim is no error, only late.
        return bool(
            await self._transaction.execute(
                "INSERT INTO backup (backup_id, rotation, state, taken_at, expires_at)"
                " VALUES (%s, %s, 'taking', %s, %s) ON CONFLICT DO NOTHING",
                (backup_id, rotation, taken_at, expires_at),
            )
        )

    async def finish(self, backup_id: UUID, parts: Sequence[Part], at: datetime) -> bool:
        finished = await self._transaction.execute(
            "UPDATE backup SET state = 'taken', ended_at = %s WHERE backup_id = %s AND state = 'taking'",
            (at, backup_id),
        )
        if finished:
            await self._write_parts(backup_id, parts)
        return bool(finished)

    async def fail(self, backup_id: UUID, at: datetime) -> None:
        await self._transaction.execute(
            "UPDATE backup SET state = 'failed', ended_at = %s WHERE backup_id = %s AND state = 'taking'",
            (at, backup_id),
        )

    async def expired(self, now: datetime) -> Sequence[UUID]:
        return await self._transaction.scalars(
            "SELECT backup_id FROM backup WHERE state = 'taken' AND expires_at <= %s ORDER BY expires_at", (now,)
        )

    async def mark_expired(self, backup_id: UUID, at: datetime) -> bool:
        return bool(
            await self._transaction.execute(
                "UPDATE backup SET state = 'expired', ended_at = %s WHERE backup_id = %s AND state = 'taken'",
                (at, backup_id),
            )
        )

    async def known_backups(self) -> set[UUID]:
        return set(await self._transaction.scalars("SELECT backup_id FROM backup"))

    async def adopt(self, manifest: Manifest) -> None:
        adopted = await self._transaction.execute(
            "INSERT INTO backup (backup_id, rotation, state, taken_at, expires_at, ended_at)"
            " VALUES (%s, %s, 'taken', %s, %s, %s) ON CONFLICT DO NOTHING",
            (manifest.backup_id, manifest.rotation, manifest.taken_at, manifest.expires_at, manifest.taken_at),
        )
        if adopted:
            await self._write_parts(manifest.backup_id, manifest.parts)

    async def last_expiry(self, taken_until: datetime) -> datetime | None:
        at: datetime | None = await self._transaction.scalar(
            "SELECT max(expires_at) FROM backup WHERE taken_at <= %s AND state IN ('taking', 'taken')",
            (taken_until,),
        )
        return at

    async def _write_parts(self, backup_id: UUID, parts: Sequence[Part]) -> None:
        await self._transaction.execute_many(
            "INSERT INTO backup_part (backup_id, service, object_key, size_bytes, sha256) VALUES (%s, %s, %s, %s, %s)",
            [(backup_id, part.service, part.object_key, part.size_bytes, part.sha256) for part in parts],
        )
