"""Bluesky's numbers in one place, from the lexicons and the reference server."""

from __future__ import annotations

from datetime import timedelta

from platforms.limits import ContentKind, Limits, MediaLimit, Per, RateLimit, TextLimit, TextUnit
from platforms.shape import MediaKind

TEXT_GRAPHEMES_MAX = 300
TEXT_BYTES_MAX = 3000
IMAGES_MAX = 4
IMAGE_BYTES_MAX = 2_000_000
IMAGE_TYPES = ("image/jpeg", "image/png", "image/webp", "image/gif")
VIDEO_TYPE = "video/mp4"
# A video goes through uploadBlob, which takes 50 MiB; the separate video service would take 300 MB.
VIDEO_BYTES_MAX = 50 * 1024 * 1024
VIDEO_SECONDS_MAX = 600.0
LANGUAGES_MAX = 3
TAG_GRAPHEMES_MAX = 64

INSIGHTS_URIS_MAX = 25
AUTHORISATION_SECONDS = 600
# A public client's session ends after two weeks, however often it is renewed.
SESSION_SECONDS = 14 * 24 * 3600
RATE_LIMIT_WAIT_SECONDS = 300

KINDS = frozenset({ContentKind.TEXT, ContentKind.IMAGE, ContentKind.CAROUSEL, ContentKind.VIDEO})

LIMITS = Limits(
    api_version=None,
    sunset=None,
    text=TextLimit(TEXT_GRAPHEMES_MAX, TextUnit.GRAPHEMES),
    media=(
        MediaLimit(MediaKind.IMAGE, IMAGE_TYPES, IMAGES_MAX, IMAGE_BYTES_MAX),
        MediaLimit(MediaKind.VIDEO, (VIDEO_TYPE,), 1, VIDEO_BYTES_MAX, seconds_max=VIDEO_SECONDS_MAX),
    ),
    rates=(
        RateLimit("points for writing (a new record costs 3)", 5_000, timedelta(hours=1), Per.ACCOUNT),
        RateLimit("points for writing (a new record costs 3)", 35_000, timedelta(days=1), Per.ACCOUNT),
        RateLimit("requests", 3_000, timedelta(minutes=5), Per.ADDRESS),
    ),
)
