"""The account's own posts at Threads, replies included."""

from __future__ import annotations

from datetime import datetime

from platforms.shape import Call, OwnPosts, Shown
from platforms.threads.answers import Listed
from platforms.threads.api import ThreadsApi
from platforms.threads.limits import LISTED_AT_ONCE, LISTED_PAGES_MAX


class Listing:
    """Satisfies `platforms.composed.Listing`."""

    def __init__(self, api: ThreadsApi) -> None:
        self._api = api

    async def own_posts(self, call: Call, *, since: datetime) -> OwnPosts:
        """Replies have a list of their own."""
        found: list[Shown] = []
        complete = True
        for path in ("me/threads", "me/replies"):
            listed = self._api.every(
                call,
                path,
                Listed,
                pages_max=LISTED_PAGES_MAX,
                fields="id,text,timestamp",
                since=int(since.timestamp()),
                limit=LISTED_AT_ONCE,
            )
            posts = [post async for post in listed]
            found += [Shown(post.id, post.posted_at, post.text) for post in posts]
            complete = complete and len(posts) < LISTED_AT_ONCE * LISTED_PAGES_MAX
        return OwnPosts(tuple(found), complete=complete)
