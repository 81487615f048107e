"""Files on their way into a pin: inside the request, fetched from an address, or uploaded as a video before."""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from datetime import timedelta
from typing import Any

from litestar import MediaType, Response, Router, get, post
from litestar.datastructures import UploadFile

from sandbox.fetching import NotFetched, fetch
from sandbox.pinterest.answers import AnyRequest, ApiError, body_of, document, invalid
from sandbox.pinterest.state import Grant, PinterestState, Upload
from sandbox.truth import PostedMedia

IMAGE_TYPES = ("image/jpeg", "image/png")
BASE64_MAX = 10_000_000
IMAGE_BYTES_MAX = 20_000_000
UPLOAD_SECONDS = 3600
COVERS = ("cover_image_url", "cover_image_content_type", "cover_image_key_frame_time")

Files = tuple[PostedMedia, ...]


def create_router(state: PinterestState) -> Router:
    @post("/v5/media", status_code=201)
    async def register(request: AnyRequest) -> Response[bytes]:
        grant = state.authenticate(request, "pins:write", "write")
        if (await body_of(request)).get("media_type") != "video":
            raise invalid("Invalid request: media_type must be video")
        media_id = str(int.from_bytes(secrets.token_bytes(6)))
        state.uploads[media_id] = Upload(media_id, grant.username, state.clock.now())
        parameters = {
            "x-amz-date": f"{state.clock.now():%Y%m%dT%H%M%SZ}",
            "x-amz-signature": secrets.token_hex(32),
            "x-amz-security-token": secrets.token_urlsafe(40),
            "x-amz-algorithm": "AWS4-HMAC-SHA256",
            "key": f"uploads/{media_id}:video",
            "policy": secrets.token_urlsafe(40),
            "x-amz-credential": "sandbox",
            "Content-Type": "multipart/form-data",
        }
        told = {"media_id": media_id, "media_type": "video", "upload_url": f"{state.base_url}/upload/"}
        return document(told | {"upload_parameters": parameters}, 201)

    @get("/v5/media/{media_id:str}", sync_to_thread=False)
    def status(request: AnyRequest) -> Response[bytes]:
        grant = state.authenticate(request, "pins:read", "read")
        upload = state.uploads.get(str(request.path_params["media_id"]))
        if upload is None or upload.owner != grant.username:
            raise ApiError(404, 4100, "Media not found.")
        return document({"media_id": upload.media_id, "media_type": "video", "status": _status(state, upload)})

    @post("/upload/")
    async def store(request: AnyRequest) -> Response[str]:
        """Amazon's storage: the form's fields first, the file last, errors in XML."""
        form = await request.form()
        media_id = str(form.get("key", "")).removeprefix("uploads/").removesuffix(":video")
        upload, file, now = state.uploads.get(media_id), form.get("file"), state.clock.now()
        expired = upload is None or now - upload.registered_at > timedelta(seconds=UPLOAD_SECONDS)
        if upload is None or expired or list(form.keys())[-1] != "file" or not isinstance(file, UploadFile):
            return Response("<Error><Code>AccessDenied</Code></Error>", status_code=403, media_type="application/xml")
        content = await file.read()
        upload.stored = PostedMedia(hashlib.sha256(content).hexdigest(), len(content), file.content_type)
        upload.ready_at = now + timedelta(seconds=state.tuning.processing_seconds)
        upload.outcome = state.planned_media.pop(0) if state.planned_media else "succeeded"
        return Response("", status_code=204, media_type=MediaType.TEXT)

    return Router("/", route_handlers=[register, status, store])


async def files_of(state: PinterestState, grant: Grant, source: Any, *, alt: str) -> tuple[str, Files]:
    """The kind of pin that a media source makes, and the files it brings."""
    if not isinstance(source, dict):
        raise invalid("Invalid request: 'media_source' is a required property")
    match source.get("source_type"):
        case "image_base64":
            return "image", (_inline(source, alt),)
        case "image_url":
            return "image", (await _fetched(source, alt),)
        case "multiple_image_base64":
            return "multiple_images", tuple(_inline(item, alt) for item in _items(source))
        case "multiple_image_urls":
            return "multiple_images", tuple([await _fetched(item, alt) for item in _items(source)])
        case "video_id":
            return "video", (_video(state, grant, source),)
        case other:
            raise invalid(f"Invalid request: {other!r} is no source_type")


def _items(source: dict[str, Any]) -> list[dict[str, Any]]:
    items = source.get("items")
    if not isinstance(items, list) or not 2 <= len(items) <= 5:
        raise invalid("Invalid request: constraint: minItems=2, maxItems=5")
    return items


def _inline(item: dict[str, Any], alt: str) -> PostedMedia:
    data, content_type = item.get("data"), item.get("content_type")
    if content_type not in IMAGE_TYPES or not isinstance(data, str) or len(data) > BASE64_MAX:
        raise invalid("Invalid request: the image is missing, too large or of another type")
    try:
        content = base64.b64decode(data, validate=True)
    except binascii.Error:
        raise invalid("Invalid request: 'data' does not match '^[a-zA-Z0-9+/=]+$'") from None
    return PostedMedia(hashlib.sha256(content).hexdigest(), len(content), content_type, alt)


async def _fetched(item: dict[str, Any], alt: str) -> PostedMedia:
    try:
        found = await fetch(str(item.get("url")), bytes_max=IMAGE_BYTES_MAX)
    except NotFetched:
        raise invalid("Unable to reach the URL. Please check the URL is correct and try again.") from None
    return PostedMedia(found.sha256, found.size_bytes, found.content_type, alt)


def _video(state: PinterestState, grant: Grant, source: dict[str, Any]) -> PostedMedia:
    upload = state.uploads.get(str(source.get("media_id")))
    if upload is None or upload.owner != grant.username or upload.stored is None:
        raise invalid("Invalid request: media_id is not known")
    if not any(source.get(name) is not None for name in COVERS):
        raise invalid("Invalid request: cover_image_url or cover_image_content_type is required")
    if _status(state, upload) != "succeeded":
        raise invalid("Invalid request: the media is not ready")
    return upload.stored


def _status(state: PinterestState, upload: Upload) -> str:
    if upload.ready_at is None:
        return "registered"
    return upload.outcome if upload.ready_at <= state.clock.now() else "processing"
