"""Take in an image or video: nothing is kept that is too large, cut off, or not what it is said to be."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from contracts.content import MediaUploadedV1
from kit.ids import new_id
from kit.objects import Stored

from content.domain.media import BYTES_MAX, Media, MediaId, Understood, kind_of
from content.domain.problems import MediaNotUnderstood, MediaTooLarge
from content.ports import Examiner, ObjectStore, OpenStore

log = structlog.get_logger("media")


@dataclass(frozen=True)
class Upload:
    """What is announced before the bytes. `announced_bytes` is None where the length is not told."""

    workspace_id: UUID
    account_id: UUID
    content_type: str
    announced_bytes: int | None
    at: datetime


async def upload_media(
    upload: Upload,
    pieces: AsyncIterator[bytes],
    *,
    examiner: Examiner,
    objects: ObjectStore,
    open_store: OpenStore,
) -> Media:
    """Receive, examine, store. Raises `MediaTooLarge` or `MediaNotUnderstood`, and then nothing was kept."""
    limit_bytes = BYTES_MAX[kind_of(upload.content_type)]
    if upload.announced_bytes is not None and upload.announced_bytes > limit_bytes:
        raise MediaTooLarge(limit_bytes=limit_bytes)
    media_id = MediaId(upload.workspace_id, new_id())
    async with examiner.examine(pieces, content_type=upload.content_type, limit_bytes=limit_bytes) as examined:
        # The row comes before the object: should we die in between, the orphans' job finds the object by it.
        async with open_store() as store:
            await store.begin_upload(
                media_id, content_type=upload.content_type, created_by=upload.account_id, at=upload.at
            )
        try:
            stored = await objects.write(media_id.object_key, examined.pieces(), limit_bytes=limit_bytes)
            media = _media(upload, media_id, examined.understood, stored)
            await _finish(media, open_store)
        except BaseException:
            await objects.delete(media_id.object_key)
            async with open_store() as store:
                await store.forget_media([media_id])
            raise
    log.info("media_uploaded", media_id=str(media.media_id), kind=media.kind, size_bytes=media.size_bytes)
    return media


async def _finish(media: Media, open_store: OpenStore) -> None:
    async with open_store() as store:
        if not await store.finish_upload(media):
            raise MediaNotUnderstood("The upload took too long, or its workspace is gone.")
        store.emit(
            MediaUploadedV1(
                workspace_id=media.workspace_id,
                media_id=media.media_id,
                kind=media.kind,
                size_bytes=media.size_bytes,
            )
        )


def _media(upload: Upload, media_id: MediaId, understood: Understood, stored: Stored) -> Media:
    return Media(
        workspace_id=media_id.workspace_id,
        media_id=media_id.media_id,
        kind=kind_of(upload.content_type).value,
        content_type=upload.content_type,
        size_bytes=stored.size_bytes,
        sha256=stored.sha256,
        width=understood.width,
        height=understood.height,
        duration_seconds=understood.duration_seconds,
        frames_per_second=understood.frames_per_second,
        codec=understood.codec,
        created_at=upload.at,
    )
