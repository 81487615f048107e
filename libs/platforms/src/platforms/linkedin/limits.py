"""LinkedIn's numbers in one place, from the Posts, Images, Videos and Documents API pages."""

from __future__ import annotations

from datetime import date, timedelta

from platforms.limits import ContentKind, Limits, MediaLimit, Per, RateLimit, Spending, TextLimit, TextUnit, once
from platforms.shape import MediaKind

VERSION = "202609"
SUNSET = date(2027, 9, 15)
"""A version is promised for twelve months; so far each ended in the middle of that month, so no day sooner is safe."""

TEXT_MAX = 3000
COMMENT_MAX = 1250
ALT_TEXT_MAX = 4086
TITLE_MAX = 400
LINK_DESCRIPTION_MAX = 4086
QUESTION_MAX = 140
OPTION_MAX = 30
OPTIONS_MIN, OPTIONS_MAX = 2, 4
MENTIONS_MAX = 30
"""Ours: no number is told, and more names than this are no longer a text."""

POLL_MINUTES = {1_440: "ONE_DAY", 4_320: "THREE_DAYS", 10_080: "SEVEN_DAYS", 20_160: "FOURTEEN_DAYS"}

IMAGE_TYPES = ("image/jpeg", "image/png", "image/gif")
IMAGES_MAX = 20
IMAGE_PIXELS_MAX = 36_152_319
IMAGE_BYTES_MAX = 36_152_320
"""Ours: only pixels are limited, and a byte for each of them is more than any photograph needs."""

VIDEO_TYPES = ("video/mp4",)
VIDEO_BYTES_MIN, VIDEO_BYTES_MAX = 75_000, 500_000_000
VIDEO_SECONDS_MIN, VIDEO_SECONDS_MAX = 3.0, 1_800.0
VIDEO_PARTS_MAX = 200
"""Parts have 4 MiB, so the largest video has 120; a server that names more is not followed."""

DOCUMENT_TYPES = (
    "application/pdf",
    "application/msword",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.ms-powerpoint",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
)
DOCUMENT_BYTES_MAX = 100_000_000

AUTHORISATION_SECONDS = 1_800
ACLS_PAGE = 100
ORGANISATIONS_MAX = 50
"""Ours: each is asked for its name, and nobody chooses from a longer list."""

INSIGHTS_POSTS_MAX = 20
"""Ours: a member's post costs a call for each number, of a quota that may be 100 a day."""

CONFIRM_SECONDS = 2.0
PROCESSING_ASK_AGAIN_SECONDS = 10.0
UPLOAD_MISSING_SECONDS = 600.0
"""A file that LinkedIn still waits for so long after it was sent is sent again."""
UPLOADS_ANEW_MAX = 3
LISTING_PAGE = 50
LISTING_BEFORE_SECONDS = 60
LISTING_SETTLED_SECONDS = 60
"""How long after an attempt a post may still be missing from its author's list; no number is told."""
COMMENT_TRIES_MAX = 5

RATE_LIMIT_WAIT_SECONDS = 60
WAIT_SECONDS_MAX = 24 * 3600

KINDS = frozenset(
    {
        ContentKind.TEXT,
        ContentKind.IMAGE,
        ContentKind.CAROUSEL,
        ContentKind.VIDEO,
        ContentKind.DOCUMENT,
        ContentKind.LINK,
        ContentKind.ARTICLE,
        ContentKind.POLL,
        ContentKind.FIRST_COMMENT,
    }
)

LIMITS = Limits(
    api_version=VERSION,
    sunset=SUNSET,
    text=TextLimit(TEXT_MAX, TextUnit.UTF16_UNITS),
    media=(
        MediaLimit(MediaKind.IMAGE, IMAGE_TYPES, IMAGES_MAX, IMAGE_BYTES_MAX, alt_text_max=ALT_TEXT_MAX),
        MediaLimit(
            MediaKind.VIDEO,
            VIDEO_TYPES,
            1,
            VIDEO_BYTES_MAX,
            seconds_min=VIDEO_SECONDS_MIN,
            seconds_max=VIDEO_SECONDS_MAX,
        ),
        MediaLimit(MediaKind.DOCUMENT, DOCUMENT_TYPES, 1, DOCUMENT_BYTES_MAX),
    ),
    rates=(
        # Each endpoint has its own count. The numbers of other products stand in the developer portal only; an
        # application in development has fewer and hears it from LinkedIn.
        RateLimit(
            "requests of a sharing application",
            150,
            timedelta(days=1),
            Per.ACCOUNT,
            Spending("posts", publishing=once, zone="UTC"),
        ),
        RateLimit(
            "requests of a sharing application",
            100_000,
            timedelta(days=1),
            Per.APPLICATION,
            Spending("posts_of_all", publishing=once, zone="UTC"),
        ),
        RateLimit("requests while access is in development", 100, timedelta(days=1), Per.ACCOUNT),
        RateLimit("requests while access is in development", 500, timedelta(days=1), Per.APPLICATION),
    ),
    fields={
        "first_comment": TextLimit(COMMENT_MAX, TextUnit.UTF16_UNITS),
        "poll_question": TextLimit(QUESTION_MAX, TextUnit.UTF16_UNITS),
        "title": TextLimit(TITLE_MAX, TextUnit.UTF16_UNITS),
        "link_title": TextLimit(TITLE_MAX, TextUnit.UTF16_UNITS),
        "link_description": TextLimit(LINK_DESCRIPTION_MAX, TextUnit.UTF16_UNITS),
    },
)
