"""The ledger of erasures as objects, one each, beside the backups."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from contracts.retention import SubjectKind
from kit.objects import ObjectMissing, Objects, TooLarge
from obstore.exceptions import BaseError

from retention.adapters.documents import read_document, write_document
from retention.domain.erasure import LedgerEntry
from retention.ports import Away

PREFIX = "ledger/"
_TROUBLES = (BaseError, OSError, ObjectMissing, TooLarge)


class ObjectLedger:
    """`retention.ports.Ledger` in the bucket or folder of the backups."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    async def add(self, entry: LedgerEntry) -> None:
        document = {
            "erasure_id": str(entry.erasure_id),
            "subject_kind": entry.subject_kind.value,
            "subject_id": str(entry.subject_id),
            "requested_at": entry.requested_at.isoformat(),
        }
        try:
            await write_document(self._objects, _key(entry.erasure_id), document)
        except _TROUBLES as error:
            raise Away(type(error).__name__) from error

    async def remove(self, erasure_id: UUID) -> None:
        try:
            await self._objects.delete(_key(erasure_id))
        except _TROUBLES as error:
            raise Away(type(error).__name__) from error

    async def entries(self) -> Sequence[LedgerEntry]:
        try:
            return [await self._read(key) for key in await self._objects.keys(PREFIX)]
        except _TROUBLES as error:
            raise Away(type(error).__name__) from error

    async def _read(self, key: str) -> LedgerEntry:
        document = await read_document(self._objects, key)
        return LedgerEntry(
            erasure_id=UUID(document["erasure_id"]),
            subject_kind=SubjectKind(document["subject_kind"]),
            subject_id=UUID(document["subject_id"]),
            requested_at=datetime.fromisoformat(document["requested_at"]),
        )


def _key(erasure_id: UUID) -> str:
    return f"{PREFIX}{erasure_id}.json"
