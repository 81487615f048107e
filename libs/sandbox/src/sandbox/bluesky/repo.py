"""The imitated data server: blobs named by their content, records under keys the caller chose."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

import msgspec
from litestar import Response, Router, get, post
from litestar.handlers import HTTPRouteHandler

from sandbox.bluesky import cid, records
from sandbox.bluesky.access import authenticate, require_blob_scope, require_record_scope
from sandbox.bluesky.answers import AnyRequest, XrpcError, json_response
from sandbox.bluesky.dpop import ProofChecker
from sandbox.bluesky.state import NAME, POST, Blob, BlueskyState, Record, Session
from sandbox.truth import Post, PostedMedia

BLOB_BYTES_MAX = 52_428_800
POINTS_AN_HOUR = 5000
POINTS = {"create": 3, "update": 2, "delete": 1}
_ALPHABET = "234567abcdefghijklmnopqrstuvwxyz"


def create_router(state: BlueskyState, proofs: ProofChecker) -> Router:
    return Router("/xrpc", route_handlers=[_upload(state, proofs), *_writes(state, proofs), *_reads(state)])


def _upload(state: BlueskyState, proofs: ProofChecker) -> HTTPRouteHandler:
    @post("/com.atproto.repo.uploadBlob", status_code=200)
    async def upload_blob(request: AnyRequest) -> Response[bytes]:
        session = authenticate(request, state, proofs)
        content_type = request.headers.get("content-type", "application/octet-stream")
        require_blob_scope(session, content_type)
        return json_response({"blob": await _store_blob(state, session, request, content_type)})

    return upload_blob


def _writes(state: BlueskyState, proofs: ProofChecker) -> list[HTTPRouteHandler]:
    @post("/com.atproto.repo.putRecord", status_code=200)
    async def put_record(request: AnyRequest) -> Response[bytes]:
        session, body = authenticate(request, state, proofs), await _body(request)
        key = _key(session, body)
        require_record_scope(session, key[1], "create")
        require_record_scope(session, key[1], "update")
        existing = state.records.get(key)
        if "swapRecord" in body and body["swapRecord"] != (existing.cid if existing else None):
            raise XrpcError(400, "InvalidSwap", f"Record was at {existing.cid if existing else 'null'}")
        return _write(state, key, body.get("record"))

    @post("/com.atproto.repo.createRecord", status_code=200)
    async def create_record(request: AnyRequest) -> Response[bytes]:
        session, body = authenticate(request, state, proofs), await _body(request)
        body.setdefault("rkey", _new_tid(state))
        key = _key(session, body)
        require_record_scope(session, key[1], "create")
        if key in state.records:
            # The real server does not name this case either.
            raise XrpcError(500, "InternalServerError", "Internal Server Error")
        return _write(state, key, body.get("record"))

    @post("/com.atproto.repo.deleteRecord", status_code=200)
    async def delete_record(request: AnyRequest) -> Response[bytes]:
        session, body = authenticate(request, state, proofs), await _body(request)
        key = _key(session, body)
        require_record_scope(session, key[1], "delete")
        removed = state.records.pop(key, None)
        if removed is not None and removed.post is not None:
            removed.post.removed = True
        return json_response({}, headers=_spend(state, key[0], "delete"))

    return [put_record, create_record, delete_record]


def _reads(state: BlueskyState) -> list[HTTPRouteHandler]:
    @get("/com.atproto.repo.getRecord", sync_to_thread=False)
    def get_record(request: AnyRequest) -> Response[bytes]:
        query = request.query_params
        account = state.account_of(query.get("repo", ""))
        if account is None:
            raise XrpcError(400, "InvalidRequest", "Could not find repo")
        key = (account.did, query.get("collection", ""), query.get("rkey", ""))
        record = state.records.get(key)
        if record is None:
            raise XrpcError(400, "RecordNotFound", f"Could not locate record: at://{'/'.join(key)}")
        return json_response({"uri": f"at://{'/'.join(key)}", "cid": record.cid, "value": record.value})

    @get("/com.atproto.repo.listRecords", sync_to_thread=False)
    def list_records(request: AnyRequest) -> Response[bytes]:
        query = request.query_params
        account, collection = state.account_of(query.get("repo", "")), query.get("collection", "")
        if account is None:
            raise XrpcError(400, "InvalidRequest", "Could not find repo")
        keys = sorted(key for key in state.records if key[:2] == (account.did, collection))
        if query.get("reverse") != "true":
            keys.reverse()
        limit, cursor = min(int(query.get("limit", 50)), 100), query.get("cursor")
        if cursor:
            keys = keys[next((i + 1 for i, key in enumerate(keys) if key[2] == cursor), len(keys)) :]
        shown = [
            {"uri": f"at://{'/'.join(key)}", "cid": state.records[key].cid, "value": state.records[key].value}
            for key in keys[:limit]
        ]
        return json_response({"records": shown} | ({"cursor": keys[limit - 1][2]} if len(keys) > limit else {}))

    return [get_record, list_records]


async def _store_blob(state: BlueskyState, session: Session, request: AnyRequest, content_type: str) -> dict[str, Any]:
    digest, size = hashlib.sha256(), 0
    async for piece in request.stream():
        digest.update(piece)
        size += len(piece)
    if size > BLOB_BYTES_MAX:
        raise XrpcError(413, "PayloadTooLarge", "request entity too large")
    link = cid.of_bytes_digest(digest.digest())
    known = state.blob_of(session.did, link)
    if known is None:
        blob = Blob(link, digest.hexdigest(), content_type, size, state.clock.now())
        state.blobs[session.did, link] = blob
    return {"$type": "blob", "ref": {"$link": link}, "mimeType": content_type, "size": size}


async def _body(request: AnyRequest) -> dict[str, Any]:
    try:
        return msgspec.json.decode(await request.body(), type=dict[str, Any])
    except (msgspec.DecodeError, msgspec.ValidationError):
        raise XrpcError(400, "InvalidRequest", "Input must be an object") from None


def _key(session: Session, body: dict[str, Any]) -> tuple[str, str, str]:
    if body.get("repo") != session.did:
        raise XrpcError(403, "Forbidden", "Not your repository")
    collection, rkey = body.get("collection"), body.get("rkey")
    if not isinstance(collection, str) or not isinstance(rkey, str):
        raise XrpcError(400, "InvalidRequest", "Input must have the properties collection and rkey")
    return session.did, collection, rkey


def _write(state: BlueskyState, key: tuple[str, str, str], value: Any) -> Response[bytes]:
    """Create or overwrite; the same content again changes nothing and answers without a commit."""
    blobs = records.check(state, key[0], collection=key[1], rkey=key[2], record=value)
    try:
        identifier = cid.of_record(value)
    except ValueError as error:
        raise XrpcError(400, "InvalidRequest", f"Invalid {key[1]} record: {error}") from None
    existing = state.records.get(key)
    document: dict[str, Any] = {"uri": f"at://{'/'.join(key)}", "cid": identifier, "validationStatus": "valid"}
    if existing is not None and existing.cid == identifier:
        return json_response(document)
    headers = _spend(state, key[0], "update" if existing else "create")
    for blob in blobs:
        blob.referenced = True
    post = existing.post if existing else None
    if key[1] == POST:
        post = _tell_truth(state, key, value, blobs, earlier=post)
    state.records[key] = Record(identifier, value, state.clock.now(), post)
    document["commit"] = {"cid": identifier, "rev": _new_tid(state)}
    return json_response(document, headers=headers)


def _tell_truth(
    state: BlueskyState, key: tuple[str, str, str], value: dict[str, Any], blobs: list[Blob], *, earlier: Post | None
) -> Post:
    if earlier is not None:
        earlier.writes += 1
        earlier.text = value["text"]
        return earlier
    alts = [image["alt"] for image in (value.get("embed") or {}).get("images", [])] or [""]
    media = (PostedMedia(b.sha256, b.size_bytes, b.content_type, a) for b, a in zip(blobs, alts, strict=bool(blobs)))
    post = Post(
        platform=NAME,
        account_id=key[0],
        post_id=f"at://{'/'.join(key)}",
        text=value["text"],
        media=tuple(media),
        settings={name: value[name] for name in ("createdAt", "langs", "labels", "facets") if name in value},
        posted_at=state.clock.now(),
    )
    state.truth.add(post)
    return post


def _spend(state: BlueskyState, did: str, action: str) -> dict[str, str]:
    if not state.tuning.rate_limits:
        return {}
    left, reset_at = state.spend_points(did, POINTS[action], limit=POINTS_AN_HOUR)
    headers = {
        "RateLimit-Limit": str(POINTS_AN_HOUR),
        "RateLimit-Remaining": str(max(left, 0)),
        "RateLimit-Reset": str(int(reset_at.timestamp())),
        "RateLimit-Policy": f"{POINTS_AN_HOUR};w=3600",
    }
    if left < 0:
        raise XrpcError(429, "RateLimitExceeded", "Rate Limit Exceeded", headers)
    return headers


def _new_tid(state: BlueskyState) -> str:
    value = int(state.clock.now().timestamp() * 1_000_000) << 10 | secrets.randbelow(1024)
    return "".join(_ALPHABET[value >> shift & 31] for shift in range(60, -1, -5))
