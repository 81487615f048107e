"""An organisation's own posts. A member's may not be read by anybody but LinkedIn."""

from __future__ import annotations

from datetime import datetime

from platforms.linkedin.accounts import may_read
from platforms.linkedin.answers import Posts
from platforms.linkedin.api import LinkedInApi, encoded
from platforms.linkedin.limits import LISTING_PAGE
from platforms.linkedin.text import plain_text
from platforms.shape import Call, OwnPosts, Shown


class Listing:
    """Satisfies `platforms.composed.Listing`."""

    def __init__(self, api: LinkedInApi) -> None:
        self._api = api

    async def own_posts(self, call: Call, *, since: datetime) -> OwnPosts:
        if not may_read(call.grant):
            return OwnPosts((), complete=False, left_out="LinkedIn lets nobody read a member's posts")
        author = encoded(call.grant.account_id)
        path = f"posts?author={author}&q=author&count={LISTING_PAGE}&sortBy=CREATED"
        page = (await self._api.get(call, path, Posts, method="FINDER")).elements
        posts = [Shown(post.id, post.time, plain_text(post.commentary)) for post in page if post.time is not None]
        recent = tuple(post for post in posts if post.posted_at >= since)
        return OwnPosts(recent, complete=len(recent) < LISTING_PAGE)
