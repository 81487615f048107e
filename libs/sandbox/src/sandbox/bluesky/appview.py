"""The imitated AppView: profiles and public counts, open to everyone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from litestar import Response, Router, get

from sandbox.bluesky.answers import AnyRequest, XrpcError, json_response, timestamp
from sandbox.bluesky.state import NAME, POST, Account, BlueskyState, Record
from sandbox.bluesky.xrpc import Methods
from sandbox.insights import audience, draw, share_of
from sandbox.shown import permalink

URIS_MAX = 25


def add_methods(methods: Methods, state: BlueskyState) -> None:
    """What app.bsky.* knows of profiles and posts."""

    @methods.query("app.bsky.actor.getProfile")
    def get_profile(request: AnyRequest) -> Response[bytes]:
        account = state.account_of(request.query_params.get("actor", ""))
        if account is None:
            raise XrpcError(400, "InvalidRequest", "Profile not found")
        return json_response(
            _author(account)
            | {
                "description": account.description,
                "followersCount": draw(account.did, "followers") % 5000,
                "followsCount": draw(account.did, "follows") % 500,
                "postsCount": len(state.truth.posts(NAME, account.did)),
            }
        )

    @methods.query("app.bsky.feed.getPosts")
    def get_posts(request: AnyRequest) -> Response[bytes]:
        uris = request.query_params.getall("uris", [])
        if not 0 < len(uris) <= URIS_MAX:
            raise XrpcError(400, "InvalidRequest", "uris must have 1 to 25 elements")
        found = ((uri, _visible(state, uri)) for uri in uris)
        return json_response({"posts": [_view(state, uri, record) for uri, record in found if record is not None]})

    @methods.query("app.bsky.feed.getPostThread")
    def get_post_thread(request: AnyRequest) -> Response[bytes]:
        uri = request.query_params.get("uri", "")
        if _visible(state, uri) is None:
            raise XrpcError(400, "NotFound", f"Post not found: {uri}")
        return json_response({"thread": _thread(state, uri)})


def create_permalinks(state: BlueskyState) -> Router:
    """The web application, as far as one post's page."""

    @get("/{actor:str}/post/{rkey:str}", sync_to_thread=False)
    def show(request: AnyRequest) -> Response[str]:
        account = state.account_of(str(request.path_params["actor"]))
        did, author = (account.did, f"@{account.handle}") if account else ("", "")
        return permalink(state.truth, NAME, f"at://{did}/{POST}/{request.path_params['rkey']}", author=author)

    return Router("/profile", route_handlers=[show])


def _visible(state: BlueskyState, uri: str) -> Record | None:
    parts = uri.removeprefix("at://").split("/")
    record = state.records.get((parts[0], parts[1], parts[2])) if len(parts) == 3 else None
    if record is None:
        return None
    known_at = record.written_at + timedelta(seconds=state.tuning.appview_lag_seconds)
    return record if known_at <= state.clock.now() else None


def _thread(state: BlueskyState, uri: str) -> dict[str, Any]:
    """A post and what answers it, all the way down."""
    record = _visible(state, uri)
    assert record is not None
    below = ["at://" + "/".join(key) for key, other in sorted(state.records.items()) if _parent(other) == uri]
    replies = [_thread(state, answer) for answer in below if _visible(state, answer)]
    return {"$type": "app.bsky.feed.defs#threadViewPost", "post": _view(state, uri, record), "replies": replies}


def _parent(record: Record) -> str | None:
    parent = record.value.get("reply", {}).get("parent", {}).get("uri")
    return str(parent) if parent else None


def _view(state: BlueskyState, uri: str, record: Record) -> dict[str, Any]:
    replies = sum(_parent(other) == uri for other in state.records.values())
    reached = audience(uri, posted_at=record.written_at, now=state.clock.now())
    return {
        "uri": uri,
        "cid": record.cid,
        "author": _author(state.accounts[uri.removeprefix("at://").split("/")[0]]),
        "record": record.value,
        "replyCount": replies + share_of(reached, uri, "reply", permille=10),
        "repostCount": share_of(reached, uri, "repost", permille=12),
        "likeCount": share_of(reached, uri, "like", permille=70),
        "quoteCount": share_of(reached, uri, "quote", permille=4),
        "bookmarkCount": share_of(reached, uri, "bookmark", permille=3),
        "indexedAt": timestamp(record.written_at),
        "labels": [],
    }


def _author(account: Account) -> dict[str, Any]:
    return {"did": account.did, "handle": account.handle, "displayName": account.display_name}
