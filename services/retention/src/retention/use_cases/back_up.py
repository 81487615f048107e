"""Take a backup a day in each rotation, and destroy each at its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import structlog
from contracts.retention import BackupExpiredV1, BackupTakenV1
from kit.ids import new_id

from retention.domain.backup import RETRY_AFTER, Manifest, Part
from retention.domain.policy import BACKUP_EVERY, BACKUP_KEPT, Rotation
from retention.ports import Store

log = structlog.get_logger("backups")


async def begin_backup(rotation: Rotation, store: Store, *, now: datetime) -> UUID | None:
    """The id of a backup to take now; None if it is not time or another process takes one."""
    taken_at, failed_at = await store.newest_taken_at(rotation), await store.newest_failed_at(rotation)
    if taken_at is not None and now < taken_at + BACKUP_EVERY:
        return None
    if failed_at is not None and now < failed_at + RETRY_AFTER:
        return None
    backup_id = new_id()
    begun = await store.begin(backup_id, rotation, taken_at=now, expires_at=now + BACKUP_KEPT[rotation])
    return backup_id if begun else None


def manifest_of(backup_id: UUID, rotation: Rotation, parts: Sequence[Part], *, taken_at: datetime) -> Manifest:
    """What says that a backup is whole, and until when it lives."""
    return Manifest(backup_id, rotation, taken_at, taken_at + BACKUP_KEPT[rotation], tuple(parts))


async def finish_backup(manifest: Manifest, store: Store, *, now: datetime) -> bool:
    """Note that a backup is whole; False if it took so long that it was given up."""
    backup_id = manifest.backup_id
    if not await store.finish(backup_id, manifest.parts, now):
        return False
    store.emit(BackupTakenV1(backup_id=backup_id, taken_at=manifest.taken_at, expires_at=manifest.expires_at))
    log.info("backup_taken", backup_id=str(backup_id), size_bytes=sum(part.size_bytes for part in manifest.parts))
    return True


async def adopt_backups(held: Mapping[UUID, Manifest | None], store: Store) -> Sequence[UUID]:
    """Note what the archive holds and a restored database does not know; returns what of it is not whole."""
    unknown = held.keys() - await store.known_backups()
    for backup_id in unknown:
        manifest = held[backup_id]
        if manifest is not None:
            await store.adopt(manifest)
            log.info("backup_adopted", backup_id=str(backup_id))
    return [backup_id for backup_id in unknown if held[backup_id] is None]


async def expire_backup(backup_id: UUID, store: Store, *, now: datetime) -> None:
    """Note that a backup's objects were destroyed."""
    if await store.mark_expired(backup_id, now):
        store.emit(BackupExpiredV1(backup_id=backup_id, expired_at=now))
        log.info("backup_expired", backup_id=str(backup_id))
