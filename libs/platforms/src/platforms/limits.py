"""A platform's numbers as data: for forms that show them, checks that use them, operators who see what ends when."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from platforms.shape import Media, MediaKind


class ContentKind(StrEnum):
    """What a post can be. Which one it is follows from its media and settings."""

    TEXT = "text"
    IMAGE = "image"
    CAROUSEL = "carousel"
    VIDEO = "video"
    REEL = "reel"
    STORY = "story"
    THREAD = "thread"
    FIRST_COMMENT = "first_comment"
    LINK = "link"
    POLL = "poll"
    ARTICLE = "article"
    DOCUMENT = "document"


class TextUnit(StrEnum):
    """How a platform counts characters."""

    CODE_POINTS = "code_points"
    UTF16_UNITS = "utf16_units"
    UTF8_BYTES = "utf8_bytes"
    GRAPHEMES = "graphemes"
    WEIGHTED = "weighted"
    """X: see `platforms.x.text`."""
    EMOJI_BYTES = "emoji_bytes"
    """Threads: characters, but emojis by their bytes; see `platforms.threads.text`."""


@dataclass(frozen=True)
class TextLimit:
    """The longest text of one field, in the platform's own unit."""

    maximum: int
    unit: TextUnit
    minimum: int = 0


@dataclass(frozen=True)
class MediaLimit:
    """What files of one kind may be. Bytes, pixels and seconds; ratios are width over height. None: no limit told."""

    kind: MediaKind
    content_types: tuple[str, ...]
    count_max: int
    bytes_max: int
    seconds_min: float | None = None
    seconds_max: float | None = None
    ratio_min: float | None = None
    ratio_max: float | None = None
    width_min: int | None = None
    width_max: int | None = None
    alt_text_max: int | None = None


class Per(StrEnum):
    """Who a rate limit is counted for."""

    ACCOUNT = "account"
    APPLICATION = "application"
    ADDRESS = "address"


Cost = Callable[[Sequence[Media], Mapping[str, Any]], int]
"""How much of a rate one post takes: its media, and its settings as they were approved."""


def once(media: Sequence[Media], settings: Mapping[str, Any]) -> int:
    """One of it, whatever the post is."""
    return 1


def further_posts(media: Sequence[Media], settings: Mapping[str, Any]) -> int:
    """The parts of a thread behind the first, and the first comment."""
    return len(settings.get("thread") or ()) + bool(settings.get("first_comment"))


def all_posts(media: Sequence[Media], settings: Mapping[str, Any]) -> int:
    """The post, and what follows it."""
    return 1 + further_posts(media, settings)


@dataclass(frozen=True)
class Spending:
    """How publishing uses up a rate: what `Platform.stage` takes of it, and what `Platform.publish` does.

    What was spent is remembered by `name`, so that stays. `zone` is the time zone whose midnight begins the window
    anew, for windows of a day; without one the window rolls.
    """

    name: str
    staging: Cost | None = None
    publishing: Cost | None = None
    zone: str | None = None


@dataclass(frozen=True)
class RateLimit:
    """So many calls (or posts, or points) in a window.

    `spending` is None where publishing takes nothing of it, or nobody can say beforehand how much there is: then the
    platform's refusal counts.
    """

    what: str
    maximum: int
    window: timedelta
    per: Per
    spending: Spending | None = None


@dataclass(frozen=True)
class Limits:
    """Everything a platform limits, as its documentation has it.

    `sunset` is the day from which `api_version` is answered no more, None while none is announced. `text` is the post's
    own; `fields` are other texts by the name of their setting.
    """

    api_version: str | None
    sunset: date | None
    text: TextLimit
    media: tuple[MediaLimit, ...]
    rates: tuple[RateLimit, ...]
    fields: Mapping[str, TextLimit] = field(default_factory=dict)
