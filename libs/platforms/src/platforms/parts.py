"""Pieces of settings that several platforms share: the further posts of a thread, and a poll.

A platform whose limits are narrower checks them itself, in its own words.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from platforms.shape import Media, Violation

THREAD_PARTS_MAX = 50
"""No platform names a limit; a longer thread would hold one account's turn for minutes."""


class ThreadPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One further post of a thread. The first is the post itself, with the media that no part takes."""

    text: Annotated[str, Meta(title="Text")] = ""
    media: Annotated[
        tuple[Annotated[int, Meta(ge=0)], ...],
        Meta(title="Media", description="Positions in the post's media, the first is 0."),
    ] = ()


class Poll(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A question's answers; the question is the post's text."""

    options: Annotated[tuple[str, ...], Meta(title="Answers", min_length=2)]
    minutes: Annotated[int, Meta(title="Open for", description="Minutes from the moment it is posted.", ge=1)]


def misplaced_media(thread: Sequence[ThreadPart], media: Sequence[Media]) -> list[Violation]:
    """Positions that name no file, and files that two parts want."""
    found, taken = [], set[int]()
    for index, part in enumerate(thread):
        for position in part.media:
            pointer = f"/settings/thread/{index}/media"
            if position >= len(media):
                found.append(Violation("media_unknown", pointer, f"The post has no file number {position + 1}."))
            elif position in taken:
                found.append(Violation("media_twice", pointer, f"File number {position + 1} is used twice."))
            taken.add(position)
    return found
