"""The imitated media upload: initialise, append in any order, finalise, status, alternative text."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Annotated, Any, Literal

import msgspec
from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.handlers import HTTPRouteHandler
from msgspec import Meta

from sandbox.x.answers import AnyRequest, Problem, data, invalid
from sandbox.x.platform_state import XState
from sandbox.x.state import MEDIA_SECONDS, File

MB = 1_000_000
BYTES_MAX = {"tweet_image": 5 * MB, "tweet_gif": 15 * MB, "tweet_video": 16_384 * MB, "amplify_video": 16_384 * MB}
SEGMENT_BYTES_MAX = 5 * MB
SEGMENTS_MAX = 1000
KEY_PREFIXES = {"tweet_image": "3_", "tweet_gif": "16_"}

Type = Literal[
    "video/mp4", "video/webm", "video/mp2t", "video/quicktime", "image/jpeg", "image/gif", "image/png", "image/webp"
]
Category = Literal["tweet_image", "tweet_gif", "tweet_video", "amplify_video"]


class Initialise(msgspec.Struct, forbid_unknown_fields=True):
    media_type: Type
    total_bytes: Annotated[int, Meta(ge=1, le=17_179_869_184)]
    media_category: Category
    shared: bool = False
    additional_owners: list[str] = []


class AltText(msgspec.Struct):
    text: Annotated[str, Meta(max_length=1000)]


class Metadata(msgspec.Struct):
    alt_text: AltText


class Describe(msgspec.Struct):
    id: str
    metadata: Metadata


def create_handlers(state: XState) -> list[HTTPRouteHandler]:
    return [*_sending(state), *_following_up(state)]


def _sending(state: XState) -> list[HTTPRouteHandler]:
    @post("/2/media/upload/initialize", status_code=200)
    async def initialise(request: AnyRequest) -> Response[bytes]:
        family = state.admit(request, "initialize", 1875, "media.write")
        asked = decode(await request.body(), Initialise)
        return data(request, _begun(_begin(state, asked, family.account_id)))

    @post("/2/media/upload/{media_id:str}/append", status_code=200)
    async def append(request: AnyRequest) -> Response[bytes]:
        family = state.admit(request, "append", 1875, "media.write")
        file = _own(state, request.path_params["media_id"], family.account_id)
        index, segment = await _segment(request)
        if len(segment) > SEGMENT_BYTES_MAX:
            raise Problem(413, "Request Entity Too Large")
        if not 0 <= index < SEGMENTS_MAX or index in file.seen or file.finalised_at:
            raise invalid("segment_index has been used already or is out of range", segment_index=[str(index)])
        file.add(index, segment)
        return data(request, {"expires_at": int(file.expires_at.timestamp())})

    @post("/2/media/upload/{media_id:str}/finalize", status_code=200)
    async def finalise(request: AnyRequest) -> Response[bytes]:
        family = state.admit(request, "finalize", 1875, "media.write")
        if state.needs_finalise_body and not await request.body():
            raise Problem(400, "Request body must be a JSON object.")
        file = _own(state, request.path_params["media_id"], family.account_id)
        if not file.is_complete or file.finalised_at:
            raise invalid("Segments do not add up to provided total file size.", media_id=[file.id])
        _finalise(state, file)
        return data(request, _shown(state, file))

    return [initialise, append, finalise]


def _following_up(state: XState) -> list[HTTPRouteHandler]:
    @get("/2/media/upload", sync_to_thread=False)
    def status(request: AnyRequest) -> Response[bytes]:
        family = state.admit(request, "upload_status", 1000, "media.write")
        if request.query_params.get("command") != "STATUS":
            raise invalid("command must be STATUS", command=[])
        return data(request, _shown(state, _own(state, request.query_params.get("media_id", ""), family.account_id)))

    @post("/2/media/upload", status_code=200)
    async def at_once(request: AnyRequest) -> Response[bytes]:
        """A small file in one request."""
        family = state.admit(request, "upload", 500, "media.write")
        content, fields, content_type = await _whole(request)
        asked = {
            "media_type": content_type,
            "total_bytes": len(content),
            "media_category": fields.get("media_category"),
        }
        file = _begin(state, decode(msgspec.json.encode(asked), Initialise), family.account_id)
        file.add(0, content)
        _finalise(state, file)
        return data(request, _shown(state, file))

    @post("/2/media/metadata", status_code=200)
    async def describe(request: AnyRequest) -> Response[bytes]:
        family = state.admit(request, "metadata", 500, "media.write")
        asked = decode(await request.body(), Describe)
        file = _own(state, asked.id, family.account_id)
        file.alt_text = asked.metadata.alt_text.text
        told = {"alt_text": {"text": file.alt_text}}
        return data(request, {"id": file.id, "associated_metadata": told})

    return [status, at_once, describe]


def decode(body: bytes, kind: type[Any]) -> Any:
    """A JSON body in the published form; anything else is refused with what is wrong with it."""
    try:
        return msgspec.json.decode(body or b"{}", type=kind)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise invalid(str(error), body=[]) from error


def usable(state: XState, media_id: str, account_id: str) -> File:
    """A file that a post may name: the account's own, processed, not expired."""
    file = state.files.get(media_id)
    now = state.clock.now()
    ready = file and file.owner == account_id and file.expires_at > now and file.ready_at and file.ready_at <= now
    if not ready or file is None or file.failure:
        raise Problem(400, "Your media IDs are invalid.", "invalid-request")
    return file


def _begin(state: XState, asked: Initialise, owner: str) -> File:
    if asked.total_bytes > BYTES_MAX[asked.media_category]:
        raise invalid("File size exceeds the maximum for its category.", total_bytes=[str(asked.total_bytes)])
    is_video = asked.media_type.startswith("video/")
    wanted = asked.media_category in ("tweet_video", "amplify_video")
    if is_video != wanted or (asked.media_category == "tweet_gif") != (asked.media_type == "image/gif"):
        raise invalid("media type unrecognized.", media_type=[asked.media_type])
    media_id = state.new_id()
    file = File(
        id=media_id,
        key=KEY_PREFIXES.get(asked.media_category, "13_") + media_id,
        owner=owner,
        content_type=asked.media_type,
        category=asked.media_category,
        total_bytes=asked.total_bytes,
        expires_at=state.clock.now() + timedelta(seconds=MEDIA_SECONDS),
    )
    state.files[media_id] = file
    return file


def _finalise(state: XState, file: File) -> None:
    now = state.clock.now()
    outcome = next((each for each in state.planned_outcomes if "media_error" in each), None)
    if outcome and file.category != "tweet_image":
        state.planned_outcomes.remove(outcome)
        file.failure = str(outcome["media_error"])
    processing = 0.0 if file.category == "tweet_image" else state.tuning.processing_seconds
    file.finalised_at, file.ready_at = now, now + timedelta(seconds=processing)


def _own(state: XState, media_id: str, account_id: str) -> File:
    file = state.files.get(media_id)
    if file is None or file.owner != account_id or file.expires_at <= state.clock.now():
        raise invalid(f"Media with id {media_id} was not found.", media_id=[media_id])
    return file


async def _segment(request: AnyRequest) -> tuple[int, bytes]:
    content, fields, _ = await _whole(request)
    index = fields.get("segment_index", "")
    if not index.isdigit():
        raise invalid("segment_index is required", segment_index=[index])
    return int(index), content


async def _whole(request: AnyRequest) -> tuple[bytes, dict[str, str], str]:
    """The file's bytes, the other fields as text, and the file's content type: from a form or from JSON."""
    if request.content_type[0] == "application/json":
        document = decode(await request.body(), dict[str, Any])
        content = base64.b64decode(str(document.pop("media", "")))
        return content, {name: str(value) for name, value in document.items()}, str(document.get("media_type", ""))
    form = await request.form()
    media = form.get("media")
    if not isinstance(media, UploadFile):
        raise invalid("media is required", media=[])
    fields = {str(name): str(value) for name, value in form.items() if name != "media"}
    return await media.read(), fields, media.content_type


def _begun(file: File) -> dict[str, Any]:
    return {"id": file.id, "media_key": file.key, "expires_after_secs": MEDIA_SECONDS}


def _shown(state: XState, file: File) -> dict[str, Any]:
    """What finalise and status tell. A file without `processing_info` is ready."""
    left = int((file.expires_at - state.clock.now()).total_seconds())
    document: dict[str, Any] = {"id": file.id, "media_key": file.key, "size": file.size, "expires_after_secs": left}
    if file.category == "tweet_image":
        return document | {"image": {"image_type": file.content_type, "w": 800, "h": 600}}
    if file.content_type.startswith("video/"):
        document["video"] = {"video_type": file.content_type}
    if file.finalised_at:
        document["processing_info"] = _processing(state, file)
    return document


def _processing(state: XState, file: File) -> dict[str, Any]:
    now = state.clock.now()
    assert file.ready_at
    if now < file.ready_at:
        if now == file.finalised_at:
            return {"state": "pending", "check_after_secs": 1}
        return {"state": "in_progress", "check_after_secs": 1, "progress_percent": 50}
    if file.failure:
        error = {"code": 1, "name": file.failure, "message": "The media could not be processed."}
        return {"state": "failed", "progress_percent": 100, "error": error}
    return {"state": "succeeded", "progress_percent": 100}
