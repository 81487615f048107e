"""Finding a post or a comment that may be out, in the account's own lists."""

from __future__ import annotations

import unicodedata
from datetime import datetime, timedelta

from platforms.instagram.answers import Comment, Medium, moment_of
from platforms.instagram.limits import LISTED_MAX, LOOK_BACK_SECONDS, PAGES_MAX
from platforms.instagram.rules import shown_media
from platforms.instagram.settings import InstagramSettings
from platforms.meta.graph import Graph
from platforms.shape import Call, Delivery, MediaKind

FIELDS = "id,caption,timestamp,permalink,media_type"


class Looking:
    """Reads only."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    async def posts(
        self, call: Call, delivery: Delivery, settings: InstagramSettings, *, since: datetime
    ) -> list[Medium]:
        """Every post since then that looks like this one: the same words, the same kind."""
        path = f"{call.grant.account_id}/{'stories' if settings.kind == 'story' else 'media'}"
        earliest = since - timedelta(seconds=LOOK_BACK_SECONDS)
        kind = _kind(delivery, settings)
        found = []
        listed = self._graph.every(call, path, Medium, pages_max=PAGES_MAX, fields=FIELDS, limit=LISTED_MAX)
        async for medium in listed:
            posted_at = medium.posted_at
            if posted_at is not None and posted_at < earliest:
                # The newest come first.
                break
            if posted_at is not None and medium.media_type == kind and same_words(medium.caption, delivery.text):
                found.append(medium)
        return found

    async def comment(self, call: Call, media_id: str, text: str, *, since: datetime) -> Comment | None:
        """A comment of these words since then; whoever wrote it, it is there."""
        earliest = since - timedelta(seconds=LOOK_BACK_SECONDS)
        listed = self._graph.every(
            call, f"{media_id}/comments", Comment, pages_max=PAGES_MAX, fields="id,text,timestamp", limit=LISTED_MAX
        )
        async for comment in listed:
            written_at = moment_of(comment.timestamp)
            if same_words(comment.text, text) and (written_at is None or written_at >= earliest):
                return comment
        return None

    async def permalink(self, call: Call, media_id: str) -> str | None:
        return (await self._graph.get(call, media_id, Medium, fields="id,permalink")).permalink


def same_words(one: str, other: str) -> bool:
    """True if two texts differ at most in white space and composition, which Instagram may change."""
    return _plain(one) == _plain(other)


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def _kind(delivery: Delivery, settings: InstagramSettings) -> str:
    """How the lists name the kind of such a post's media."""
    shown = shown_media(delivery.media, settings)
    if len(shown) > 1:
        return "CAROUSEL_ALBUM"
    return "VIDEO" if shown[0][1].kind is MediaKind.VIDEO else "IMAGE"
