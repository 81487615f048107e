"""The posts that one delivery becomes, in the order they are made, and the body of each call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from platforms.parts import ThreadPart
from platforms.shape import Media
from platforms.x.settings import XSettings


@dataclass(frozen=True)
class Part:
    """One post of the delivery. `media` are positions in the delivery's media; `replies_to` is an earlier part.

    Without one that is `optional` the delivery is still what its writer wanted to say.
    """

    index: int
    pointer: str
    text: str
    media: tuple[int, ...]
    replies_to: int | None
    optional: bool = False


def settings_of(settings: Mapping[str, Any]) -> XSettings:
    return msgspec.convert(dict(settings), XSettings)


def parts_of(text: str, media: Sequence[Media], settings: XSettings) -> list[Part]:
    """The post, its thread, its first reply. What no further post takes of the media stays with the first."""
    taken = {position for part in settings.thread for position in part.media}
    own = tuple(position for position in range(len(media)) if position not in taken)
    parts = [Part(0, "/text", with_link(text, settings.link), own, None)]
    for number, part in enumerate(settings.thread):
        parts.append(_further(number, part))
    if settings.first_comment:
        parts.append(Part(len(parts), "/settings/first_comment", settings.first_comment, (), 0, optional=True))
    return parts


def with_link(text: str, link: str) -> str:
    return "\n".join(piece for piece in (text, link) if piece)


def body_of(part: Part, settings: XSettings, *, media_ids: Sequence[str], replies_to: str | None) -> dict[str, Any]:
    """The JSON of `POST /2/tweets`; the same delivery always makes the same one."""
    body: dict[str, Any] = {"text": part.text} if part.text else {}
    if media_ids:
        tagged = (
            {"tagged_user_ids": list(settings.tagged_user_ids)} if settings.tagged_user_ids and not part.index else {}
        )
        body["media"] = {"media_ids": list(media_ids)} | tagged
    if replies_to:
        body["reply"] = {"in_reply_to_tweet_id": replies_to}
    if settings.made_with_ai:
        body["made_with_ai"] = True
    if settings.paid_partnership:
        body["paid_partnership"] = True
    if settings.for_super_followers_only:
        body["for_super_followers_only"] = True
    # Who may reply is decided by the conversation's first post, for all of it.
    return body if part.index else body | _of_the_first(settings, has_media=bool(media_ids))


def _further(number: int, part: ThreadPart) -> Part:
    return Part(number + 1, f"/settings/thread/{number}/text", part.text, part.media, number)


def _of_the_first(settings: XSettings, *, has_media: bool) -> dict[str, Any]:
    body: dict[str, Any] = {}
    if settings.poll:
        body["poll"] = {"options": list(settings.poll.options), "duration_minutes": settings.poll.minutes}
    if settings.quote_post_id:
        body["quote_tweet_id"] = settings.quote_post_id
    if settings.reply_settings:
        body["reply_settings"] = settings.reply_settings
    if settings.community_id:
        body |= {"community_id": settings.community_id, "share_with_followers": settings.share_with_followers}
    if settings.place_id:
        body["geo"] = {"place_id": settings.place_id}
    return body
