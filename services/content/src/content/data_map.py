"""Everything content holds about people and workspaces, and how it is found again to be erased.

Nothing here is derived from a platform: what a variant says and what became of it are the workspace's own
content and publishing history, so the end of a connection leaves them. Its handle, name and picture are not
held here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

from contracts.retention import SubjectKind
from kit.erasure import Anonymise, DataMap, Delete, Kind, Objects, Table

_WITH_POST = "until the post or its workspace is deleted"
_WORKSPACE = Delete("workspace_id = %(subject)s")
_CREATED_BY = Anonymise("created_by = %(subject)s", "created_by = NULL")

VARIANT_MEDIA = Table(
    "variant_media",
    purpose="Which media a variant shows, in which order, and the text for who cannot see them",
    retention=_WITH_POST,
    columns={
        "workspace_id": Kind.ID,
        "revision_id": Kind.ID,
        "variant_position": Kind.STATE,
        "position": Kind.STATE,
        "media_id": Kind.ID,
        "alt_text": Kind.CONTENT,
    },
    subjects={SubjectKind.WORKSPACE: _WORKSPACE},
)
VARIANT = Table(
    "variant",
    purpose="What one connection gets",
    retention=_WITH_POST,
    columns={
        "workspace_id": Kind.ID,
        "revision_id": Kind.ID,
        "position": Kind.STATE,
        "connection_id": Kind.ID,
        "platform": Kind.STATE,
        "text": Kind.CONTENT,
        "settings": Kind.CONTENT,
    },
    subjects={SubjectKind.WORKSPACE: _WORKSPACE},
)
SEAL = Table(
    "seal",
    purpose="The signed record that a revision was approved, verified before it is published",
    retention=(
        "until the approval is withdrawn, or the post or its workspace is deleted. The approver's id is kept"
        " deliberately when that person's account is deleted: the signature covers it, and without it a post that"
        " others own could no longer be proven approved. It then names nobody, since auth has erased who it was"
    ),
    columns={
        "workspace_id": Kind.ID,
        "revision_id": Kind.ID,
        "content_hash": Kind.STATE,
        "approved_by": Kind.ID,
        "approved_at": Kind.TIME,
        "signature": Kind.STATE,
    },
    subjects={SubjectKind.WORKSPACE: _WORKSPACE},
)
DECISION = Table(
    "decision",
    purpose="The history of a post's review: who decided what, when, with which comment",
    retention=_WITH_POST,
    columns={
        "workspace_id": Kind.ID,
        "decision_id": Kind.ID,
        "post_id": Kind.ID,
        "revision_id": Kind.ID,
        "step": Kind.STATE,
        "decided_by": Kind.ID,
        "decided_at": Kind.TIME,
        "comment": Kind.CONTENT,
    },
    subjects={
        SubjectKind.WORKSPACE: _WORKSPACE,
        SubjectKind.ACCOUNT: Anonymise("decided_by = %(subject)s", "decided_by = NULL"),
    },
)
PUBLICATION = Table(
    "publication",
    purpose="What became of a post at each connection, as publisher told it, shown beside the post",
    retention=_WITH_POST,
    columns={
        "workspace_id": Kind.ID,
        "post_id": Kind.ID,
        "publication_id": Kind.ID,
        "revision_id": Kind.ID,
        "connection_id": Kind.ID,
        "platform": Kind.STATE,
        "state": Kind.STATE,
        "finality": Kind.STATE,
        "code": Kind.STATE,
        "published_at": Kind.TIME,
        "told_at": Kind.TIME,
        "removed_at": Kind.TIME,
    },
    subjects={SubjectKind.WORKSPACE: _WORKSPACE},
)
REVISION = Table(
    "revision",
    purpose="Immutable versions of a post",
    retention=_WITH_POST,
    columns={
        "workspace_id": Kind.ID,
        "revision_id": Kind.ID,
        "post_id": Kind.ID,
        "number": Kind.STATE,
        "content_hash": Kind.STATE,
        "created_by": Kind.ID,
        "created_at": Kind.TIME,
    },
    subjects={SubjectKind.WORKSPACE: _WORKSPACE, SubjectKind.ACCOUNT: _CREATED_BY},
)
POST = Table(
    "post",
    purpose="Posts, with the title the team knows them by",
    retention=_WITH_POST,
    columns={
        "workspace_id": Kind.ID,
        "post_id": Kind.ID,
        "title": Kind.CONTENT,
        "state": Kind.STATE,
        "revision_id": Kind.ID,
        "number": Kind.STATE,
        "created_by": Kind.ID,
        "created_at": Kind.TIME,
        "changed_at": Kind.TIME,
    },
    subjects={SubjectKind.WORKSPACE: _WORKSPACE, SubjectKind.ACCOUNT: _CREATED_BY},
)
MEDIA = Table(
    "media",
    purpose="What the stored images and videos are",
    retention="24 hours after the upload if no post shows it; else 24 hours after the last such post was deleted",
    columns={
        "workspace_id": Kind.ID,
        "media_id": Kind.ID,
        "state": Kind.STATE,
        "kind": Kind.STATE,
        "content_type": Kind.STATE,
        "size_bytes": Kind.STATE,
        "sha256": Kind.STATE,
        "width": Kind.STATE,
        "height": Kind.STATE,
        "duration_seconds": Kind.STATE,
        "frames_per_second": Kind.STATE,
        "codec": Kind.STATE,
        "created_by": Kind.ID,
        "created_at": Kind.TIME,
        "unreferenced_since": Kind.TIME,
    },
    subjects={SubjectKind.WORKSPACE: _WORKSPACE, SubjectKind.ACCOUNT: _CREATED_BY},
)

OfSubject = Callable[[SubjectKind, UUID], Awaitable[int]]


def data_map(*, erase_objects: OfSubject, count_objects: OfSubject) -> DataMap:
    """The map, in the order of erasing: what points at others first, and the bytes before the rows that name them."""
    objects = Objects(
        "media_objects",
        purpose="The bytes of images and videos, without their metadata",
        retention=MEDIA.retention,
        erase=erase_objects,
        count=count_objects,
    )
    tables = (VARIANT_MEDIA, VARIANT, SEAL, DECISION, PUBLICATION, REVISION, POST, MEDIA)
    return DataMap("content", tables, (objects,))
