"""Was it posted, and under which id? Looks through the account's own newest posts for one that says what ours was to.

A container tells whether it was shown, but not as which post. Posts bear no name of ours, so they are known by their
text, their kind, what they answer, and the time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from platforms.shape import Call, Media, MediaKind
from platforms.threads.answers import Listed
from platforms.threads.api import ThreadsApi
from platforms.threads.limits import LISTED_AT_ONCE, LISTED_PAGES_MAX, LISTING_BEFORE_SECONDS
from platforms.threads.text import comparable

FIELDS = "id,text,timestamp,media_type,replied_to"
_KINDS = {MediaKind.IMAGE: "IMAGE", MediaKind.VIDEO: "VIDEO"}


@dataclass(frozen=True)
class Wanted:
    """What is known of a post that may be out since `since`."""

    text: str
    media: tuple[Media, ...]
    replies_to: str | None
    since: datetime

    @property
    def begin(self) -> datetime:
        """Clocks differ."""
        return self.since - timedelta(seconds=LISTING_BEFORE_SECONDS)

    @property
    def kind(self) -> str:
        """What goes in as TEXT and CAROUSEL is listed by other names."""
        if len(self.media) > 1:
            return "CAROUSEL_ALBUM"
        return _KINDS[self.media[0].kind] if self.media else "TEXT_POST"

    def matches(self, post: Listed) -> bool:
        answered = post.replied_to is None or self.replies_to in (None, post.replied_to.id)
        same = post.media_type == self.kind and comparable(post.text) == comparable(self.text)
        return answered and same and post.posted_at >= self.begin

    def distance(self, post: Listed) -> timedelta:
        """How far in time a post lies from the first attempt."""
        return abs(post.posted_at - self.since)


class Looking:
    def __init__(self, api: ThreadsApi) -> None:
        self._api = api

    async def find(self, call: Call, wanted: Wanted) -> list[str]:
        """The ids of own posts (or replies) that match, closest in time first. Replies have a list of their own."""
        path = "me/threads" if wanted.replies_to is None else "me/replies"
        listed = self._api.every(
            call,
            path,
            Listed,
            pages_max=LISTED_PAGES_MAX,
            fields=FIELDS,
            since=int(wanted.begin.timestamp()),
            limit=LISTED_AT_ONCE,
        )
        found = [(wanted.distance(post), post.id) async for post in listed if wanted.matches(post)]
        return [post_id for _, post_id in sorted(found)]
