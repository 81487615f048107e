"""Records written to the imitated data server: one at a time, or several that are written together or not at all."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

import msgspec
from litestar import Response

from sandbox.bluesky import cid, records
from sandbox.bluesky.access import authenticate, require_record_scope
from sandbox.bluesky.answers import AnyRequest, XrpcError, json_response
from sandbox.bluesky.dpop import ProofChecker
from sandbox.bluesky.records import Shown
from sandbox.bluesky.state import NAME, POST, BlueskyState, Record, Session
from sandbox.bluesky.xrpc import Methods
from sandbox.truth import Post, PostedMedia

POINTS_AN_HOUR = 5000
POINTS = {"create": 3, "update": 2, "delete": 1}
WRITES_MAX = 200
_ACTION = "com.atproto.repo.applyWrites#"
_ALPHABET = "234567abcdefghijklmnopqrstuvwxyz"
_SETTINGS = ("createdAt", "langs", "labels", "facets", "tags", "reply", "embed")

Key = tuple[str, str, str]


@dataclass(frozen=True)
class Prepared:
    """A record that may be written: its content, what that is called, and the files it shows."""

    key: Key
    value: dict[str, Any]
    cid: str
    shown: list[Shown]


def add_methods(methods: Methods, state: BlueskyState, proofs: ProofChecker) -> None:
    _add_single(methods, state, proofs)
    _add_together(methods, state, proofs)


def _add_single(methods: Methods, state: BlueskyState, proofs: ProofChecker) -> None:
    @methods.procedure("com.atproto.repo.putRecord")
    async def put_record(request: AnyRequest) -> Response[bytes]:
        session, body = authenticate(request, state, proofs), await _body(request)
        key = _key(session, body)
        require_record_scope(session, key[1], "create")
        require_record_scope(session, key[1], "update")
        prepared, existing = _prepare(state, key, body.get("record")), state.records.get(key)
        if "swapRecord" in body and body["swapRecord"] != (existing.cid if existing else None):
            raise XrpcError(400, "InvalidSwap", f"Record was at {existing.cid if existing else 'null'}")
        return _answer_write(state, prepared)

    @methods.procedure("com.atproto.repo.createRecord")
    async def create_record(request: AnyRequest) -> Response[bytes]:
        session, body = authenticate(request, state, proofs), await _body(request)
        body.setdefault("rkey", _new_tid(state))
        key = _key(session, body)
        require_record_scope(session, key[1], "create")
        prepared = _prepare(state, key, body.get("record"))
        _refuse_existing(state, key)
        return _answer_write(state, prepared)

    @methods.procedure("com.atproto.repo.deleteRecord")
    async def delete_record(request: AnyRequest) -> Response[bytes]:
        session, body = authenticate(request, state, proofs), await _body(request)
        key = _key(session, body)
        require_record_scope(session, key[1], "delete")
        headers = _spend(state, key[0], POINTS["delete"])
        if not _remove(state, key):
            return json_response({}, headers=headers)
        commit = {"cid": cid.of_record([key[2]]), "rev": _new_tid(state)}
        return json_response({"commit": commit}, headers=headers)


def _add_together(methods: Methods, state: BlueskyState, proofs: ProofChecker) -> None:
    @methods.procedure("com.atproto.repo.applyWrites")
    async def apply_writes(request: AnyRequest) -> Response[bytes]:
        session, body = authenticate(request, state, proofs), await _body(request)
        writes = body.get("writes")
        if not isinstance(writes, list) or len(writes) > WRITES_MAX:
            raise XrpcError(400, "InvalidRequest", f"Too many writes. Max: {WRITES_MAX}")
        planned = [_planned(state, session, body, write) for write in writes]
        for action, key, _ in planned:
            if action == "create":
                _refuse_existing(state, key)
        headers = _spend(state, session.did, sum(POINTS[action] for action, _, _ in planned))
        commit = {"cid": cid.of_record([key[2] for _, key, _ in planned]), "rev": _new_tid(state)}
        results = [_carry_out(state, action, key, prepared) for action, key, prepared in planned]
        return json_response({"commit": commit, "results": results}, headers=headers)


def _planned(
    state: BlueskyState, session: Session, body: dict[str, Any], write: dict[str, Any]
) -> tuple[str, Key, Prepared | None]:
    """One of several changes, checked in every way that needs no other."""
    action = str(write.get("$type")).removeprefix(_ACTION)
    if action not in POINTS:
        raise XrpcError(400, "InvalidRequest", f"Action not supported: {write.get('$type')}")
    if action == "create":
        write = {"rkey": _new_tid(state)} | write
    key = _key(session, write | {"repo": body.get("repo")})
    require_record_scope(session, key[1], action)
    return action, key, None if action == "delete" else _prepare(state, key, write.get("value"))


def _carry_out(state: BlueskyState, action: str, key: Key, prepared: Prepared | None) -> dict[str, Any]:
    if prepared is None:
        _remove(state, key)
        return {"$type": f"{_ACTION}deleteResult"}
    _store(state, prepared)
    written = {"uri": f"at://{'/'.join(key)}", "cid": prepared.cid, "validationStatus": "valid"}
    return {"$type": f"{_ACTION}{action}Result"} | written


def _refuse_existing(state: BlueskyState, key: Key) -> None:
    if key in state.records:
        # The real server does not name this case either.
        raise XrpcError(500, "InternalServerError", "Internal Server Error")


async def _body(request: AnyRequest) -> dict[str, Any]:
    try:
        return msgspec.json.decode(await request.body(), type=dict[str, Any])
    except (msgspec.DecodeError, msgspec.ValidationError):
        raise XrpcError(400, "InvalidRequest", "Input must be an object") from None


def _key(session: Session, body: dict[str, Any]) -> Key:
    if body.get("repo") != session.did:
        raise XrpcError(403, "Forbidden", "Not your repository")
    collection, rkey = body.get("collection"), body.get("rkey")
    if not isinstance(collection, str) or not isinstance(rkey, str):
        raise XrpcError(400, "InvalidRequest", "Input must have the properties collection and rkey")
    return session.did, collection, rkey


def _prepare(state: BlueskyState, key: Key, value: Any) -> Prepared:
    shown = records.check(state, key[0], collection=key[1], rkey=key[2], record=value)
    try:
        return Prepared(key, value, cid.of_record(value), shown)
    except ValueError as error:
        raise XrpcError(400, "InvalidRequest", f"Invalid {key[1]} record: {error}") from None


def _answer_write(state: BlueskyState, prepared: Prepared) -> Response[bytes]:
    """Create or overwrite; the same content again changes nothing and answers without a commit."""
    existing = state.records.get(prepared.key)
    uri = f"at://{'/'.join(prepared.key)}"
    document: dict[str, Any] = {"uri": uri, "cid": prepared.cid, "validationStatus": "valid"}
    if existing is not None and existing.cid == prepared.cid:
        return json_response(document)
    headers = _spend(state, prepared.key[0], POINTS["update" if existing else "create"])
    _store(state, prepared)
    document["commit"] = {"cid": prepared.cid, "rev": _new_tid(state)}
    return json_response(document, headers=headers)


def _store(state: BlueskyState, prepared: Prepared) -> None:
    for shown in prepared.shown:
        shown.blob.referenced = True
    existing = state.records.get(prepared.key)
    post = existing.post if existing else None
    if prepared.key[1] == POST:
        post = _tell_truth(state, prepared, earlier=post)
    state.records[prepared.key] = Record(prepared.cid, prepared.value, state.clock.now(), post)


def _remove(state: BlueskyState, key: Key) -> bool:
    """True if there was such a record."""
    removed = state.records.pop(key, None)
    if removed is not None and removed.post is not None:
        removed.post.removed = True
    return removed is not None


def _tell_truth(state: BlueskyState, prepared: Prepared, *, earlier: Post | None) -> Post:
    value = prepared.value
    if earlier is not None:
        earlier.writes += 1
        earlier.text = value["text"]
        return earlier
    media = (PostedMedia(s.blob.sha256, s.blob.size_bytes, s.blob.content_type, s.alt_text) for s in prepared.shown)
    post = Post(
        platform=NAME,
        account_id=prepared.key[0],
        post_id=f"at://{'/'.join(prepared.key)}",
        text=value["text"],
        media=tuple(media),
        settings={name: value[name] for name in _SETTINGS if name in value},
        posted_at=state.clock.now(),
    )
    state.truth.add(post)
    return post


def _spend(state: BlueskyState, did: str, points: int) -> dict[str, str]:
    if not state.tuning.rate_limits:
        return {}
    left, reset_at = state.spend_points(did, points, limit=POINTS_AN_HOUR)
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
