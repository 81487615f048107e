"""The imitated upload host: chunks in order, progress in Content-Range, publication after the last byte."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta

from litestar import Response, Router, put

from sandbox.tiktok.answers import AnyRequest
from sandbox.tiktok.platform_state import TikTokState
from sandbox.tiktok.publishing import publish
from sandbox.tiktok.state import UPLOAD_URL_SECONDS, Upload
from sandbox.truth import PostedMedia

TYPES = ("video/mp4", "video/quicktime", "video/webm")
CHUNK_BYTES_MAX = 128_000_000


def create_router(state: TikTokState) -> Router:
    """The one route that takes bytes. Its token is in the address; no bearer header is needed."""

    @put("/video")
    async def chunk(request: AnyRequest) -> Response[bytes]:
        upload = _find(state, request)
        if upload is None or upload.cancelled:
            return await _refuse(request, 404)
        if state.clock.now() - upload.started_at > timedelta(seconds=UPLOAD_URL_SECONDS):
            return await _refuse(request, 403)
        found = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", request.headers.get("content-range", ""))
        content_type = request.headers.get("content-type", "")
        if found is None or content_type not in TYPES or int(found[3]) != upload.size:
            return await _refuse(request, 400)
        start, end = int(found[1]), int(found[2]) + 1
        if start != upload.stored or upload.stored >= upload.size:
            return await _refuse(request, 416, upload)
        length = request.headers.get("content-length", "")
        if end != upload.expected_end() or length != str(end - start):
            return await _refuse(request, 400)
        return await _store(state, request, upload, end, content_type)

    return Router("/", route_handlers=[chunk])


def _find(state: TikTokState, request: AnyRequest) -> Upload | None:
    query = request.query_params
    for upload in state.uploads.values():
        if upload.upload_id == query.get("upload_id") and upload.upload_token == query.get("upload_token"):
            return upload
    return None


async def _store(
    state: TikTokState, request: AnyRequest, upload: Upload, end: int, content_type: str
) -> Response[bytes]:
    """Hash the chunk as it comes. A chunk that breaks off leaves the upload as it was."""
    digest, size, start = upload.digest.copy(), 0, upload.stored
    async for piece in request.stream():
        digest.update(piece)
        size += len(piece)
    if size != end - start or upload.stored != start:
        return Response(b"", status_code=400)
    upload.digest, upload.stored, upload.content_type = digest, end, content_type
    if end < upload.size:
        return _progress(206, upload)
    media = PostedMedia(upload.digest.hexdigest(), upload.size, upload.content_type)
    publish(state, upload, text_field="title", media=(media,))
    return _progress(201, upload)


async def _refuse(request: AnyRequest, status: int, upload: Upload | None = None) -> Response[bytes]:
    """Read what is still to come first: a caller that is sending would see a reset instead of the answer."""
    await _drain(request.stream())
    return _progress(status, upload) if upload else Response(b"", status_code=status)


def _progress(status: int, upload: Upload) -> Response[bytes]:
    headers = {"Content-Range": f"bytes 0-{max(upload.stored - 1, 0)}/{upload.size}"}
    return Response(b"", status_code=status, headers=headers)


async def _drain(stream: AsyncIterator[bytes]) -> None:
    size = 0
    async for piece in stream:
        size += len(piece)
        if size > CHUNK_BYTES_MAX:
            return
