"""Sending a video's bytes to Meta's upload host: all from an offset to the end, straight from the media store."""

from __future__ import annotations

from typing import Any

from platforms.errors import Misconfigured, PlatformError, Rejected, Transient
from platforms.meta.errors import Table, graph_error
from platforms.meta.graph import Key, succeeded
from platforms.shape import Call, Media
from platforms.wire import UPLOAD_SECONDS, Answer, safe_code, send


async def send_bytes(call: Call, url: str, media: Media, *, offset: int, table: Table, key: Key | None = None) -> None:
    """Send the bytes from `offset` on. What broke off goes on at the offset that the platform tells when asked."""
    assert media.source is not None
    token = (key or Key.of(call.grant)).token
    request = call.http.build_request(
        "POST",
        url,
        content=media.source.read(offset, media.size_bytes),
        headers={
            # Only this host wants the older word for a bearer's token.
            "Authorization": f"OAuth {token.reveal()}",
            "offset": str(offset),
            "file_size": str(media.size_bytes),
            "Content-Type": "application/octet-stream",
            "Content-Length": str(media.size_bytes - offset),
        },
        timeout=UPLOAD_SECONDS,
    )
    answer = await send(call.http, request, deadline_seconds=UPLOAD_SECONDS)
    told = answer.json().get("debug_info")
    if isinstance(told, dict):
        raise _refused(told)
    if not succeeded(answer):
        raise _judged(answer, call, table)


def _refused(told: dict[str, Any]) -> PlatformError:
    word = safe_code(told.get("type"))
    # A wrong offset and a part that is missing are put right by asking how far it got.
    if told.get("retriable") is True or word in ("OffsetInvalidError", "PartialRequestError"):
        return Transient(word, "the upload broke off; it goes on where it stopped")
    return Rejected(word, "Meta cannot use the file", advice="Export the video as MP4 (H.264) and upload it again.")


def _judged(answer: Answer, call: Call, table: Table) -> PlatformError:
    if 300 <= answer.status < 400:
        return Misconfigured("upload_redirected", "the upload redirected, which is not part of its protocol")
    return graph_error(answer, table, now=call.clock.now())
