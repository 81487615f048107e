"""A video's way to Pinterest: registered, sent as a form to the storage it names, processed, then ready for a pin."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any

import msgspec
from kit.secret import Secret

from platforms.errors import RateLimited, Rejected, Transient
from platforms.pinterest.answers import MediaStatus, Upload
from platforms.pinterest.api import PinterestApi
from platforms.pinterest.limits import PROCESSING_ASK_AGAIN_SECONDS
from platforms.shape import Call, Journal, Media
from platforms.wire import UPLOAD_SECONDS, send

_EXPORT_AGAIN = "Export the video as MP4 (H.264) and upload it again."


async def bring_video(api: PinterestApi, call: Call, video: Media, journal: Journal) -> None:
    """Do what is left of the way. Raises `RateLimited` while Pinterest processes, so that it is asked again later."""
    if journal.facts.get("media_id") is None:
        upload = await api.post(call, "/media", {"media_type": "video"}, Upload)
        target = {"url": upload.upload_url, "parameters": upload.upload_parameters}
        await journal.record(media_id=upload.media_id, upload_target=msgspec.json.encode(target).decode())
    if not journal.facts.get("uploaded"):
        await _send(call, video, journal)
        await journal.record(uploaded=True)
    if not journal.facts.get("processed"):
        await _wait(api, call, journal)
        await journal.record(processed=True)


async def _send(call: Call, video: Media, journal: Journal) -> None:
    target = _target(journal.facts)
    boundary = f"signoff-{hashlib.sha256(video.sha256.encode()).hexdigest()[:32]}"
    head = b"".join(_field(boundary, name, value) for name, value in target["parameters"].items())
    head += _part(boundary, f'name="file"; filename="video"\r\nContent-Type: {video.content_type}')
    tail = f"\r\n--{boundary}--\r\n".encode()
    request = call.http.build_request(
        "POST",
        target["url"],
        content=_form(head, video, tail),
        headers={
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            "Content-Length": str(len(head) + video.size_bytes + len(tail)),
        },
        timeout=UPLOAD_SECONDS,
    )
    answer = await send(call.http, request, deadline_seconds=UPLOAD_SECONDS)
    if answer.status in (200, 201, 204):
        return
    if answer.status == 403:
        # The storage's permission has run out, or never was: only a new registration brings another.
        await journal.record(media_id=None, upload_target=None, uploaded=False)
        raise Transient("upload_expired", "the upload's permission has run out; it is registered anew")
    if 400 <= answer.status < 500 and answer.status not in (408, 429):
        raise Rejected("upload_refused", f"Pinterest's storage refused with {answer.status}", advice=_EXPORT_AGAIN)
    raise Transient("upload_failed", f"Pinterest's storage answered with status {answer.status}")


async def _wait(api: PinterestApi, call: Call, journal: Journal) -> None:
    status = (await api.get(call, f"/media/{journal.facts['media_id']}", MediaStatus)).status
    if status == "failed":
        raise Rejected("media_failed", "Pinterest could not process the video", advice=_EXPORT_AGAIN)
    if status != "succeeded":
        until = call.clock.now() + timedelta(seconds=PROCESSING_ASK_AGAIN_SECONDS)
        raise RateLimited("media_processing", "Pinterest is still processing the video", until=until)


def _target(facts: Mapping[str, Any]) -> dict[str, Any]:
    kept = facts["upload_target"]
    target: dict[str, Any] = msgspec.json.decode(kept.reveal() if isinstance(kept, Secret) else kept)
    return target


async def _form(head: bytes, video: Media, tail: bytes) -> AsyncIterator[bytes]:
    assert video.source is not None
    yield head
    async for piece in video.source.read(0, video.size_bytes):
        yield piece
    yield tail


def _field(boundary: str, name: str, value: str) -> bytes:
    return _part(boundary, f'name="{name}"') + value.encode() + b"\r\n"


def _part(boundary: str, disposition: str) -> bytes:
    return f"--{boundary}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n".encode()
