"""Bluesky's numbers in one place, from the lexicons, the reference server and the video service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from platforms.limits import ContentKind, Limits, MediaLimit, Per, RateLimit, Spending, TextLimit, TextUnit, all_posts
from platforms.shape import Media, MediaKind

TEXT_GRAPHEMES_MAX = 300
TEXT_BYTES_MAX = 3000
# Up to four go as “images”. More go as a “gallery”, whose lexicon allows 20 and asks clients to stop at 10.
IMAGES_MAX = 4
GALLERY_MAX = 10
IMAGE_BYTES_MAX = 2_000_000
THUMB_BYTES_MAX = 1_000_000
GIF_TYPE = "image/gif"
IMAGE_TYPES = ("image/jpeg", "image/png", "image/webp", GIF_TYPE)
VIDEO_TYPES = ("video/mp4", "video/quicktime", "video/webm", "video/mpeg")
VIDEO_BYTES_MAX = 300_000_000
VIDEO_SECONDS_MAX = 600.0
LANGUAGES_MAX = 3
TAGS_MAX = 8
TAG_GRAPHEMES_MAX = 64
TAG_BYTES_MAX = 640

INSIGHTS_URIS_MAX = 25
LISTED_MAX, LISTED_PAGES_MAX = 100, 5
AUTHORISATION_SECONDS = 600
# A public client's session ends after two weeks, however often it is renewed.
SESSION_SECONDS = 14 * 24 * 3600
RATE_LIMIT_WAIT_SECONDS = 300
# The data server allows tokens for other services 30 minutes; less leaves room for clocks that differ.
SERVICE_TOKEN_SECONDS = 20 * 60
VIDEO_ASK_AGAIN_SECONDS = 5
RECORD_POINTS = 3
# Of a file; the video service names the size, and a wrong one must not make millions of requests.
VIDEO_PARTS_MAX = 1000

KINDS = frozenset(
    {
        ContentKind.TEXT,
        ContentKind.IMAGE,
        ContentKind.CAROUSEL,
        ContentKind.VIDEO,
        ContentKind.THREAD,
        ContentKind.FIRST_COMMENT,
        ContentKind.LINK,
    }
)


def _points(media: Sequence[Media], settings: Mapping[str, Any]) -> int:
    """Who may reply is a record of the thread, who may quote one of each post."""
    posts = all_posts(media, settings)
    gates = bool(settings.get("replies")) + posts * bool(settings.get("no_quotes"))
    return RECORD_POINTS * (posts + gates)


LIMITS = Limits(
    api_version=None,
    sunset=None,
    text=TextLimit(TEXT_GRAPHEMES_MAX, TextUnit.GRAPHEMES),
    media=(
        MediaLimit(MediaKind.IMAGE, IMAGE_TYPES, GALLERY_MAX, IMAGE_BYTES_MAX),
        MediaLimit(MediaKind.VIDEO, VIDEO_TYPES, 1, VIDEO_BYTES_MAX, seconds_max=VIDEO_SECONDS_MAX),
    ),
    rates=(
        RateLimit(
            "points for writing (a new record costs 3)",
            5_000,
            timedelta(hours=1),
            Per.ACCOUNT,
            Spending("points_of_hour", publishing=_points),
        ),
        RateLimit(
            "points for writing (a new record costs 3)",
            35_000,
            timedelta(days=1),
            Per.ACCOUNT,
            Spending("points_of_day", publishing=_points),
        ),
        # Of the machine's address, which others may share: only the server knows what is left.
        RateLimit("requests", 3_000, timedelta(minutes=5), Per.ADDRESS),
    ),
    fields={"first_comment": TextLimit(TEXT_GRAPHEMES_MAX, TextUnit.GRAPHEMES)},
)
