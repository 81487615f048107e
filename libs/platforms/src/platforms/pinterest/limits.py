"""Pinterest's numbers in one place, from its OpenAPI description and, for files, its help pages."""

from __future__ import annotations

from datetime import timedelta

from platforms.limits import ContentKind, Limits, MediaLimit, Per, RateLimit, TextLimit, TextUnit
from platforms.shape import MediaKind

TITLE_MAX = 100
DESCRIPTION_MAX = 800
LINK_MAX = 2048
ALT_TEXT_MAX = 500
SLIDES_MIN, SLIDES_MAX = 2, 5

IMAGE_TYPES = ("image/jpeg", "image/png")
IMAGE_BYTES_MAX = 20_000_000
INLINE_IMAGE_BYTES_MAX = 7_500_000
"""Sent inside the request as Base64, which Pinterest takes up to 10 MB of; a larger image is fetched by address."""

VIDEO_TYPES = ("video/mp4", "video/quicktime", "video/x-m4v")
VIDEO_BYTES_MAX = 2_000_000_000
VIDEO_SECONDS_MIN, VIDEO_SECONDS_MAX = 4.0, 900.0

INSIGHTS_PINS_MAX = 100
INSIGHTS_DAYS_MAX = 90
AUTHORISATION_SECONDS = 600
PROCESSING_ASK_AGAIN_SECONDS = 10.0
LISTING_PAGE = 25
LISTING_PAGES_MAX = 4
LISTING_BEFORE_SECONDS = 60
LISTING_SETTLED_SECONDS = 60
"""How long after an attempt a pin may still be missing from its board's list."""

RATE_LIMIT_WAIT_SECONDS = 60
SPAM_WAIT_SECONDS = 24 * 3600
WAIT_SECONDS_MAX = 24 * 3600

KINDS = frozenset({ContentKind.IMAGE, ContentKind.CAROUSEL, ContentKind.VIDEO, ContentKind.LINK})

LIMITS = Limits(
    api_version="v5",
    sunset=None,
    text=TextLimit(DESCRIPTION_MAX, TextUnit.CODE_POINTS),
    media=(
        MediaLimit(MediaKind.IMAGE, IMAGE_TYPES, SLIDES_MAX, IMAGE_BYTES_MAX, alt_text_max=ALT_TEXT_MAX),
        MediaLimit(
            MediaKind.VIDEO,
            VIDEO_TYPES,
            1,
            VIDEO_BYTES_MAX,
            seconds_min=VIDEO_SECONDS_MIN,
            seconds_max=VIDEO_SECONDS_MAX,
            alt_text_max=ALT_TEXT_MAX,
        ),
    ),
    rates=(
        # Which access an application has Pinterest does not tell it, and trial access creates no public pins; a hundred
        # requests in a second no account of ours comes near. So its refusal counts.
        RateLimit("requests with trial access", 1_000, timedelta(days=1), Per.APPLICATION),
        RateLimit("requests with standard access", 100, timedelta(seconds=1), Per.ACCOUNT),
    ),
    fields={"title": TextLimit(TITLE_MAX, TextUnit.CODE_POINTS), "link": TextLimit(LINK_MAX, TextUnit.CODE_POINTS)},
)
