"""Files on their way to the imitated LinkedIn: begun, sent whole or in parts of 4 MiB, finished, processed."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import Any

from litestar import Response, Router, get, post, put

from sandbox.linkedin.answers import AnyRequest, ApiError, body_of, denied, document, gone, invalid, nothing
from sandbox.linkedin.state import Asset, LinkedInState
from sandbox.truth import PostedMedia

KINDS = {"images": "image", "videos": "video", "documents": "document"}
PART_BYTES = 4_194_304
UPLOAD_SECONDS = 86_400
BYTES_MAX = {"image": 36_152_320, "video": 500_000_000, "document": 100_000_000}


def create_router(state: LinkedInState) -> Router:
    @post("/rest/{room:str}", status_code=200)
    async def act(request: AnyRequest) -> Response[bytes]:
        kind = KINDS.get(str(request.path_params["room"]))
        if kind is None:
            raise gone("resource")
        grant, body = state.admit(request), await body_of(request)
        match request.query_params.get("action"):
            case "initializeUpload":
                asked = body.get("initializeUploadRequest", {})
                state.act_as(grant, asked.get("owner"), f"partnerApi{kind.title()}s.ACTION-initializeUpload")
                return document({"value": _begun(state, kind, asked)})
            case "finalizeUpload" if kind == "video":
                return _finished(state, body.get("finalizeUploadRequest", {}))
            case _:
                raise ApiError(400, "ILLEGAL_ARGUMENT", "There is no such action")

    @put("/dms-uploads/{token:str}/{number:int}", status_code=201)
    async def store(request: AnyRequest) -> Response[bytes]:
        return await _stored(state, request, str(request.path_params["token"]), int(request.path_params["number"]))

    @get("/rest/{room:str}/{urn:str}", sync_to_thread=False)
    def status(request: AnyRequest) -> Response[bytes]:
        grant, asset = state.admit(request), state.assets.get(str(request.path_params["urn"]))
        if asset is None or KINDS.get(str(request.path_params["room"])) != asset.kind:
            raise gone("asset")
        if not {"w_organization_social", "r_organization_social", "r_member_social"} & set(grant.scopes):
            raise denied(f"partnerApi{asset.kind.title()}s.GET")
        return document({"id": asset.urn, "owner": asset.owner, "status": status_of(state, asset)})

    return Router("/", route_handlers=[act, store, status])


def status_of(state: LinkedInState, asset: Asset) -> str:
    if asset.ready_at is None:
        return "WAITING_UPLOAD"
    return "PROCESSING" if asset.ready_at > state.clock.now() else asset.outcome


def _begun(state: LinkedInState, kind: str, asked: dict[str, Any]) -> dict[str, Any]:
    now, token = state.clock.now(), secrets.token_urlsafe(24)
    asset = Asset(f"urn:li:{kind}:D4E{token[:16]}", kind, str(asked["owner"]), now)
    state.assets[asset.urn] = asset
    address, ends = f"{state.base_url}/dms-uploads/{token[:16]}", _milliseconds(state)
    if kind != "video":
        return {"uploadUrlExpiresAt": ends, "uploadUrl": f"{address}/0", kind: asset.urn}
    size = asked.get("fileSizeBytes")
    if not isinstance(size, int) or not 0 < size <= BYTES_MAX[kind]:
        raise invalid("INVALID_VALUE_FOR_FIELD", "fileSizeBytes is out of range")
    asset.size = size
    starts = range(0, size, PART_BYTES)
    parts = [
        {"uploadUrl": f"{address}/{n}", "firstByte": start, "lastByte": min(start + PART_BYTES, size) - 1}
        for n, start in enumerate(starts)
    ]
    return {"uploadUrlsExpireAt": ends, "video": asset.urn, "uploadInstructions": parts, "uploadToken": ""}


async def _stored(state: LinkedInState, request: AnyRequest, token: str, number: int) -> Response[bytes]:
    asset = next((a for a in state.assets.values() if a.urn.endswith(token)), None)
    if asset is None:
        raise gone("upload")
    if state.clock.now() - asset.begun_at >= timedelta(seconds=UPLOAD_SECONDS):
        raise invalid("EXPIRED_UPLOAD_URL", "The upload address has expired")
    content = await request.body()
    if asset.kind == "video":
        if "authorization" in request.headers:
            raise ApiError(403, "ACCESS_DENIED", "The address is signed and takes no token")
        if len(content) != min(PART_BYTES, asset.size - number * PART_BYTES):
            raise invalid("INVALID_VALUE_FOR_FIELD", "The part has another size than was instructed")
        mark = f"/ambry-video/signedId/{hashlib.sha256(content).hexdigest()[:24]}-{number}"
        asset.parts[mark] = content
        return nothing(200, {"etag": mark})
    state.authenticate(request)
    if len(content) > BYTES_MAX[asset.kind]:
        raise invalid("INVALID_VALUE_FOR_FIELD", "The file is too large")
    kind = request.headers.get("content-type", "")
    _ready(state, asset, PostedMedia(hashlib.sha256(content).hexdigest(), len(content), kind))
    return nothing(201)


def _finished(state: LinkedInState, asked: dict[str, Any]) -> Response[bytes]:
    asset, marks = state.assets.get(str(asked.get("video"))), asked.get("uploadedPartIds") or []
    if asset is None or asked.get("uploadToken") is None:
        raise invalid("INVALID_VIDEO_ID", "The video is not known")
    if asset.stored is not None or set(marks) != set(asset.parts):
        raise invalid("ILLEGAL_ARGUMENT", "The parts are not those that were uploaded")
    content = b"".join(asset.parts[mark] for mark in marks)
    if len(content) != asset.size:
        raise invalid("ILLEGAL_ARGUMENT", "The parts do not make up the file")
    _ready(state, asset, PostedMedia(hashlib.sha256(content).hexdigest(), len(content), "video/mp4"))
    asset.parts.clear()
    return nothing(200)


def _ready(state: LinkedInState, asset: Asset, stored: PostedMedia) -> None:
    asset.stored = stored
    seconds = state.tuning.processing_seconds if asset.kind == "video" else 0.0
    asset.ready_at = state.clock.now() + timedelta(seconds=seconds)
    if state.planned_media:
        asset.outcome = state.planned_media.pop(0)


def _milliseconds(state: LinkedInState) -> int:
    return int((state.clock.now() + timedelta(seconds=UPLOAD_SECONDS)).timestamp() * 1000)
