"""What the use cases need from outside: rows, bytes, decoders and the neighbour that knows the connections."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol
from uuid import UUID

from contracts.event import Event
from contracts.sealing import Seal, SealedRevision
from kit.objects import Stored
from kit.passport import Reach

from content.domain.draft import Connection
from content.domain.media import Media, MediaId, Understood
from content.domain.post import Decision, Post, Publication, Revision

RevisionId = tuple[UUID, UUID]
"""A workspace and a revision of it."""


class Store(Protocol):
    """The rows of one transaction, and the events that are told when it commits."""

    def emit(self, event: Event) -> UUID: ...

    async def add_post(self, post: Post) -> None: ...

    async def change_post(self, post: Post) -> None: ...

    async def post(self, workspace_id: UUID, post_id: UUID) -> Post | None: ...

    async def locked_post(self, workspace_id: UUID, post_id: UUID) -> Post | None:
        """The post, which no other transaction changes until this one ends."""

    async def posts(self, workspace_id: UUID, *, before: UUID | None, reach: Reach, limit: int) -> list[Post]:
        """Posts, newest first; with `before`, those older than that one; without those that are out of `reach`."""

    async def connections_of(self, workspace_id: UUID, post_id: UUID) -> list[UUID]:
        """Every connection that any revision of the post was meant for."""

    async def delete_post(self, workspace_id: UUID, post_id: UUID) -> None:
        """Delete the post and everything that hangs on it."""

    async def add_revision(self, revision: Revision) -> None: ...

    async def revision(self, workspace_id: UUID, revision_id: UUID) -> SealedRevision | None: ...

    async def sealed(self, revisions: Sequence[RevisionId]) -> list[SealedRevision]:
        """Those of them that exist, with their seals, in any order."""

    async def revisions(self, workspace_id: UUID, post_id: UUID, *, limit: int) -> list[Revision]:
        """A post's revisions, newest first."""

    async def add_seal(self, workspace_id: UUID, revision_id: UUID, seal: Seal) -> None: ...

    async def delete_seal(self, workspace_id: UUID, revision_id: UUID) -> None: ...

    async def add_decision(self, decision: Decision) -> None: ...

    async def decisions(self, workspace_id: UUID, post_id: UUID) -> list[Decision]: ...

    async def publications(self, workspace_id: UUID, post_id: UUID) -> list[Publication]: ...

    async def keep_publications(self, publications: Sequence[Publication]) -> None:
        """Remember what became of each, unless its post is gone or more final news is known; none comes twice."""

    async def begin_upload(self, media: MediaId, *, content_type: str, created_by: UUID, at: datetime) -> None: ...

    async def finish_upload(self, media: Media) -> bool:
        """Make an upload usable; false if it was given up meanwhile."""

    async def forget_media(self, media: Sequence[MediaId]) -> None: ...

    async def hold_media(self, workspace_id: UUID, media_ids: Sequence[UUID]) -> dict[UUID, Media]:
        """The usable ones among `media_ids`, which from this transaction on are not orphans."""

    async def media_of_post(self, workspace_id: UUID, post_id: UUID) -> list[UUID]: ...

    async def release_media(self, workspace_id: UUID, media_ids: Sequence[UUID], *, at: datetime) -> None:
        """Let those that no revision shows any more become orphans."""

    async def claim_orphans(self, *, older_than: datetime, limit: int) -> list[MediaId]:
        """Orphans of all workspaces, which nobody can use from this transaction on."""


OpenStore = Callable[[], AbstractAsyncContextManager[Store]]
"""Opens a transaction for one caller. Used where something slow must happen between two of them."""


class Connections(Protocol):
    """Knows which connections a workspace has."""

    async def of_workspace(self, workspace_id: UUID) -> Mapping[UUID, Connection]: ...


class ObjectStore(Protocol):
    """Where the bytes of media lie."""

    async def write(self, key: str, pieces: AsyncIterator[bytes], *, limit_bytes: int) -> Stored: ...

    def read(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """Bytes `start` (inclusive) to `end` (exclusive) in pieces. Raises `kit.objects.ObjectMissing`."""

    async def delete(self, key: str) -> None: ...


class Examined(Protocol):
    """A received file that was understood, and is gone when its block ends."""

    @property
    def understood(self) -> Understood: ...

    def pieces(self) -> AsyncIterator[bytes]:
        """The bytes to keep: those received, without the metadata that tells about the person."""


class Examiner(Protocol):
    """Receives a file and finds out what it is."""

    def examine(
        self, pieces: AsyncIterator[bytes], *, content_type: str, limit_bytes: int
    ) -> AbstractAsyncContextManager[Examined]:
        """Raises `MediaTooLarge` or `MediaNotUnderstood`."""


Sign = Callable[[bytes], bytes]
"""Signs as this service."""
