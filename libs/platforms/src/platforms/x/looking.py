"""Was it posted? Looks through the account's own newest posts for one that says what ours was to say.

X has no key of ours to look by. It rewrites what is posted: links become short ones, `&` is escaped, files are added
as a link at the end. So texts are compared in a form in which all of that is undone.
"""

from __future__ import annotations

import html
import unicodedata
from collections.abc import AsyncIterator, Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import regex

from platforms.errors import OutcomeUnknown
from platforms.shape import Call
from platforms.x import answers
from platforms.x.api import XApi
from platforms.x.limits import LISTING_BEFORE_SECONDS, LISTING_MAX, LISTING_PAGES_MAX

FIELDS = "entities,attachments,referenced_tweets,note_tweet"
_SCHEME = regex.compile(r"https?://", regex.IGNORECASE)
_SLASH = regex.compile(r"/(?=\s|$)")


@dataclass(frozen=True)
class Wanted:
    """What is known of one post that may be out. Keys are those of its files; a reply names what it answers."""

    text: str
    media_keys: frozenset[str]
    media_count: int
    replies_to: str | None
    quotes: str | None

    def matches(self, post: answers.Post) -> bool:
        keys = frozenset((post.attachments and post.attachments.media_keys) or ())
        known = len(self.media_keys) == self.media_count
        same_files = keys == self.media_keys if known else len(keys) == self.media_count
        return (
            same_files
            and post.replied_to == self.replies_to
            and comparable(said_in(post, quotes=self.quotes)) == comparable(self.text)
        )


class Looking:
    def __init__(self, api: XApi) -> None:
        self._api = api

    async def find(self, call: Call, wanted: Wanted, *, since: datetime, known: Collection[str]) -> str | None:
        """The id of the oldest own post since then that matches and is not `known`.

        Raises `OutcomeUnknown` if there is none among those that are read, and the list goes on behind them.
        """
        found: list[str] = []
        try:
            async for post in self._posts(call, since):
                if post.id not in known and wanted.matches(post):
                    found.append(post.id)
        except OutcomeUnknown:
            if not found:
                raise
        return min(found, key=int, default=None)

    async def _posts(self, call: Call, since: datetime) -> AsyncIterator[answers.Post]:
        """Newest first, replies included; raises `OutcomeUnknown` where more than 500 were made since."""
        begin = (since - timedelta(seconds=LISTING_BEFORE_SECONDS)).astimezone(UTC)
        query: dict[str, Any] = {
            "max_results": LISTING_MAX,
            "exclude": "retweets",
            "start_time": begin.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "tweet.fields": FIELDS,
        }
        for _ in range(LISTING_PAGES_MAX):
            page = await self._api.get_whole(call, f"users/{call.grant.account_id}/tweets", answers.Posts, query=query)
            for post in page.data:
                yield post
            if page.meta.next_token is None:
                return
            query["pagination_token"] = page.meta.next_token
        raise OutcomeUnknown("list_too_long", "the account has made more posts since than are read")


def said_in(post: answers.Post, *, quotes: str | None = None) -> str:
    """A post's text with its links written out, and without those that X adds for files and for a quoted post."""
    source = post.note or post
    text = html.unescape(source.text)
    for url in _links(post, source):
        added = url.media_key or _shows_a_file(url.expanded_url) or (quotes and _ends_in(url.expanded_url, quotes))
        text = text.replace(url.url or "", "" if added else url.expanded_url or url.url or "")
    return text


def comparable(text: str) -> str:
    """Two texts that differ only in what X may change are equal in this form."""
    text = unicodedata.normalize("NFC", html.unescape(text)).casefold()
    return " ".join(_SLASH.sub("", _SCHEME.sub("", text)).split())


def _links(post: answers.Post, source: answers.Post | answers.Note) -> Iterator[answers.Url]:
    """A long text has its own list; the links of its files stand in the short one."""
    for entities in (source.entities, post.entities):
        yield from (url for url in (entities and entities.urls) or () if url.url)


def _shows_a_file(address: str | None) -> bool:
    return regex.search(r"/status/\d+/(?:photo|video)/\d+$", address or "") is not None


def _ends_in(address: str | None, post_id: str) -> bool:
    return (address or "").endswith(f"/status/{post_id}")
