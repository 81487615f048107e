"""The imitated upload: sessions, chunks in order, the video after the last byte; and thumbnails."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from litestar import Response, Router, post, put
from litestar.handlers import HTTPRouteHandler

from sandbox.youtube.answers import AnyRequest, ApiError, body_of, document, part_of, parts_of, resource
from sandbox.youtube.metadata import checked_snippet, checked_status
from sandbox.youtube.platform_state import YouTubeState
from sandbox.youtube.state import CHUNK_STEP, SESSION_SECONDS, UPLOADING, Channel, Grant, Session, Video, new_video_id
from sandbox.youtube.videos import PARTS, thumbnails_of, told_video

VIDEO_BYTES_MAX = 274_877_906_944
THUMBNAIL_BYTES_MAX = 2 * 1024 * 1024
PATHS = ["/upload/youtube/v3/videos", "/resumable/upload/youtube/v3/videos"]


def create_router(state: YouTubeState) -> Router:
    """Routes that take bytes."""
    return Router("/", route_handlers=[_start(state), _send(state), _thumbnail(state)])


def _start(state: YouTubeState) -> HTTPRouteHandler:
    @post(PATHS, status_code=200)
    async def start(request: AnyRequest) -> Response[bytes]:
        grant = state.authenticate(request, *UPLOADING, bucket="uploads")
        channel = state.channel_of(grant)
        parts = parts_of(request, PARTS)
        if request.query_params.get("uploadType") != "resumable":
            raise ApiError(400, "badRequest", "The sandbox takes resumable uploads only.", domain="global")
        told = await body_of(request)
        _refuse_if_blocked(state, channel)
        client = state.clients[grant.client_id]
        told["snippet"] = checked_snippet(part_of(told, "snippet")) if "snippet" in parts else {}
        told["status"] = checked_status(part_of(told, "status"), shown_at=None)
        if not client.audited:
            told["status"]["privacyStatus"] = "private"
        session = _session(state, grant, parts, told, request)
        query = f"uploadType=resumable&part={quote(','.join(parts))}&upload_id={session.upload_id}"
        headers = {"Location": f"{state.base_url}{PATHS[0]}?{query}", "X-GUploader-UploadID": session.upload_id}
        return Response(b"", status_code=200, headers=headers)

    return start


def _send(state: YouTubeState) -> HTTPRouteHandler:
    @put(PATHS, status_code=200)
    async def send(request: AnyRequest) -> Response[bytes]:
        session = state.sessions.get(request.query_params.get("upload_id", ""))
        if session is None:
            return await _refuse(request, 404, "notFound")
        if state.clock.now() - session.started_at > timedelta(seconds=SESSION_SECONDS):
            return await _refuse(request, 410, "gone")
        if "authorization" in request.headers:
            try:
                state.signed_in(request)
            except ApiError:
                await _drain(request.stream())
                raise
        if session.video_id is not None:
            await _drain(request.stream())
            return _finished(state, session)
        span = _span(request, session)
        if span is None:
            return await _refuse(request, 400, "badRequest")
        start, end, total = span
        if start != session.stored or start == end:
            await _drain(request.stream())
            return _incomplete(session)
        session.size = total
        return await _store(state, request, session, end - start)

    return send


def _thumbnail(state: YouTubeState) -> HTTPRouteHandler:
    @post("/upload/youtube/v3/thumbnails/set", status_code=200)
    async def set_thumbnail(request: AnyRequest) -> Response[bytes]:
        body = await request.body()
        grant = state.authenticate(request, *UPLOADING, cost=50)
        channel = state.channel_of(grant)
        video = state.own_video(grant, request.query_params.get("videoId", ""))
        if not channel.phone_verified:
            raise ApiError(403, "forbidden", "The channel may not set thumbnails.", domain="youtube.thumbnail")
        if not body:
            raise ApiError(400, "mediaBodyRequired", domain="youtube.thumbnail")
        content_type = request.headers.get("content-type", "")
        if content_type not in ("image/jpeg", "image/png", "application/octet-stream"):
            raise ApiError(400, "imageFormatUnsupported", domain="youtube.thumbnail")
        if len(body) > THUMBNAIL_BYTES_MAX:
            raise ApiError(400, "invalidImage", "The image is too large.", domain="youtube.thumbnail")
        video.thumbnail = (hashlib.sha256(body).hexdigest(), len(body), content_type)
        return document(resource("thumbnailSetResponse", {"items": [thumbnails_of(state.base_url, video.video_id)]}))

    return set_thumbnail


def _refuse_if_blocked(state: YouTubeState, channel: Channel) -> None:
    if channel.cannot_upload:
        raise ApiError(403, channel.cannot_upload, "The channel cannot upload now.")
    if state.tuning.rate_limits and state.uploads_within_a_day(channel.channel_id) >= state.tuning.daily_posts_max:
        raise ApiError(400, "uploadLimitExceeded", "The user has exceeded the number of videos they may upload.")


def _session(state: YouTubeState, grant: Grant, parts: list[str], told: dict[str, Any], request: AnyRequest) -> Session:
    content_type = request.headers.get("x-upload-content-type", "application/octet-stream")
    length = request.headers.get("x-upload-content-length")
    if not content_type.startswith("video/") and content_type != "application/octet-stream":
        raise ApiError(400, "badContent", "Media type is not supported.", domain="global")
    if length is not None and not (length.isdigit() and 0 < int(length) <= VIDEO_BYTES_MAX):
        raise ApiError(400, "mediaBodyRequired", "The request does not include the video content.")
    session = Session(
        upload_id=f"AEn{secrets.token_urlsafe(48)}",
        channel_id=grant.channel_id,
        client_id=grant.client_id,
        parts=parts,
        resource=told,
        size=int(length) if length else None,
        content_type=content_type,
        started_at=state.clock.now(),
    )
    state.sessions[session.upload_id] = session
    return session


def _span(request: AnyRequest, session: Session) -> tuple[int, int, int] | None:
    """First byte, end (exclusive) and total of what comes; equal ends are a question. None: malformed."""
    length, told = request.headers.get("content-length", ""), request.headers.get("content-range")
    if told is None:
        return (0, int(length), int(length)) if length.isdigit() and int(length) else None
    if asked := re.fullmatch(r"bytes \*/(\d+|\*)", told):
        total = session.size or 0
        return (0, 0, total) if asked[1] in ("*", str(total)) else None
    found = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", told)
    if found is None:
        return None
    start, end, total = int(found[1]), int(found[2]) + 1, int(found[3])
    whole = end == total or (end - start) % CHUNK_STEP == 0
    fits = start < end <= total and session.size in (None, total) and length in ("", str(end - start))
    return (start, end, total) if whole and fits else None


async def _store(state: YouTubeState, request: AnyRequest, session: Session, length: int) -> Response[bytes]:
    """Hash the chunk as it comes. A chunk that breaks off leaves the session as it was."""
    kept = min(length, state.accept_bytes.pop(0)) if state.accept_bytes else length
    digest, size, before = session.digest.copy(), 0, session.stored
    async for piece in request.stream():
        digest.update(piece[: max(kept - size, 0)])
        size += len(piece)
    if size != length or session.stored != before:
        raise ApiError(400, "badRequest", "The chunk broke off.", domain="global")
    session.digest, session.stored = digest, before + kept
    if session.stored < (session.size or 0):
        return _incomplete(session)
    _create(state, session)
    return _finished(state, session)


def _create(state: YouTubeState, session: Session) -> None:
    """Make the video; it is processed from now on."""
    now = state.clock.now()
    video = Video(
        video_id=new_video_id(),
        channel_id=session.channel_id,
        snippet=session.resource["snippet"],
        status=session.resource["status"],
        paid_promotion=bool(part_of(session.resource, "paidProductPlacementDetails").get("hasPaidProductPlacement")),
        content_type=session.content_type,
        size=session.stored,
        sha256=session.digest.hexdigest(),
        uploaded_at=now,
        processed_at=now + timedelta(seconds=state.tuning.processing_seconds),
        planned=state.planned_outcomes.pop(0) if state.planned_outcomes else {},
    )
    state.videos[video.video_id] = video
    session.video_id = video.video_id
    state.shown(video)


def _finished(state: YouTubeState, session: Session) -> Response[bytes]:
    video = state.videos.get(session.video_id or "")
    if video is None:
        raise ApiError(404, "notFound", domain="global")
    return document(told_video(state, video, session.parts, owner=True))


def _incomplete(session: Session) -> Response[bytes]:
    headers = {"Range": f"bytes=0-{session.stored - 1}"} if session.stored else {}
    return Response(b"", status_code=308, headers=headers)


async def _refuse(request: AnyRequest, status: int, reason: str) -> Response[bytes]:
    """Read what is still to come first: a caller that is sending would see a reset instead of the answer."""
    await _drain(request.stream())
    raise ApiError(status, reason, domain="global")


async def _drain(stream: AsyncIterator[bytes]) -> None:
    async for _ in stream:
        pass
