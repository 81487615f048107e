"""Images and videos: which are taken, how large they may be, where their bytes lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from uuid import UUID

from platforms.shape import MediaKind

from content.domain.problems import MediaNotUnderstood

KINDS: Mapping[str, MediaKind] = MappingProxyType(
    {
        "image/jpeg": MediaKind.IMAGE,
        "image/png": MediaKind.IMAGE,
        "image/webp": MediaKind.IMAGE,
        "image/gif": MediaKind.IMAGE,
        "video/mp4": MediaKind.VIDEO,
        "video/quicktime": MediaKind.VIDEO,
        "video/webm": MediaKind.VIDEO,
    }
)
"""The content types that are taken."""

BYTES_MAX: Mapping[MediaKind, int] = MappingProxyType(
    {
        # An image is held in memory while its metadata is taken out; no platform takes a larger one.
        MediaKind.IMAGE: 32 * 1024 * 1024,
        # Ten minutes of full HD at 6 Mbit/s, the longest that the platforms take, with room to spare.
        MediaKind.VIDEO: 512 * 1024 * 1024,
    }
)

PIXELS_MAX = 40_000_000
"""More than 8K. A decoded image of this size takes 160 MB, so a small file cannot fill the memory."""

UNREFERENCED_KEPT = timedelta(hours=24)
"""How long an upload that no revision shows is kept: long enough to finish writing the post it is for."""


@dataclass(frozen=True)
class Understood:
    """What was found out by decoding. Sizes are as shown, after turning."""

    width: int
    height: int
    duration_seconds: float | None = None
    frames_per_second: float | None = None
    codec: str | None = None


@dataclass(frozen=True)
class Media:
    """One stored image or video."""

    workspace_id: UUID
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
    created_at: datetime


@dataclass(frozen=True)
class MediaId:
    workspace_id: UUID
    media_id: UUID

    @property
    def object_key(self) -> str:
        return object_key(self.workspace_id, self.media_id)


def kind_of(content_type: str) -> MediaKind:
    """The kind a declared content type stands for; raises `MediaNotUnderstood`."""
    try:
        return KINDS[content_type]
    except KeyError:
        raise MediaNotUnderstood(f"Taken are: {', '.join(KINDS)}.") from None


def object_key(workspace_id: UUID, media_id: UUID) -> str:
    return f"{objects_of(workspace_id)}{media_id}"


def objects_of(workspace_id: UUID) -> str:
    """The prefix of everything that one workspace stores."""
    return f"media/{workspace_id}/"
