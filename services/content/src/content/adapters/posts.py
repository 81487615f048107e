"""Rows of posts, and of what became of them. Statements are put together of constants only."""
# ruff: noqa: S608

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from uuid import UUID

from kit.passport import Reach

from content.adapters.rows import Rows
from content.domain.post import Post, PostState, Publication, PublicationState

_DEPENDANTS = (
    "DELETE FROM variant_media v USING revision r WHERE v.workspace_id = r.workspace_id"
    " AND v.revision_id = r.revision_id AND r.workspace_id = %s AND r.post_id = %s",
    "DELETE FROM variant v USING revision r WHERE v.workspace_id = r.workspace_id"
    " AND v.revision_id = r.revision_id AND r.workspace_id = %s AND r.post_id = %s",
    "DELETE FROM seal s USING revision r WHERE s.workspace_id = r.workspace_id"
    " AND s.revision_id = r.revision_id AND r.workspace_id = %s AND r.post_id = %s",
    "DELETE FROM decision WHERE workspace_id = %s AND post_id = %s",
    "DELETE FROM revision WHERE workspace_id = %s AND post_id = %s",
    "DELETE FROM publication WHERE workspace_id = %s AND post_id = %s",
    "DELETE FROM post WHERE workspace_id = %s AND post_id = %s",
)


@dataclass(frozen=True)
class _Post(Post):
    """As stored: the state is a plain word."""

    def read(self) -> Post:
        return Post(**(self.__dict__ | {"state": PostState(self.state)}))


_KEPT = {
    "workspace_id": "uuid", "post_id": "uuid", "publication_id": "uuid", "revision_id": "uuid", "connection_id": "uuid",
    "platform": "text", "state": "text", "finality": "smallint", "code": "text", "published_at": "timestamptz",
    "told_at": "timestamptz", "removed_at": "timestamptz",
}  # fmt: skip
_KEEP = (
    "INSERT INTO publication (" + ", ".join(_KEPT) + ") SELECT " + ", ".join(f"new.{name}" for name in _KEPT)
    + " FROM unnest(" + ", ".join(f"%({name})s::{kind}[]" for name, kind in _KEPT.items()) + ") AS new ("
    + ", ".join(_KEPT) + ") JOIN post USING (workspace_id, post_id) ORDER BY new.publication_id FOR KEY SHARE OF post"
    " ON CONFLICT (workspace_id, post_id, publication_id) DO UPDATE SET state = excluded.state,"
    " finality = excluded.finality, code = excluded.code, told_at = excluded.told_at,"
    " published_at = coalesce(excluded.published_at, publication.published_at),"
    " removed_at = coalesce(excluded.removed_at, publication.removed_at)"
    " WHERE publication.finality <= excluded.finality"
)  # fmt: skip


class Posts(Rows):
    async def add_post(self, post: Post) -> None:
        await self._transaction.execute(
            "INSERT INTO post (workspace_id, post_id, title, state, revision_id, number, created_by, created_at,"
            " changed_at) VALUES (%(workspace_id)s, %(post_id)s, %(title)s, %(state)s, %(revision_id)s, %(number)s,"
            " %(created_by)s, %(created_at)s, %(changed_at)s)",
            asdict(post),
        )

    async def change_post(self, post: Post) -> None:
        await self._transaction.execute(
            "UPDATE post SET title = %(title)s, state = %(state)s, revision_id = %(revision_id)s,"
            " number = %(number)s, changed_at = %(changed_at)s"
            " WHERE workspace_id = %(workspace_id)s AND post_id = %(post_id)s",
            asdict(post),
        )

    async def post(self, workspace_id: UUID, post_id: UUID) -> Post | None:
        row = await self._transaction.first(
            _Post, "SELECT * FROM post WHERE workspace_id = %s AND post_id = %s", (workspace_id, post_id)
        )
        return row.read() if row else None

    async def locked_post(self, workspace_id: UUID, post_id: UUID) -> Post | None:
        row = await self._transaction.first(
            _Post, "SELECT * FROM post WHERE workspace_id = %s AND post_id = %s FOR UPDATE", (workspace_id, post_id)
        )
        return row.read() if row else None

    async def posts(self, workspace_id: UUID, *, before: UUID | None, reach: Reach, limit: int) -> list[Post]:
        # Ids grow with time, so that the primary key gives the order.
        rows = await self._transaction.all(
            _Post,
            "SELECT * FROM post WHERE workspace_id = %(workspace_id)s"
            " AND (%(before)s::uuid IS NULL OR post_id < %(before)s::uuid)"
            " AND (%(reach)s::uuid[] IS NULL OR NOT EXISTS (SELECT 1 FROM revision r JOIN variant v"
            "  USING (workspace_id, revision_id) WHERE r.workspace_id = post.workspace_id AND r.post_id = post.post_id"
            "  AND v.connection_id <> ALL (%(reach)s::uuid[])))"
            " ORDER BY post_id DESC LIMIT %(limit)s",
            {"workspace_id": workspace_id, "before": before, "reach": reach, "limit": limit},
        )
        return [row.read() for row in rows]

    async def connections_of(self, workspace_id: UUID, post_id: UUID) -> list[UUID]:
        return await self._transaction.scalars(
            "SELECT DISTINCT v.connection_id FROM revision r JOIN variant v USING (workspace_id, revision_id)"
            " WHERE r.workspace_id = %s AND r.post_id = %s",
            (workspace_id, post_id),
        )

    async def delete_post(self, workspace_id: UUID, post_id: UUID) -> None:
        for statement in _DEPENDANTS:
            await self._transaction.execute(statement, (workspace_id, post_id))

    async def publications(self, workspace_id: UUID, post_id: UUID) -> list[Publication]:
        rows = await self._transaction.all(
            Publication,
            "SELECT workspace_id, post_id, publication_id, revision_id, connection_id, platform, state, code,"
            " published_at, told_at, removed_at FROM publication WHERE workspace_id = %s AND post_id = %s"
            " ORDER BY publication_id",
            (workspace_id, post_id),
        )
        return [replace(row, state=PublicationState(row.state)) for row in rows]

    async def keep_publications(self, publications: Sequence[Publication]) -> None:
        rows = [vars(publication) | {"finality": publication.state.finality} for publication in publications]
        # FOR KEY SHARE: a post that is being deleted is waited for, and then not there.
        await self._transaction.execute(_KEEP, {name: [row[name] for row in rows] for name in _KEPT})
