"""A TikTok upload: what the journal knows of it, how the bytes are cut, and one chunk sent.

TikTok publishes by itself once the last byte is in. So every chunk but the last is harmless, and the
last one is the step that makes the post visible.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from kit.secret import Secret

from platforms.errors import Misconfigured, OutcomeUnknown, PlatformError, Rejected, Transient
from platforms.shape import Call, Media
from platforms.tiktok.limits import (
    CHUNK_BYTES,
    CHUNKS_MAX,
    UPLOAD_URL_MARGIN_SECONDS,
    UPLOAD_URL_SECONDS,
)
from platforms.wire import UPLOAD_SECONDS, Answer, send


@dataclass(frozen=True)
class Cut:
    """How a file is cut into chunks, all in bytes."""

    size: int
    chunk_size: int
    count: int

    def span(self, index: int) -> tuple[int, int]:
        """First byte (inclusive) and last byte (exclusive) of a chunk; the last one takes the remainder."""
        start = index * self.chunk_size
        return start, self.size if index == self.count - 1 else start + self.chunk_size


def cut(size: int) -> Cut:
    """Cut by TikTok's rule: the count is rounded *down*, and the remainder joins the last chunk.

    The largest file (4 GB) makes 400 chunks, so the chunk never has to grow to keep to 1000.
    """
    if size < 2 * CHUNK_BYTES:
        return Cut(size, size, 1)
    count = size // CHUNK_BYTES
    assert count <= CHUNKS_MAX
    return Cut(size, CHUNK_BYTES, count)


@dataclass(frozen=True)
class Upload:
    """A started upload, as the journal's facts tell it."""

    publish_id: str
    upload_url: Secret
    started_at: datetime
    cut: Cut
    next_chunk: int
    last_chunk_tried: bool
    all_bytes_sent: bool

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Upload | None:
        """None if no upload was started, or the last one was given up."""
        if not facts.get("publish_id") or not facts.get("upload_url"):
            return None
        url = facts["upload_url"]
        return cls(
            publish_id=facts["publish_id"],
            upload_url=url if isinstance(url, Secret) else Secret(url),
            started_at=datetime.fromisoformat(facts["upload_started_at"]),
            cut=Cut(facts["video_bytes"], facts["chunk_bytes"], facts["chunk_count"]),
            next_chunk=facts["next_chunk"],
            last_chunk_tried=bool(facts.get("last_chunk_tried")),
            all_bytes_sent=bool(facts.get("all_bytes_sent")),
        )

    def to_facts(self) -> dict[str, Any]:
        return {
            "publish_id": self.publish_id,
            "upload_url": self.upload_url.reveal(),
            "upload_started_at": self.started_at.isoformat(),
            "video_bytes": self.cut.size,
            "chunk_bytes": self.cut.chunk_size,
            "chunk_count": self.cut.count,
            "next_chunk": self.next_chunk,
            "last_chunk_tried": self.last_chunk_tried,
            "all_bytes_sent": self.all_bytes_sent,
        }

    def is_expired(self, now: datetime) -> bool:
        """True once the address is too old to finish an upload on it."""
        return now - self.started_at > timedelta(seconds=UPLOAD_URL_SECONDS - UPLOAD_URL_MARGIN_SECONDS)

    def chunk_at(self, stored_bytes: int) -> int:
        """The chunk to send next when TikTok holds so many bytes from the start."""
        return min(stored_bytes // self.cut.chunk_size, self.cut.count - 1)


@dataclass(frozen=True)
class Progress:
    """What TikTok holds after a chunk: everything, or `stored_bytes` from the start."""

    stored_bytes: int
    complete: bool


class UploadGone(Exception):
    """The upload address has expired or is unknown; what was posted is for the status to tell."""


async def put_chunk(call: Call, upload: Upload, video: Media, index: int, *, visible: bool) -> Progress:
    """Send one chunk straight from the media store, never holding more than one piece of it."""
    assert video.source is not None
    start, end = upload.cut.span(index)
    request = call.http.build_request(
        "PUT",
        upload.upload_url.reveal(),
        content=video.source.read(start, end),
        headers={
            "Content-Type": video.content_type,
            "Content-Length": str(end - start),
            "Content-Range": f"bytes {start}-{end - 1}/{upload.cut.size}",
        },
        timeout=UPLOAD_SECONDS,
    )
    answer = await send(call.http, request, visible=visible, deadline_seconds=UPLOAD_SECONDS)
    match answer.status:
        case 201:
            return Progress(upload.cut.size, complete=True)
        case 206 if visible and "content-range" not in answer.headers:
            # After the last byte "partly stored" makes no sense unless it says how far.
            raise _refused(206, visible=True)
        case 206 | 416:
            stored = _stored_bytes(answer, fallback=end if answer.status == 206 else start)
            return Progress(stored, complete=stored >= upload.cut.size)
        case 403 | 404:
            raise UploadGone
        case _:
            raise _refused(answer.status, visible=visible)


def _stored_bytes(answer: Answer, *, fallback: int) -> int:
    """Read `bytes 0-N/total`. N has been seen as the last index; a count would differ by one byte only."""
    found = re.fullmatch(r"bytes 0-(\d+)/\d+", answer.headers.get("content-range", ""))
    last = int(found[1]) if found else fallback - 1
    return last + 1 if last > 0 else 0


def _refused(status: int, *, visible: bool) -> PlatformError:
    if status >= 500 or status < 300:
        # Neither a refusal nor the documented success: the bytes may be in.
        kind = OutcomeUnknown if visible else Transient
        return kind("upload_unclear", f"TikTok's upload answered with status {status}")
    if status in (408, 429):
        return Transient("upload_busy", f"TikTok's upload answered with status {status}")
    if 300 <= status < 400:
        return Misconfigured("upload_redirected", "TikTok's upload redirected, which is not part of its protocol")
    return Rejected(
        "invalid_file_upload",
        f"TikTok's upload refused the bytes with status {status}",
        advice="Export the video as MP4 (H.264) and upload it again.",
    )
