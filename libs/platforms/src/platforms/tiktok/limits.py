"""TikTok's numbers in one place: what a video may be, and how its bytes are cut."""

from __future__ import annotations

from datetime import timedelta

from platforms.limits import ContentKind, Limits, MediaLimit, Per, RateLimit, TextLimit, TextUnit
from platforms.shape import MediaKind

CAPTION_UTF16_UNITS_MAX = 2200
VIDEO_BYTES_MAX = 4 * 1000**3
VIDEO_SECONDS_MAX = 600.0
SIDE_PIXELS_MIN = 360
SIDE_PIXELS_MAX = 4096
VIDEO_TYPES = ("video/mp4", "video/quicktime", "video/webm")
IMAGES_MAX = 35

# A chunk holds 5 to 64 MB (decimal), the last one up to 128 MB because it takes the remainder.
CHUNK_BYTES = 10_000_000
CHUNKS_MAX = 1000
UPLOAD_URL_SECONDS = 3600
# Started shortly before its end an upload could not be finished, so it counts as expired early.
UPLOAD_URL_MARGIN_SECONDS = 300

INSIGHTS_IDS_MAX = 20
RATE_LIMIT_WAIT_SECONDS = 60
DAILY_CAP_WAIT_SECONDS = 24 * 3600
PROCESSING_ASK_AGAIN_SECONDS = 5.0
AUTHORISATION_SECONDS = 600
WEBHOOK_AGE_SECONDS_MAX = 300

KINDS = frozenset({ContentKind.VIDEO})

LIMITS = Limits(
    api_version="v2",
    sunset=None,
    text=TextLimit(CAPTION_UTF16_UNITS_MAX, TextUnit.UTF16_UNITS),
    media=(
        MediaLimit(
            MediaKind.VIDEO,
            VIDEO_TYPES,
            1,
            VIDEO_BYTES_MAX,
            seconds_max=VIDEO_SECONDS_MAX,
            width_min=SIDE_PIXELS_MIN,
            width_max=SIDE_PIXELS_MAX,
        ),
    ),
    rates=(
        RateLimit("starts of a post", 6, timedelta(minutes=1), Per.ACCOUNT),
        RateLimit("questions for a post's status", 30, timedelta(minutes=1), Per.ACCOUNT),
        RateLimit("requests to one other endpoint", 600, timedelta(minutes=1), Per.APPLICATION),
    ),
)
