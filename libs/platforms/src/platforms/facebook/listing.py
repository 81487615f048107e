"""The Page's own posts. Stories are in no list that stays."""

from __future__ import annotations

from datetime import UTC, datetime

from platforms.facebook.answers import Listed
from platforms.facebook.limits import LISTED_MAX, LISTED_PAGES_MAX
from platforms.meta.graph import Graph
from platforms.shape import Call, OwnPosts, Shown


class Listing:
    """Satisfies `platforms.composed.Listing`."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    async def own_posts(self, call: Call, *, since: datetime) -> OwnPosts:
        listed = self._graph.every(
            call,
            f"{call.grant.account_id}/published_posts",
            Listed,
            pages_max=LISTED_PAGES_MAX,
            fields="id,message,created_time",
            since=int(since.timestamp()),
            limit=LISTED_MAX,
        )
        posts = tuple([Shown(post.id, _moment(post.created_time), post.message) async for post in listed])
        complete = len(posts) < LISTED_MAX * LISTED_PAGES_MAX
        return OwnPosts(posts, complete=complete, left_out="stories, and reels that are not shown in the feed")


def _moment(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z").astimezone(UTC)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
