"""Rows of revisions: variants, the media they show, and the seal if there is one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from contracts.sealing import Seal, SealedMedia, SealedRevision, SealedVariant
from psycopg.types.json import Json

from content.adapters.rows import Rows
from content.domain.media import object_key
from content.domain.post import Revision
from content.ports import RevisionId


@dataclass(frozen=True)
class _Revision:
    workspace_id: UUID
    revision_id: UUID
    post_id: UUID
    number: int
    content_hash: str
    created_by: UUID | None
    created_at: datetime
    approved_by: UUID | None
    approved_at: datetime | None
    signature: str | None
    sealed_hash: str | None

    def seal(self) -> Seal | None:
        if self.approved_by is None or self.approved_at is None or self.signature is None or self.sealed_hash is None:
            return None
        return Seal(
            content_hash=self.sealed_hash,
            approved_by=(self.approved_by,),
            approved_at=self.approved_at,
            signature=self.signature,
        )


@dataclass(frozen=True)
class _Variant:
    revision_id: UUID
    position: int
    connection_id: UUID
    platform: str
    text: str
    settings: dict[str, Any]


@dataclass(frozen=True)
class _Shown:
    """One medium in one variant."""

    revision_id: UUID
    variant_position: int
    workspace_id: UUID
    media_id: UUID
    kind: str
    content_type: str
    size_bytes: int
    sha256: str
    width: int
    height: int
    duration_seconds: float | None
    alt_text: str

    def read(self) -> SealedMedia:
        return SealedMedia(
            media_id=self.media_id,
            object_key=object_key(self.workspace_id, self.media_id),
            kind=self.kind,
            content_type=self.content_type,
            size_bytes=self.size_bytes,
            sha256=self.sha256,
            width=self.width,
            height=self.height,
            duration_seconds=self.duration_seconds,
            alt_text=self.alt_text,
        )


class Revisions(Rows):
    async def add_revision(self, revision: Revision) -> None:
        content = revision.content
        ids = (content.workspace_id, content.revision_id)
        await self._transaction.execute(
            "INSERT INTO revision (workspace_id, revision_id, post_id, number, content_hash, created_by, created_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s)",
            (*ids, content.post_id, revision.number, revision.content_hash, revision.created_by, revision.created_at),
        )
        variants = [
            (*ids, position, variant.connection_id, variant.platform, variant.text, Json(variant.settings))
            for position, variant in enumerate(content.variants)
        ]
        shown = [
            (*ids, variant_position, position, media.media_id, media.alt_text)
            for variant_position, variant in enumerate(content.variants)
            for position, media in enumerate(variant.media)
        ]
        await self._transaction.execute_many(
            "INSERT INTO variant (workspace_id, revision_id, position, connection_id, platform, text, settings)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s)",
            variants,
        )
        await self._transaction.execute_many(
            "INSERT INTO variant_media (workspace_id, revision_id, variant_position, position, media_id, alt_text)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            shown,
        )

    async def revision(self, workspace_id: UUID, revision_id: UUID) -> SealedRevision | None:
        found = await self.sealed([(workspace_id, revision_id)])
        return found[0] if found else None

    async def sealed(self, revisions: Sequence[RevisionId]) -> list[SealedRevision]:
        rows = await self._transaction.all(
            _Revision,
            "SELECT r.*, s.approved_by, s.approved_at, s.signature, s.content_hash AS sealed_hash"
            " FROM unnest(%s::uuid[], %s::uuid[]) AS asked (workspace_id, revision_id)"
            " JOIN revision r USING (workspace_id, revision_id) LEFT JOIN seal s USING (workspace_id, revision_id)",
            _named(revisions),
        )
        return [revision.content for revision in await self._with_content(rows)]

    async def revisions(self, workspace_id: UUID, post_id: UUID, *, limit: int) -> list[Revision]:
        rows = await self._transaction.all(
            _Revision,
            "SELECT r.*, s.approved_by, s.approved_at, s.signature, s.content_hash AS sealed_hash"
            " FROM revision r LEFT JOIN seal s USING (workspace_id, revision_id)"
            " WHERE r.workspace_id = %s AND r.post_id = %s ORDER BY r.number DESC LIMIT %s",
            (workspace_id, post_id, limit),
        )
        return await self._with_content(rows)

    async def add_seal(self, workspace_id: UUID, revision_id: UUID, seal: Seal) -> None:
        (approved_by,) = seal.approved_by
        await self._transaction.execute(
            "INSERT INTO seal (workspace_id, revision_id, content_hash, approved_by, approved_at, signature)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            (workspace_id, revision_id, seal.content_hash, approved_by, seal.approved_at, seal.signature),
        )

    async def delete_seal(self, workspace_id: UUID, revision_id: UUID) -> None:
        await self._transaction.execute(
            "DELETE FROM seal WHERE workspace_id = %s AND revision_id = %s", (workspace_id, revision_id)
        )

    async def _with_content(self, rows: Sequence[_Revision]) -> list[Revision]:
        named = _named([(row.workspace_id, row.revision_id) for row in rows])
        variants = await self._transaction.all(
            _Variant,
            "SELECT revision_id, position, connection_id, platform, text, settings FROM variant"
            " JOIN unnest(%s::uuid[], %s::uuid[]) AS asked (workspace_id, revision_id)"
            " USING (workspace_id, revision_id) ORDER BY revision_id, position",
            named,
        )
        shown = await self._transaction.all(
            _Shown,
            "SELECT v.revision_id, v.variant_position, m.workspace_id, m.media_id, m.kind, m.content_type,"
            " m.size_bytes, m.sha256, m.width, m.height, m.duration_seconds, v.alt_text"
            " FROM variant_media v JOIN media m USING (workspace_id, media_id)"
            " JOIN unnest(%s::uuid[], %s::uuid[]) AS asked (workspace_id, revision_id)"
            " USING (workspace_id, revision_id) ORDER BY v.revision_id, v.variant_position, v.position",
            named,
        )
        return _assembled(rows, variants, shown)


def _named(revisions: Sequence[RevisionId]) -> tuple[list[UUID], list[UUID]]:
    return [workspace_id for workspace_id, _ in revisions], [revision_id for _, revision_id in revisions]


def _assembled(rows: Sequence[_Revision], variants: Sequence[_Variant], shown: Sequence[_Shown]) -> list[Revision]:
    media: dict[tuple[UUID, int], list[SealedMedia]] = defaultdict(list)
    for item in shown:
        media[item.revision_id, item.variant_position].append(item.read())
    of_revision: dict[UUID, list[SealedVariant]] = defaultdict(list)
    for variant in variants:
        of_revision[variant.revision_id].append(
            SealedVariant(
                connection_id=variant.connection_id,
                platform=variant.platform,
                text=variant.text,
                media=tuple(media[variant.revision_id, variant.position]),
                settings=variant.settings,
            )
        )
    return [
        Revision(
            number=row.number,
            content_hash=row.content_hash,
            created_by=row.created_by,
            created_at=row.created_at,
            content=SealedRevision(
                workspace_id=row.workspace_id,
                post_id=row.post_id,
                revision_id=row.revision_id,
                variants=tuple(of_revision[row.revision_id]),
                seal=row.seal(),
            ),
        )
        for row in rows
    ]
