"""What comes in and goes out over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from contracts.sealing import SealedMedia, SealedVariant
from msgspec import Meta, Struct, field

from content.domain import draft, media, post


class MediaUseBody(Struct, frozen=True, forbid_unknown_fields=True):
    media_id: UUID
    alt_text: Annotated[str, Meta(max_length=draft.ALT_TEXT_CHARACTERS_MAX)] = ""


class VariantBody(Struct, frozen=True, forbid_unknown_fields=True):
    connection_id: UUID
    text: Annotated[str, Meta(max_length=draft.TEXT_CHARACTERS_MAX)]
    media: Annotated[tuple[MediaUseBody, ...], Meta(max_length=draft.MEDIA_MAX)] = ()
    settings: Annotated[dict[str, Any], Meta(max_length=draft.SETTINGS_MAX)] = field(default_factory=dict)


class PostBody(Struct, frozen=True, forbid_unknown_fields=True):
    title: Annotated[str, Meta(min_length=1, max_length=draft.TITLE_CHARACTERS_MAX)]
    variants: Annotated[tuple[VariantBody, ...], Meta(max_length=draft.VARIANTS_MAX)]

    def draft(self) -> draft.Draft:
        return draft.Draft(self.title, tuple(_variant(variant) for variant in self.variants))


class RevisionBody(Struct, frozen=True, forbid_unknown_fields=True):
    revision_id: UUID


class ChangesBody(Struct, frozen=True, forbid_unknown_fields=True):
    revision_id: UUID
    comment: Annotated[str, Meta(min_length=1, max_length=draft.COMMENT_CHARACTERS_MAX, pattern=r"^[^\x00]*$")]


class MediaAnswer(Struct, frozen=True):
    media_id: UUID
    kind: str
    content_type: str
    size_bytes: int
    sha256: str
    width: int
    height: int
    duration_seconds: float | None
    frames_per_second: float | None
    codec: str | None

    @classmethod
    def of(cls, stored: media.Media) -> Self:
        return cls(**{name: getattr(stored, name) for name in cls.__struct_fields__})


class SavedAnswer(Struct, frozen=True):
    """A save. `violations` do not hinder it, only the submission."""

    post_id: UUID
    revision_id: UUID
    number: int
    content_hash: str
    state: str
    violations: list[dict[str, str]]


class SummaryAnswer(Struct, frozen=True):
    """A post in a list: its newest revision and where its review stands."""

    post_id: UUID
    title: str
    state: str
    revision_id: UUID
    number: int
    created_by: UUID | None
    created_at: datetime
    changed_at: datetime

    @classmethod
    def of(cls, shown: post.Post) -> Self:
        return cls(**_summary(shown))


class PostsAnswer(Struct, frozen=True):
    posts: list[SummaryAnswer]


class ShownMedia(Struct, frozen=True):
    media_id: UUID
    kind: str
    content_type: str
    size_bytes: int
    sha256: str
    width: int
    height: int
    duration_seconds: float | None
    alt_text: str

    @classmethod
    def of(cls, shown: SealedMedia) -> Self:
        return cls(**{name: getattr(shown, name) for name in cls.__struct_fields__})


class ShownVariant(Struct, frozen=True):
    connection_id: UUID
    platform: str
    text: str
    media: list[ShownMedia]
    settings: dict[str, Any]

    @classmethod
    def of(cls, shown: SealedVariant) -> Self:
        media = [ShownMedia.of(item) for item in shown.media]
        return cls(shown.connection_id, shown.platform, shown.text, media, shown.settings)


class ShownSeal(Struct, frozen=True):
    content_hash: str
    approved_by: list[UUID]
    approved_at: datetime
    signature: str


class ShownRevision(Struct, frozen=True):
    revision_id: UUID
    number: int
    content_hash: str
    created_by: UUID | None
    created_at: datetime
    seal: ShownSeal | None
    variants: list[ShownVariant]

    @classmethod
    def of(cls, shown: post.Revision) -> Self:
        seal = shown.content.seal
        return cls(
            revision_id=shown.content.revision_id,
            number=shown.number,
            content_hash=shown.content_hash,
            created_by=shown.created_by,
            created_at=shown.created_at,
            seal=ShownSeal(seal.content_hash, list(seal.approved_by), seal.approved_at, seal.signature)
            if seal
            else None,
            variants=[ShownVariant.of(variant) for variant in shown.content.variants],
        )


class ShownDecision(Struct, frozen=True):
    revision_id: UUID
    step: str
    decided_by: UUID | None
    decided_at: datetime
    comment: str

    @classmethod
    def of(cls, shown: post.Decision) -> Self:
        return cls(shown.revision_id, shown.step.value, shown.decided_by, shown.decided_at, shown.comment)


class ShownPublication(Struct, frozen=True):
    publication_id: UUID
    revision_id: UUID
    connection_id: UUID
    platform: str
    state: str
    code: str | None
    published_at: datetime | None
    removed_at: datetime | None

    @classmethod
    def of(cls, shown: post.Publication) -> Self:
        return cls(**{name: getattr(shown, name) for name in cls.__struct_fields__})


class PostAnswer(SummaryAnswer, frozen=True):
    """A post with all there is to see of it; revisions newest first."""

    revisions: list[ShownRevision]
    history: list[ShownDecision]
    publications: list[ShownPublication]
    violations: list[dict[str, str]]

    @classmethod
    def of_details(cls, details: post.PostDetails) -> Self:
        return cls(
            **_summary(details.post),
            revisions=[ShownRevision.of(revision) for revision in details.revisions],
            history=[ShownDecision.of(decision) for decision in details.decisions],
            publications=[ShownPublication.of(publication) for publication in details.publications],
            violations=details.violations,
        )


def _variant(body: VariantBody) -> draft.VariantDraft:
    uses = tuple(draft.MediaUse(use.media_id, use.alt_text) for use in body.media)
    return draft.VariantDraft(body.connection_id, body.text, uses, body.settings)


def _summary(shown: post.Post) -> dict[str, Any]:
    return {name: getattr(shown, name) for name in SummaryAnswer.__struct_fields__}
