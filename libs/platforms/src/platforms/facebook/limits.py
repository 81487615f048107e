"""Facebook's numbers in one place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from platforms.limits import ContentKind, Limits, MediaLimit, Per, RateLimit, Spending, TextLimit, TextUnit
from platforms.meta.versions import GRAPH_SUNSET, GRAPH_VERSION
from platforms.shape import Media, MediaKind

MESSAGE_MAX = 63_206
COMMENT_MAX = 8_000
TITLE_MAX = 255
LINK_MAX = 2_048
"""Longer addresses are cut or refused by browsers and caches on the way; Facebook names no limit."""

IMAGE_TYPES = ("image/jpeg", "image/png", "image/gif", "image/bmp", "image/tiff")
IMAGES_MAX = 10
IMAGE_BYTES_MAX = 10 * 1000**2

VIDEO_TYPES = ("video/mp4", "video/quicktime", "video/x-m4v", "video/x-msvideo", "video/webm", "video/mpeg")
VIDEO_BYTES_MAX = 10 * 1000**3
VIDEO_SECONDS_MAX = 4 * 3600.0

VERTICAL_TYPES = ("video/mp4", "video/quicktime")
REEL_SECONDS_MIN, REEL_SECONDS_MAX = 3.0, 90.0
STORY_SECONDS_MAX = 60.0
VERTICAL_WIDTH_MIN, VERTICAL_HEIGHT_MIN = 540, 960
VERTICAL_RATIO = 9 / 16
VERTICAL_RATIO_SLACK = 0.02
"""Sides are whole pixels of encoders that round to even numbers, so the ratio is seldom exact."""

UNPUBLISHED_HOURS = 23
"""Unpublished photos and begun uploads are kept for about a day; older ones are not built upon."""

CHUNK_CORRECTIONS_MAX = 5
PAGES_MAX = 1_000
PAGES_AT_ONCE = 100
AUTHORISATION_SECONDS = 3_600

PAGE_CHECK_DAYS = 60
"""A Page's token has no end of its own; after as long as a person's lasts it is looked at again."""

INSIGHTS_POSTS_MAX = 20
INSIGHTS_AT_ONCE = 5
"""Each post is a call of its own; so many are under way together."""

PROCESSING_ASK_AGAIN_SECONDS = 10.0
LOOK_AGAIN_SECONDS = 15
LIST_SETTLED_SECONDS = 60
"""A Page's lists lag behind: "not there" is believed of the second look, a minute after the call."""

LOOK_BACK_SECONDS = 60
"""How far Facebook's clock may be behind ours."""

LISTED_MAX = 25
LISTED_PAGES_MAX = 10
COMMENT_TRIES_MAX = 5

KINDS = frozenset(
    {
        ContentKind.TEXT,
        ContentKind.LINK,
        ContentKind.IMAGE,
        ContentKind.CAROUSEL,
        ContentKind.VIDEO,
        ContentKind.REEL,
        ContentKind.STORY,
        ContentKind.FIRST_COMMENT,
    }
)


def _reel(media: Sequence[Media], settings: Mapping[str, Any]) -> int:
    return int(settings.get("kind") == "reel")


LIMITS = Limits(
    api_version=GRAPH_VERSION,
    sunset=GRAPH_SUNSET,
    # The unit is not documented; UTF-16 is the longest of those in use, so it never lets too much through.
    text=TextLimit(MESSAGE_MAX, TextUnit.UTF16_UNITS),
    media=(
        MediaLimit(MediaKind.IMAGE, IMAGE_TYPES, IMAGES_MAX, IMAGE_BYTES_MAX),
        MediaLimit(MediaKind.VIDEO, VIDEO_TYPES, 1, VIDEO_BYTES_MAX, seconds_max=VIDEO_SECONDS_MAX),
    ),
    rates=(
        # How many people that is only Facebook knows: its refusal counts.
        RateLimit("calls for each person who uses the application", 200, timedelta(hours=1), Per.APPLICATION),
        RateLimit("calls for each person the Page engages", 4_800, timedelta(hours=24), Per.ACCOUNT),
        RateLimit("reels", 30, timedelta(hours=24), Per.ACCOUNT, Spending("reels", publishing=_reel)),
    ),
    fields={
        "first_comment": TextLimit(COMMENT_MAX, TextUnit.UTF16_UNITS, 1),
        "title": TextLimit(TITLE_MAX, TextUnit.UTF16_UNITS),
    },
)
