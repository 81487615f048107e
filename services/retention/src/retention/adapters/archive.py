"""Backups as objects."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from kit.objects import ObjectMissing, Objects, TooLarge
from obstore.exceptions import BaseError

from retention.adapters.documents import read_document, write_document
from retention.domain.backup import BACKUPS, PART_BYTES_MAX, Manifest, Part, prefix_of
from retention.domain.policy import Rotation
from retention.ports import Away

MANIFEST = "manifest.json"
_TROUBLES = (BaseError, OSError, ObjectMissing, TooLarge)


class ObjectArchive:
    """`retention.ports.Archive` in a bucket or folder of its own."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    async def write(self, service: str, key: str, pieces: AsyncIterator[bytes]) -> Part:
        try:
            stored = await self._objects.write(key, pieces, limit_bytes=PART_BYTES_MAX)
        except _TROUBLES as error:
            raise Away(type(error).__name__) from error
        return Part(service, stored.key, stored.size_bytes, stored.sha256)

    async def keep_manifest(self, manifest: Manifest) -> None:
        document = {
            "backup_id": str(manifest.backup_id),
            "rotation": manifest.rotation.value,
            "taken_at": manifest.taken_at.isoformat(),
            "expires_at": manifest.expires_at.isoformat(),
            "parts": [asdict(part) for part in manifest.parts],
        }
        try:
            await write_document(self._objects, prefix_of(manifest.backup_id) + MANIFEST, document)
        except _TROUBLES as error:
            raise Away(type(error).__name__) from error

    async def held(self) -> Mapping[UUID, Manifest | None]:
        found: dict[UUID, Manifest | None] = {}
        try:
            for key in await self._objects.keys(BACKUPS):
                backup_id, name = UUID(key.split("/")[1]), key.rpartition("/")[2]
                manifest = _manifest(await read_document(self._objects, key)) if name == MANIFEST else None
                found[backup_id] = manifest or found.get(backup_id)
        except _TROUBLES as error:
            raise Away(type(error).__name__) from error
        return found

    async def destroy(self, prefix: str) -> None:
        try:
            await self._objects.delete_all(prefix)
            left = await self._objects.keys(prefix)
        except _TROUBLES as error:
            raise Away(type(error).__name__) from error
        if left:
            raise Away(f"{len(left)} objects are still there")


def _manifest(document: Mapping[str, Any]) -> Manifest:
    return Manifest(
        backup_id=UUID(document["backup_id"]),
        # Backups of an earlier release hold no keys.
        rotation=Rotation(document.get("rotation", Rotation.DATA)),
        taken_at=datetime.fromisoformat(document["taken_at"]),
        expires_at=datetime.fromisoformat(document["expires_at"]),
        parts=tuple(Part(**part) for part in document["parts"]),
    )
