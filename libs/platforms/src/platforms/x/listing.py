"""The account's own posts on X, replies included, reposts not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from platforms.shape import Call, OwnPosts, Shown
from platforms.x import answers
from platforms.x.api import XApi
from platforms.x.limits import LISTING_MAX, LISTING_PAGES_MAX
from platforms.x.looking import said_in
from platforms.x.reading import made_at


class Listing:
    """Satisfies `platforms.composed.Listing`."""

    def __init__(self, api: XApi) -> None:
        self._api = api

    async def own_posts(self, call: Call, *, since: datetime) -> OwnPosts:
        """Their ids tell when they were made."""
        found: list[Shown] = []
        query: dict[str, Any] = {
            "max_results": LISTING_MAX,
            "exclude": "retweets",
            "start_time": since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "tweet.fields": "entities,note_tweet",
        }
        path = f"users/{call.grant.account_id}/tweets"
        for _ in range(LISTING_PAGES_MAX):
            page = await self._api.get_whole(call, path, answers.Posts, query=query)
            found += [Shown(post.id, made_at(post.id), said_in(post)) for post in page.data]
            if page.meta.next_token is None:
                return OwnPosts(tuple(found))
            query["pagination_token"] = page.meta.next_token
        return OwnPosts(tuple(found), complete=False)
