"""A post that is quoted: from the address a person pastes to the reference that a record holds."""

from __future__ import annotations

import re

from platforms.bluesky.answers import PostViews
from platforms.bluesky.endpoints import BlueskyEndpoints
from platforms.bluesky.identity import Directory
from platforms.bluesky.posts import POST
from platforms.bluesky.xrpc import ask_openly
from platforms.errors import Rejected
from platforms.shape import Call

_ADDRESS = re.compile(
    rf"(?:at://(?P<did>did:[a-z]+:[A-Za-z0-9._:%-]{{1,250}})/{re.escape(POST)}/(?P<rkey>[A-Za-z0-9_~.:-]{{1,512}}))"
    r"|(?:https://bsky\.app/profile/(?P<actor>[A-Za-z0-9.:-]{1,253})/post/(?P<key>[A-Za-z0-9_~.:-]{1,512})/?)"
)


def read_address(text: str) -> tuple[str, str] | None:
    """The author (DID or handle) and the key of the post that an address leads to."""
    found = _ADDRESS.fullmatch(text.strip())
    if found is None:
        return None
    return found["did"] or found["actor"], found["rkey"] or found["key"]


async def find_quoted(call: Call, endpoints: BlueskyEndpoints, directory: Directory, address: str) -> dict[str, str]:
    """The reference to a post as it is now. Raises `Rejected` if it is gone."""
    author, rkey = read_address(address) or ("", "")
    did = author if author.startswith("did:") else await directory.resolve_handle(call.http, author.lower())
    uri = f"at://{did}/{POST}/{rkey}"
    query, views = [("uris", uri)], PostViews()
    if did:
        views = await ask_openly(call, endpoints.appview, "app.bsky.feed.getPosts", query, PostViews)
    post = next((post for post in views.posts if post.uri == uri), None)
    if post is None or not post.cid:
        raise Rejected("quote_not_found", "the quoted post does not exist", advice="Quote another post, or none.")
    return {"uri": uri, "cid": post.cid}
