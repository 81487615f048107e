"""A platform's numbers as data: for forms that show them, checks that use them, operators who see what ends when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from platforms.shape import MediaKind


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


@dataclass(frozen=True)
class RateLimit:
    """So many calls (or posts, or points) in a window."""

    what: str
    maximum: int
    window: timedelta
    per: Per


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
