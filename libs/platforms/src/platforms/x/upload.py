"""A file's way to X: initialised, sent in segments, finalised, described, processed. Resumed at each step.

What the journal knows of a file is a `Stored`. X takes each segment once, so an upload that X refuses after it was
taken up again is started anew instead of being given up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

from platforms.errors import RateLimited, Rejected, Transient
from platforms.shape import Call, Journal, Media, MediaKind
from platforms.x import answers
from platforms.x.api import XApi
from platforms.x.limits import (
    GIF_TYPE,
    MEDIA_MARGIN_SECONDS,
    MEDIA_SECONDS,
    PROCESSING_ASK_AGAIN_SECONDS,
    PROCESSING_ASK_AGAIN_SECONDS_MAX,
    SEGMENT_BYTES,
)


@dataclass(frozen=True)
class Stored:
    """One file at X, as the journal's facts tell it. `next_segment` counts what X has confirmed."""

    id: str
    key: str | None
    expires_at: str
    next_segment: int = 0
    finalised: bool = False
    described: bool = False
    ready: bool = False

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any], position: int, now: datetime) -> Self | None:
        """None if the file was not begun, or will be gone before a post can name it."""
        known = (facts.get("media") or {}).get(str(position))
        if not known:
            return None
        stored = cls(**known)
        margin = timedelta(seconds=MEDIA_MARGIN_SECONDS)
        return None if datetime.fromisoformat(stored.expires_at) - margin <= now else stored


class Uploads:
    """Brings the files of one delivery to X."""

    def __init__(self, api: XApi) -> None:
        self._api = api

    async def bring(self, call: Call, media: Media, position: int, journal: Journal) -> None:
        """Send what is missing of one file; X may go on working on it afterwards."""
        stored = Stored.from_facts(journal.facts, position, call.clock.now())
        if stored is None:
            await self._send(call, media, await self._begin(call, media), position, journal)
            return
        try:
            await self._send(call, media, stored, position, journal)
        except Rejected as error:
            if stored.finalised:
                raise
            await forget(journal, position)
            raise Transient("upload_restarted", f"X did not take the upload up again ({error.code})") from None

    async def wait(self, call: Call, position: int, journal: Journal) -> None:
        """Return once X has processed the file. Raises `RateLimited` with the time at which to ask again."""
        stored = Stored.from_facts(journal.facts, position, call.clock.now())
        if stored is None or stored.ready:
            return
        query = {"command": "STATUS", "media_id": stored.id}
        upload = await self._api.get(call, "media/upload", answers.Upload, query=query)
        if _is_ready(upload):
            await _keep(journal, position, replace(stored, ready=True))
            return
        assert upload.processing_info is not None
        if upload.processing_info.state == "failed":
            await forget(journal, position)
            raise _unreadable(upload.processing_info)
        seconds = upload.processing_info.check_after_secs or PROCESSING_ASK_AGAIN_SECONDS
        until = call.clock.now() + timedelta(seconds=min(max(seconds, 1.0), PROCESSING_ASK_AGAIN_SECONDS_MAX))
        raise RateLimited("media_processing", "X is still processing a file of the post", until=until)

    async def _begin(self, call: Call, media: Media) -> Stored:
        body = {
            "media_type": media.content_type,
            "total_bytes": media.size_bytes,
            "media_category": _category(media),
        }
        upload = await self._api.post(call, "media/upload/initialize", body, answers.Upload)
        lifetime = timedelta(seconds=upload.expires_after_secs or MEDIA_SECONDS)
        return Stored(upload.id, upload.media_key, (call.clock.now() + lifetime).isoformat())

    async def _send(self, call: Call, media: Media, stored: Stored, position: int, journal: Journal) -> None:
        await _keep(journal, position, stored)
        for index in range(stored.next_segment, _segments(media)):
            await self._append(call, media, stored.id, index)
            stored = replace(stored, next_segment=index + 1)
            await _keep(journal, position, stored)
        if not stored.finalised:
            # An empty body was refused for a while in 2026; an empty object never was.
            upload = await self._api.post(call, f"media/upload/{stored.id}/finalize", {}, answers.Upload)
            key = upload.media_key or stored.key
            stored = replace(stored, key=key, finalised=True, ready=_is_ready(upload))
            await _keep(journal, position, stored)
        if media.alt_text and media.kind is MediaKind.IMAGE and not stored.described:
            body = {"id": stored.id, "metadata": {"alt_text": {"text": media.alt_text}}}
            await self._api.post(call, "media/metadata", body, answers.Described)
            await _keep(journal, position, replace(stored, described=True))

    async def _append(self, call: Call, media: Media, media_id: str, index: int) -> None:
        """Send one segment; no more than one is ever held in memory."""
        assert media.source is not None
        start = index * SEGMENT_BYTES
        data = bytearray()
        async for piece in media.source.read(start, min(start + SEGMENT_BYTES, media.size_bytes)):
            data += piece
        form, files = {"segment_index": str(index)}, {"media": ("segment", bytes(data), "application/octet-stream")}
        await self._api.post_form(call, f"media/upload/{media_id}/append", form, files)


async def forget(journal: Journal, *positions: int) -> None:
    """The next staging sends these files anew."""
    dropped = {str(position) for position in positions}
    known = journal.facts.get("media") or {}
    await journal.record(media={position: stored for position, stored in known.items() if position not in dropped})


async def _keep(journal: Journal, position: int, stored: Stored) -> None:
    known = journal.facts.get("media") or {}
    await journal.record(media={**known, str(position): asdict(stored)})


def _segments(media: Media) -> int:
    return -(-media.size_bytes // SEGMENT_BYTES)


def _category(media: Media) -> str:
    if media.kind is MediaKind.VIDEO:
        return "tweet_video"
    return "tweet_gif" if media.content_type == GIF_TYPE else "tweet_image"


def _is_ready(upload: answers.Upload) -> bool:
    return upload.processing_info is None or upload.processing_info.state == "succeeded"


def _unreadable(info: answers.ProcessingInfo) -> Rejected:
    name = (info.error or {}).get("name")
    detail = (
        f"X could not process a file of the post ({name if isinstance(name, str) and name.isalnum() else 'failed'})"
    )
    return Rejected("media_failed", detail, advice="Export the video as MP4 (H.264, AAC) and upload it again.")
