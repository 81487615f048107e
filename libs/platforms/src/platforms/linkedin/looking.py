"""Looking for a post whose answer was lost: in the author's list, or behind the name in a refusal as duplicate."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from platforms.errors import Rejected
from platforms.linkedin.answers import Post, Posts
from platforms.linkedin.api import LinkedInApi, encoded
from platforms.linkedin.errors import GONE
from platforms.linkedin.limits import LISTING_BEFORE_SECONDS, LISTING_PAGE
from platforms.linkedin.text import plain_text
from platforms.shape import Call


class Looking:
    """Reads an author's posts, which needs the permission for it."""

    def __init__(self, api: LinkedInApi) -> None:
        self._api = api

    async def by_urn(self, call: Call, urn: str) -> Post | None:
        """The post, or None if it is not there."""
        try:
            return await self._api.get(call, f"posts/{encoded(urn)}", Post)
        except Rejected as error:
            if error.code in GONE:
                return None
            raise

    async def find(self, call: Call, body: Mapping[str, Any], *, since: datetime) -> tuple[list[Post], bool]:
        """The author's posts since then that say what the request says; False if the list goes on beyond a page."""
        author = encoded(call.grant.account_id)
        path = f"posts?author={author}&q=author&count={LISTING_PAGE}&sortBy=CREATED"
        page = await self._api.get(call, path, Posts, method="FINDER")
        recent = [post for post in page.elements if not is_older(post.time, since)]
        found = [post for post in recent if says_the_same(post, body)]
        return found, len(recent) < LISTING_PAGE


def says_the_same(post: Post, body: Mapping[str, Any]) -> bool:
    """By author and words."""
    same = plain_text(post.commentary).strip() == plain_text(body["commentary"]).strip()
    return same and post.author in ("", body["author"])


def shows_the_same(post: Post, body: Mapping[str, Any]) -> bool:
    """By files, link and poll: uploads are made for one post only, so their names tell twins apart."""
    return _marks(post.content) == _marks(body.get("content", {}))


def is_older(moment: datetime | None, since: datetime) -> bool:
    """True if a post was surely there before; clocks may differ by a minute."""
    return moment is not None and moment < since - timedelta(seconds=LISTING_BEFORE_SECONDS)


def made_at(urn: str) -> datetime | None:
    """When a post was made, by its number, whose upper bits count milliseconds.

    No page of LinkedIn says so. It is used only to doubt that a post is ours, never to believe it.
    """
    number = urn.rpartition(":")[2]
    milliseconds = int(number) >> 22 if number.isdigit() else 0
    return datetime.fromtimestamp(milliseconds / 1000, UTC) if 10**12 < milliseconds < 10**13 else None


def _marks(content: Mapping[str, Any]) -> tuple[Any, ...]:
    """What tells one content from another: names of files, address of a link, question of a poll."""

    def of(name: str) -> Mapping[str, Any]:
        value = content.get(name)
        return value if isinstance(value, Mapping) else {}

    images = of("multiImage").get("images")
    several = tuple(image.get("id") for image in images if isinstance(image, Mapping)) if images else ()
    return of("media").get("id"), several, of("article").get("source"), of("poll").get("question")
