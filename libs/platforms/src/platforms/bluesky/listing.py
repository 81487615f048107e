"""The account's own posts, from its own server, which has them at once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from platforms.bluesky import answers
from platforms.bluesky.errors import xrpc_error
from platforms.bluesky.limits import LISTED_MAX, LISTED_PAGES_MAX
from platforms.bluesky.posts import POST
from platforms.bluesky.servers import Servers
from platforms.bluesky.xrpc import Repository
from platforms.shape import Call, OwnPosts, Shown


class Listing:
    """Satisfies `platforms.composed.Listing`."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers

    async def own_posts(self, call: Call, *, since: datetime) -> OwnPosts:
        """The latest keys first. A key made by hand can be of any time, so each post's own time is looked at too."""
        found: list[Shown] = []
        query = {"repo": call.grant.account_id, "collection": POST, "limit": str(LISTED_MAX)}
        for _ in range(LISTED_PAGES_MAX):
            answer = await Repository(call, self._servers).read("com.atproto.repo.listRecords", query)
            if answer.status != 200:
                raise xrpc_error(answer, now=call.clock.now())
            page = answer.parse(answers.Records)
            shown = [Shown(each.uri, _made_at(each.value), str(each.value.get("text", ""))) for each in page.records]
            recent = [each for each in shown if each.posted_at >= since]
            found += recent
            if page.cursor is None or not recent:
                return OwnPosts(tuple(found))
            query["cursor"] = page.cursor
        return OwnPosts(tuple(found), complete=False)


def _made_at(value: Mapping[str, Any]) -> datetime:
    try:
        return datetime.fromisoformat(str(value.get("createdAt"))).astimezone(UTC)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
