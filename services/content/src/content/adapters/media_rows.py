"""Rows of media, from the first byte of the upload to the removal of the object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from content.adapters.rows import Rows
from content.domain.media import Media, MediaId, kind_of


class MediaRows(Rows):
    async def begin_upload(self, media: MediaId, *, content_type: str, created_by: UUID, at: datetime) -> None:
        await self._transaction.execute(
            "INSERT INTO media (workspace_id, media_id, state, kind, content_type, created_by, created_at,"
            " unreferenced_since) VALUES (%s, %s, 'uploading', %s, %s, %s, %s, %s)",
            (media.workspace_id, media.media_id, kind_of(content_type), content_type, created_by, at, at),
        )

    async def finish_upload(self, media: Media) -> bool:
        finished = await self._transaction.execute(
            "UPDATE media SET state = 'stored', size_bytes = %(size_bytes)s, sha256 = %(sha256)s, width = %(width)s,"
            " height = %(height)s, duration_seconds = %(duration_seconds)s, codec = %(codec)s,"
            " frames_per_second = %(frames_per_second)s"
            " WHERE workspace_id = %(workspace_id)s AND media_id = %(media_id)s AND state = 'uploading'",
            asdict(media),
        )
        return finished == 1

    async def forget_media(self, media: Sequence[MediaId]) -> None:
        await self._transaction.execute_many(
            "DELETE FROM media WHERE workspace_id = %s AND media_id = %s AND state <> 'stored'",
            [(item.workspace_id, item.media_id) for item in media],
        )

    async def hold_media(self, workspace_id: UUID, media_ids: Sequence[UUID]) -> dict[UUID, Media]:
        # In the order of the ids, so that two posts that share media never wait for each other in a circle.
        rows = await self._transaction.all(
            Media,
            "SELECT workspace_id, media_id, kind, content_type, size_bytes, sha256, width, height, duration_seconds,"
            " frames_per_second, codec, created_at FROM media WHERE workspace_id = %s AND media_id = ANY(%s)"
            " AND state = 'stored' ORDER BY media_id FOR NO KEY UPDATE",
            (workspace_id, list(media_ids)),
        )
        await self._transaction.execute(
            "UPDATE media SET unreferenced_since = NULL WHERE workspace_id = %s AND media_id = ANY(%s)"
            " AND unreferenced_since IS NOT NULL AND state = 'stored'",
            (workspace_id, list(media_ids)),
        )
        return {row.media_id: row for row in rows}

    async def media_of_post(self, workspace_id: UUID, post_id: UUID) -> list[UUID]:
        return await self._transaction.scalars(
            "SELECT DISTINCT v.media_id FROM variant_media v JOIN revision r USING (workspace_id, revision_id)"
            " WHERE r.workspace_id = %s AND r.post_id = %s",
            (workspace_id, post_id),
        )

    async def release_media(self, workspace_id: UUID, media_ids: Sequence[UUID], *, at: datetime) -> None:
        # Locked first: of two posts that let go of the same media at once, the second must see that it is the last.
        await self._transaction.execute(
            "SELECT 1 FROM media WHERE workspace_id = %s AND media_id = ANY(%s) ORDER BY media_id FOR NO KEY UPDATE",
            (workspace_id, list(media_ids)),
        )
        await self._transaction.execute(
            "UPDATE media m SET unreferenced_since = %s WHERE m.workspace_id = %s AND m.media_id = ANY(%s)"
            " AND NOT EXISTS (SELECT 1 FROM variant_media v WHERE v.workspace_id = m.workspace_id"
            " AND v.media_id = m.media_id)",
            (at, workspace_id, list(media_ids)),
        )

    async def claim_orphans(self, *, older_than: datetime, limit: int) -> list[MediaId]:
        return await self._transaction.all(
            MediaId,
            "UPDATE media SET state = 'removing' WHERE (workspace_id, media_id) IN (SELECT workspace_id, media_id"
            " FROM media WHERE unreferenced_since < %s ORDER BY unreferenced_since LIMIT %s FOR UPDATE SKIP LOCKED)"
            " RETURNING workspace_id, media_id",
            (older_than, limit),
        )
