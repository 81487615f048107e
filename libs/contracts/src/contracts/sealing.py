"""What was approved, in a form that two services hash alike: the revision, its content hash and its seal.

content signs the seal when a revision is approved; publisher recomputes the hash of what it is about to
send and refuses whatever does not match.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from contracts.event import Instant


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class SealedMedia(_Shape):
    """One image or video: where its bytes are, their digest (lower-case hex SHA-256), its text for the blind."""

    media_id: UUID
    object_key: str
    kind: str
    content_type: str
    size_bytes: int
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    width: int
    height: int
    duration_seconds: float | None = None
    alt_text: str = ""


class SealedVariant(_Shape):
    """What one connection gets."""

    connection_id: UUID
    platform: str
    text: str
    media: tuple[SealedMedia, ...] = ()
    settings: dict[str, Any] = Field(default_factory=dict)


class Seal(_Shape):
    """The signed record that a revision was approved. `signature` is base64url of Ed25519 over `seal_message`."""

    content_hash: str = Field(pattern=r"^[0-9a-f]{64}$")
    approved_by: tuple[UUID, ...]
    approved_at: Instant
    signature: str


class SealedRevision(_Shape):
    """A revision as content gives it to publisher. `seal` is absent while it is not approved."""

    workspace_id: UUID
    post_id: UUID
    revision_id: UUID
    variants: tuple[SealedVariant, ...]
    seal: Seal | None = None

    def content_hash(self) -> str:
        """Lower-case hex SHA-256 over everything that a reader of the post could tell apart."""
        document = {
            "workspace_id": str(self.workspace_id),
            "post_id": str(self.post_id),
            "revision_id": str(self.revision_id),
            "variants": [_hashed(variant) for variant in sorted(self.variants, key=lambda v: v.connection_id)],
        }
        return hashlib.sha256(_canonical(document)).hexdigest()

    def variant_hashes(self) -> dict[UUID, str]:
        """By connection, lower-case hex SHA-256 over what its variant says: the same for every post of the workspace
        that says the same there, whatever its ids."""
        return {variant.connection_id: self._variant_hash(variant) for variant in self.variants}

    def _variant_hash(self, variant: SealedVariant) -> str:
        document = _hashed(variant) | {
            "workspace_id": str(self.workspace_id),
            "media": [{"sha256": media.sha256, "alt_text": media.alt_text} for media in variant.media],
        }
        return hashlib.sha256(_canonical(document)).hexdigest()


def seal_message(content_hash: str, approved_by: Sequence[UUID], approved_at: datetime | str) -> bytes:
    """The bytes a seal's signature covers. `approved_at` as a time, or as RFC 3339 in UTC with `+00:00`."""
    told_at = approved_at if isinstance(approved_at, str) else approved_at.astimezone(UTC).isoformat()
    return _canonical(
        {"content_hash": content_hash, "approved_by": sorted(map(str, approved_by)), "approved_at": told_at}
    )


def _hashed(variant: SealedVariant) -> dict[str, Any]:
    return {
        "connection_id": str(variant.connection_id),
        "platform": variant.platform,
        "text": variant.text,
        "media": [
            {"media_id": str(media.media_id), "sha256": media.sha256, "alt_text": media.alt_text}
            for media in variant.media
        ],
        "settings": variant.settings,
    }


def _canonical(document: Any) -> bytes:
    """JSON with one spelling: sorted keys, no spaces, UTF-8, no NaN."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
