"""The account's own posts on Instagram. Stories are in a list of their own, for a day."""

from __future__ import annotations

from datetime import datetime

from platforms.instagram.answers import Medium
from platforms.instagram.limits import LISTED_MAX, PAGES_MAX
from platforms.meta.graph import Graph
from platforms.shape import Call, OwnPosts, Shown


class Listing:
    """Satisfies `platforms.composed.Listing`."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    async def own_posts(self, call: Call, *, since: datetime) -> OwnPosts:
        found: list[Shown] = []
        seen = 0
        listed = self._graph.every(
            call,
            f"{call.grant.account_id}/media",
            Medium,
            pages_max=PAGES_MAX,
            fields="id,caption,timestamp",
            limit=LISTED_MAX,
        )
        async for medium in listed:
            seen += 1
            if medium.posted_at is not None and medium.posted_at < since:
                # The newest come first.
                break
            if medium.posted_at is not None:
                found.append(Shown(medium.id, medium.posted_at, medium.caption))
        return OwnPosts(tuple(found), complete=seen < LISTED_MAX * PAGES_MAX, left_out="stories")
