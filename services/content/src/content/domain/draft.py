"""What a person wrote, before it becomes a revision: hard limits, and the places where something is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from contracts.sealing import SealedMedia, SealedVariant
from kit.problems import Invalid

from content.domain.media import Media, object_key

TITLE_CHARACTERS_MAX = 200
TEXT_CHARACTERS_MAX = 10_000
"""Above every platform's own limit, which is checked on submission."""

ALT_TEXT_CHARACTERS_MAX = 2_000
VARIANTS_MAX = 20
MEDIA_MAX = 20
"""Of one variant; no platform takes more."""

SETTINGS_MAX = 50
"""Of one variant. What they may be is the platform's word, on submission."""

COMMENT_CHARACTERS_MAX = 2_000
ENDED = frozenset({"ending", "revoked"})
"""States of a connection that nothing can be written for. Others may be mended before the post is due."""

Mistake = dict[str, str]


@dataclass(frozen=True)
class Connection:
    """What content knows of a connection, told by auth."""

    connection_id: UUID
    platform: str
    state: str


@dataclass(frozen=True)
class MediaUse:
    media_id: UUID
    alt_text: str


@dataclass(frozen=True)
class VariantDraft:
    """What one connection is to get."""

    connection_id: UUID
    text: str
    media: tuple[MediaUse, ...]
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class Draft:
    title: str
    variants: tuple[VariantDraft, ...]

    def media_ids(self) -> list[UUID]:
        return list({use.media_id: None for variant in self.variants for use in variant.media})


def resolve(
    draft: Draft, *, connections: Mapping[UUID, Connection], media: Mapping[UUID, Media]
) -> tuple[SealedVariant, ...]:
    """The draft with everything it names looked up; raises `Invalid` with every place that names nothing."""
    mistakes = list(_mistakes(draft, connections, media))
    if mistakes:
        raise Invalid(errors=mistakes)
    return tuple(
        SealedVariant(
            connection_id=variant.connection_id,
            platform=connections[variant.connection_id].platform,
            text=variant.text,
            media=tuple(_shown(media[use.media_id], use.alt_text) for use in variant.media),
            settings=dict(variant.settings),
        )
        for variant in draft.variants
    )


def _mistakes(draft: Draft, connections: Mapping[UUID, Connection], media: Mapping[UUID, Media]) -> Iterator[Mistake]:
    if "\0" in draft.title:
        yield _mistake("/title", "A null character cannot be stored.")
    seen: set[UUID] = set()
    for index, variant in enumerate(draft.variants):
        place = f"/variants/{index}"
        connection = connections.get(variant.connection_id)
        if connection is None or connection.state in ENDED:
            yield _mistake(f"{place}/connection_id", "This workspace has no such connection.")
        if variant.connection_id in seen:
            yield _mistake(f"{place}/connection_id", "Another variant is for the same connection.")
        seen.add(variant.connection_id)
        if "\0" in variant.text:
            yield _mistake(f"{place}/text", "A null character cannot be stored.")
        yield from _media_mistakes(variant, media, place)


def _media_mistakes(variant: VariantDraft, media: Mapping[UUID, Media], place: str) -> Iterator[Mistake]:
    for index, use in enumerate(variant.media):
        if use.media_id not in media:
            yield _mistake(f"{place}/media/{index}/media_id", "This workspace has no such media.")
        if "\0" in use.alt_text:
            yield _mistake(f"{place}/media/{index}/alt_text", "A null character cannot be stored.")


def _mistake(pointer: str, detail: str) -> Mistake:
    return {"pointer": pointer, "detail": detail}


def _shown(media: Media, alt_text: str) -> SealedMedia:
    return SealedMedia(
        media_id=media.media_id,
        object_key=object_key(media.workspace_id, media.media_id),
        kind=media.kind,
        content_type=media.content_type,
        size_bytes=media.size_bytes,
        sha256=media.sha256,
        width=media.width,
        height=media.height,
        duration_seconds=media.duration_seconds,
        alt_text=alt_text,
    )
