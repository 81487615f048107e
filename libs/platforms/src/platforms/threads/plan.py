"""The posts that one delivery becomes, in the order they are made, and what each of their containers is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_lowercase
from typing import Any

import msgspec

from platforms.shape import Media, MediaKind
from platforms.threads.settings import ThreadsSettings

FIRST_COMMENT = "/settings/first_comment"


@dataclass(frozen=True)
class Part:
    """One post of the delivery. `media` are positions in the delivery's media; `replies_to` is an earlier part."""

    index: int
    pointer: str
    text: str
    media: tuple[int, ...]
    replies_to: int | None

    @property
    def is_carousel(self) -> bool:
        return len(self.media) > 1

    @property
    def is_comment(self) -> bool:
        return self.pointer == FIRST_COMMENT


def settings_of(settings: Mapping[str, Any]) -> ThreadsSettings:
    return msgspec.convert(dict(settings), ThreadsSettings)


def parts_of(text: str, media: Sequence[Media], settings: ThreadsSettings) -> list[Part]:
    """The post, its thread, its first reply. What no further post takes of the media stays with the first."""
    taken = {position for part in settings.thread for position in part.media}
    own = tuple(position for position in range(len(media)) if position not in taken)
    parts = [Part(0, "/text", text, own, None)]
    for number, part in enumerate(settings.thread):
        parts.append(Part(number + 1, f"/settings/thread/{number}/text", part.text, part.media, number))
    if settings.first_comment:
        parts.append(Part(len(parts), FIRST_COMMENT, settings.first_comment, (), 0))
    return parts


def of_item(item: Media, address: str) -> dict[str, Any]:
    """A container for one file of a carousel."""
    return _file(item, address) | {"is_carousel_item": True}


def of_part(
    part: Part,
    settings: ThreadsSettings,
    *,
    file: tuple[Media, str] | None,
    children: Sequence[str],
    replies_to: str | None,
) -> dict[str, Any]:
    """A container for a post: of text, of one file at its address, or of a carousel's containers."""
    if children:
        made: dict[str, Any] = {"media_type": "CAROUSEL", "children": ",".join(children)}
    else:
        made = _file(*file) if file else {"media_type": "TEXT"}
    made |= {"text": part.text or None, "reply_to_id": replies_to}
    return made if part.index else made | _of_the_first(settings)


def _file(item: Media, address: str) -> dict[str, Any]:
    video = item.kind is MediaKind.VIDEO
    return {
        "media_type": "VIDEO" if video else "IMAGE",
        "video_url" if video else "image_url": address,
        "alt_text": item.alt_text or None,
    }


def _of_the_first(settings: ThreadsSettings) -> dict[str, Any]:
    poll = settings.poll
    return {
        "link_attachment": settings.link or None,
        "poll_attachment": _answers(poll.options) if poll else None,
        "topic_tag": settings.topic_tag,
        "reply_control": settings.reply_control,
        "enable_reply_approvals": settings.approve_replies or None,
        "quote_post_id": settings.quote_post_id,
    }


def _answers(options: Sequence[str]) -> dict[str, str]:
    """Threads names a poll's answers option_a, option_b and so on."""
    return {f"option_{letter}": option for letter, option in zip(ascii_lowercase, options, strict=False)}
