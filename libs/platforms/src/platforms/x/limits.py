"""X's numbers in one place. The account's own rights (Premium) are asked for when a post is staged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from platforms.limits import ContentKind, Limits, MediaLimit, Per, RateLimit, Spending, TextLimit, TextUnit, all_posts
from platforms.shape import Media, MediaKind

TEXT_WEIGHT_MAX = 280
LONG_TEXT_WEIGHT_MAX = 25_000
"""What subscribers of X Premium may write."""

IMAGES_MAX = 4
IMAGE_TYPES = ("image/jpeg", "image/png", "image/webp")
IMAGE_BYTES_MAX = 5_000_000
GIF_TYPE = "image/gif"
GIF_BYTES_MAX = 15_000_000
GIF_WIDTH_MAX, GIF_HEIGHT_MAX = 1280, 1080
VIDEO_TYPES = ("video/mp4", "video/quicktime")
VIDEO_BYTES_MAX = 512_000_000
VIDEO_SECONDS_MIN, VIDEO_SECONDS_MAX = 0.5, 140.0
LONG_VIDEO_BYTES_MAX = 4_000_000_000
"""Premium may send more, but a thousand segments of ours end here."""
LONG_VIDEO_SECONDS_MAX = 4 * 3600.0
RATIO_MIN, RATIO_MAX = 1 / 3, 3.0
SIDE_PIXELS_MIN = 32
LONG_SIDE_PIXELS_MAX, SHORT_SIDE_PIXELS_MAX = 1920, 1200
ALT_TEXT_MAX = 1000

POLL_OPTIONS_MIN, POLL_OPTIONS_MAX = 2, 4
POLL_OPTION_CHARACTERS_MAX = 25
POLL_MINUTES_MIN, POLL_MINUTES_MAX = 5, 10_080
TAGGED_MAX = 10
CASHTAGS_MAX = 1
"""On plans that an application can buy by itself."""

SEGMENT_BYTES = 4 * 1024 * 1024
"""From 5 MB on, segments have been refused as too large."""
SEGMENTS_MAX = 1000
MEDIA_SECONDS = 86_400
MEDIA_MARGIN_SECONDS = 600
"""A file that is about to expire is sent again rather than named in a post that comes too late."""
PROCESSING_ASK_AGAIN_SECONDS = 5.0
PROCESSING_ASK_AGAIN_SECONDS_MAX = 60.0

AUTHORISATION_SECONDS = 600
ACCESS_SECONDS = 7200
REFRESH_SECONDS = 180 * 86_400
"""As seen; X promises nothing, but every renewal starts it anew."""

WINDOW_SECONDS = 900
WAIT_SECONDS_MAX = 86_400
DAY_WAIT_SECONDS = 86_400
CREDITS_WAIT_SECONDS = 3600
"""Somebody has to buy credits; until then each attempt would only be refused."""

LISTING_MAX = 100
LISTING_PAGES_MAX = 5
LISTING_BEFORE_SECONDS = 60
"""Clocks differ, so the listing begins a little before the attempt."""
LISTING_LAG_SECONDS = 20
"""A new post may be missing from its author's list for a while: absence is believed after a second look."""

INSIGHTS_IDS_MAX = 100
PRIVATE_METRICS_DAYS = 30

KINDS = frozenset(
    {
        ContentKind.TEXT,
        ContentKind.IMAGE,
        ContentKind.CAROUSEL,
        ContentKind.VIDEO,
        ContentKind.THREAD,
        ContentKind.FIRST_COMMENT,
        ContentKind.LINK,
        ContentKind.POLL,
    }
)

_WINDOW = timedelta(seconds=WINDOW_SECONDS)
_DAY = timedelta(days=1)


def _steps(media: Sequence[Media], settings: Mapping[str, Any]) -> int:
    """A file is announced, sent in segments and closed."""
    return sum(2 + -(-each.size_bytes // SEGMENT_BYTES) for each in media)


LIMITS = Limits(
    api_version="2",
    sunset=None,
    text=TextLimit(TEXT_WEIGHT_MAX, TextUnit.WEIGHTED),
    media=(
        MediaLimit(MediaKind.IMAGE, IMAGE_TYPES, IMAGES_MAX, IMAGE_BYTES_MAX, alt_text_max=ALT_TEXT_MAX),
        MediaLimit(
            MediaKind.IMAGE,
            (GIF_TYPE,),
            1,
            GIF_BYTES_MAX,
            width_max=GIF_WIDTH_MAX,
            alt_text_max=ALT_TEXT_MAX,
        ),
        MediaLimit(
            MediaKind.VIDEO,
            VIDEO_TYPES,
            1,
            VIDEO_BYTES_MAX,
            seconds_min=VIDEO_SECONDS_MIN,
            seconds_max=VIDEO_SECONDS_MAX,
            ratio_min=RATIO_MIN,
            ratio_max=RATIO_MAX,
            width_min=SIDE_PIXELS_MIN,
            width_max=LONG_SIDE_PIXELS_MAX,
        ),
    ),
    rates=(
        # Another page says 200, and 300 in three hours with reposts; which of them binds X does not tell.
        RateLimit("posts", 100, _WINDOW, Per.ACCOUNT, Spending("posts", publishing=all_posts)),
        RateLimit("posts", 10_000, _DAY, Per.APPLICATION, Spending("posts_of_all", publishing=all_posts)),
        RateLimit("steps of a media upload", 1875, _WINDOW, Per.ACCOUNT, Spending("steps", staging=_steps)),
        RateLimit("steps of a media upload", 180_000, _DAY, Per.APPLICATION, Spending("steps_of_all", staging=_steps)),
        RateLimit("questions for a file's processing", 1000, _WINDOW, Per.ACCOUNT),
        RateLimit("alternative texts", 500, _WINDOW, Per.ACCOUNT),
        RateLimit("readings of counts", 5000, _WINDOW, Per.ACCOUNT),
        RateLimit("readings of counts", 3500, _WINDOW, Per.APPLICATION),
        RateLimit("listings of an account's posts", 900, _WINDOW, Per.ACCOUNT),
        RateLimit("removals", 50, _WINDOW, Per.ACCOUNT),
        RateLimit("readings of the profile", 75, _WINDOW, Per.ACCOUNT),
    ),
    fields={
        "thread": TextLimit(TEXT_WEIGHT_MAX, TextUnit.WEIGHTED),
        "first_comment": TextLimit(TEXT_WEIGHT_MAX, TextUnit.WEIGHTED),
        "poll": TextLimit(POLL_OPTION_CHARACTERS_MAX, TextUnit.CODE_POINTS, minimum=1),
    },
)
