"""What platforms told of people who left, and requests for deletion, in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kit.database import Transaction

from auth.domain.notices import NOTICES_KEPT, REQUESTS_KEPT, DeletionPart, DeletionRequest, Removal


@dataclass(frozen=True)
class _Request:
    platform: str
    requested_at: datetime


class StoredNotices:
    """Implements `auth.ports.notices.Notices`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def claim(self, removal: Removal, *, at: datetime) -> Removal | None:
        claimed = await self._transaction.execute(
            "INSERT INTO platform_notice (platform, notice_hash, person_hash, code, erasure_ids, received_at)"
            " VALUES (%s, %s, %s, %s, '{}', %s) ON CONFLICT DO NOTHING",
            (removal.platform, removal.notice_hash, removal.person_hash, removal.code, at),
        )
        if claimed:
            return None
        return await self._transaction.first(
            Removal,
            "SELECT platform, notice_hash, person_hash, code FROM platform_notice"
            " WHERE platform = %s AND notice_hash = %s",
            (removal.platform, removal.notice_hash),
        )

    async def opened(self, removal: Removal) -> list[UUID]:
        return await self._transaction.scalars(
            "SELECT DISTINCT unnest(erasure_ids) FROM platform_notice WHERE platform = %s AND person_hash = %s",
            (removal.platform, removal.person_hash),
        )

    async def note_erasures(self, removal: Removal, erasure_ids: Sequence[UUID]) -> None:
        await self._transaction.execute(
            "UPDATE platform_notice SET erasure_ids = %s WHERE platform = %s AND notice_hash = %s",
            (list(erasure_ids), removal.platform, removal.notice_hash),
        )

    async def add_request(
        self, code: str, platform: str, erasure_ids: Sequence[UUID], *, requested_at: datetime
    ) -> None:
        await self._transaction.execute(
            "INSERT INTO deletion_request (code, platform, requested_at) VALUES (%s, %s, %s)",
            (code, platform, requested_at),
        )
        await self._transaction.execute_many(
            "INSERT INTO deletion_part (code, erasure_id) VALUES (%s, %s)",
            [(code, erasure_id) for erasure_id in erasure_ids],
        )

    async def request(self, code: str) -> DeletionRequest | None:
        found = await self._transaction.first(
            _Request, "SELECT platform, requested_at FROM deletion_request WHERE code = %s", (code,)
        )
        if found is None:
            return None
        parts = await self._transaction.all(
            DeletionPart,
            "SELECT erasure_id, erased_at, final_at FROM deletion_part WHERE code = %s ORDER BY erasure_id",
            (code,),
        )
        return DeletionRequest(code, found.platform, found.requested_at, parts)

    async def note_completed(self, erasure_id: UUID, *, at: datetime, final: bool) -> None:
        await self._transaction.execute(
            "UPDATE deletion_part SET erased_at = coalesce(erased_at, %(at)s),"
            " final_at = CASE WHEN %(final)s THEN coalesce(final_at, %(now)s) ELSE final_at END"
            " WHERE erasure_id = %(erasure_id)s",
            {"at": at, "final": final, "now": self._transaction.clock.now(), "erasure_id": erasure_id},
        )


async def forget_notices(transaction: Transaction, now: datetime) -> None:
    await transaction.execute("DELETE FROM platform_notice WHERE received_at <= %s", (now - NOTICES_KEPT,))
    await transaction.execute("DELETE FROM deletion_request WHERE requested_at <= %s", (now - REQUESTS_KEPT,))
