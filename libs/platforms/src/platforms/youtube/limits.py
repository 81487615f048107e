"""YouTube's numbers in one place: what a video may be, how its bytes are cut, what a day allows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from platforms.limits import ContentKind, Limits, MediaLimit, Per, RateLimit, Spending, TextLimit, TextUnit, once
from platforms.shape import Media, MediaKind

TITLE_CHARACTERS_MAX = 100
DESCRIPTION_BYTES_MAX = 5000
TAGS_CHARACTERS_MAX = 500
COMMENT_CHARACTERS_MAX = 10_000

VIDEO_BYTES_MAX = 256 * 1024**3
VIDEO_SECONDS_MAX = 12 * 3600.0
# Longer ones only from channels whose owner has proved a telephone number.
VIDEO_SECONDS_UNVERIFIED_MAX = 15 * 60.0
VIDEO_TYPES = (
    "video/mp4",
    "video/quicktime",
    "video/webm",
    "video/mpeg",
    "video/x-msvideo",
    "video/x-matroska",
)
SHORT_SECONDS_MAX = 180.0
# The interface takes 50 MiB by now; 2 MB is what every part of YouTube has always taken.
THUMBNAIL_BYTES_MAX = 2_000_000
THUMBNAIL_TYPES = ("image/jpeg", "image/png")

# Every chunk but the last must be a multiple of 256 KiB. 8 MiB pass within one lease even on a slow line.
CHUNK_STEP_BYTES = 256 * 1024
CHUNK_BYTES = 32 * CHUNK_STEP_BYTES

INSIGHTS_IDS_MAX = 50
LISTED_MAX = 50
COMMENTS_LISTED_MAX = 100
CHANNELS_PAGES_MAX = 10
AUTHORISATION_SECONDS = 600
PROCESSING_ASK_AGAIN_SECONDS = 15.0
RATE_LIMIT_WAIT_SECONDS = 60
RETRY_AFTER_SECONDS_MAX = 24 * 3600
CHANNEL_CAP_WAIT_SECONDS = 24 * 3600
# A comment that was just written may not be listed yet; to write it again before that would double it.
COMMENT_LISTED_WITHIN_SECONDS = 60
CHANGE_UNITS = 50
DAY_ZONE = "America/Los_Angeles"
# What is added to a video that is out (thumbnail, playlist, comment) must not keep it from being told as published.
EXTRA_FAILURES_MAX = 3
EXTRA_WAIT_SECONDS_MAX = 3600

KINDS = frozenset({ContentKind.VIDEO, ContentKind.REEL, ContentKind.FIRST_COMMENT})


def _units(media: Sequence[Media], settings: Mapping[str, Any]) -> int:
    """Showing the video, its thumbnail, its place in a playlist and its first comment are changes, each read back."""
    thumbnail = any(each.kind is MediaKind.IMAGE for each in media)
    changes = 1 + thumbnail + bool(settings.get("playlist_id")) + bool(settings.get("first_comment"))
    return changes * (CHANGE_UNITS + 1)


LIMITS = Limits(
    api_version="v3",
    sunset=None,
    text=TextLimit(DESCRIPTION_BYTES_MAX, TextUnit.UTF8_BYTES),
    media=(
        MediaLimit(MediaKind.VIDEO, VIDEO_TYPES, 1, VIDEO_BYTES_MAX, seconds_max=VIDEO_SECONDS_MAX),
        MediaLimit(MediaKind.IMAGE, THUMBNAIL_TYPES, 1, THUMBNAIL_BYTES_MAX),
    ),
    rates=(
        RateLimit(
            "starts of an upload (day of the Pacific zone)",
            100,
            timedelta(days=1),
            Per.APPLICATION,
            Spending("uploads", staging=once, zone=DAY_ZONE),
        ),
        # Reading counts takes of it as well, which is not counted here.
        RateLimit(
            "units (a question costs 1, a change 50; day of the Pacific zone)",
            10_000,
            timedelta(days=1),
            Per.APPLICATION,
            Spending("units", publishing=_units, zone=DAY_ZONE),
        ),
    ),
    fields={
        "title": TextLimit(TITLE_CHARACTERS_MAX, TextUnit.CODE_POINTS, minimum=1),
        "tags": TextLimit(TAGS_CHARACTERS_MAX, TextUnit.CODE_POINTS),
        "first_comment": TextLimit(COMMENT_CHARACTERS_MAX, TextUnit.CODE_POINTS),
    },
)
"""The text of a post is the video's description."""
