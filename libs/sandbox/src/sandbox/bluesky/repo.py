"""The imitated data server: blobs named by their content, and records as everybody may read them."""

from __future__ import annotations

import hashlib
from typing import Any

from litestar import Response

from sandbox.bluesky import cid
from sandbox.bluesky.access import authenticate, require_blob_scope
from sandbox.bluesky.answers import AnyRequest, XrpcError, json_response
from sandbox.bluesky.dpop import ProofChecker
from sandbox.bluesky.state import Blob, BlueskyState, Session
from sandbox.bluesky.xrpc import Methods

BLOB_BYTES_MAX = 52_428_800
BEGINNING_BYTES = 16
MARKS = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png", b"GIF8": "image/gif"}
"""A file that shows what it is, is that, whatever the caller says."""


def add_methods(methods: Methods, state: BlueskyState, proofs: ProofChecker) -> None:
    _add_upload(methods, state, proofs)
    _add_reads(methods, state)


def _add_upload(methods: Methods, state: BlueskyState, proofs: ProofChecker) -> None:
    @methods.procedure("com.atproto.repo.uploadBlob")
    async def upload_blob(request: AnyRequest) -> Response[bytes]:
        session = authenticate(request, state, proofs)
        content_type = request.headers.get("content-type", "application/octet-stream")
        require_blob_scope(session, content_type)
        return json_response({"blob": await _store_blob(state, session, request, content_type)})


def _add_reads(methods: Methods, state: BlueskyState) -> None:
    @methods.query("com.atproto.repo.getRecord")
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

    @methods.query("com.atproto.repo.listRecords")
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


async def _store_blob(state: BlueskyState, session: Session, request: AnyRequest, content_type: str) -> dict[str, Any]:
    digest, size, beginning = hashlib.sha256(), 0, b""
    async for piece in request.stream():
        digest.update(piece)
        size += len(piece)
        beginning += piece[: BEGINNING_BYTES - len(beginning)]
    content_type = next((kind for mark, kind in MARKS.items() if beginning.startswith(mark)), content_type)
    if size > BLOB_BYTES_MAX:
        raise XrpcError(413, "PayloadTooLarge", "request entity too large")
    link = cid.of_bytes_digest(digest.digest())
    known = state.blob_of(session.did, link)
    if known is None:
        blob = Blob(link, digest.hexdigest(), content_type, size, state.clock.now())
        state.blobs[session.did, link] = blob
    return {"$type": "blob", "ref": {"$link": link}, "mimeType": content_type, "size": size}
