"""Threads' numbers in one place."""

from __future__ import annotations

from datetime import timedelta

from platforms.limits import (
    ContentKind,
    Limits,
    MediaLimit,
    Per,
    RateLimit,
    Spending,
    TextLimit,
    TextUnit,
    further_posts,
    once,
)
from platforms.shape import MediaKind

API_VERSION = "v1.0"
"""The only one there is."""

TEXT_MAX = 500
LINKS_MAX = 5
"""Different addresses in one post, its link attachment included."""

ALT_TEXT_MAX = 1000
TOPIC_TAG_MAX = 50
LINK_MAX = 2048
"""Longer addresses are cut or refused by browsers and caches on the way; Threads names no limit."""

POLL_OPTIONS_MIN, POLL_OPTIONS_MAX = 2, 4
POLL_OPTION_MAX = 25

CAROUSEL_MAX = 20
IMAGE_TYPES = ("image/jpeg", "image/png")
IMAGE_BYTES_MAX = 8_000_000
"""Widths beyond 320 to 1440 pixels are no mistake: Threads scales them."""
VIDEO_TYPES = ("video/mp4", "video/quicktime")
VIDEO_BYTES_MAX = 1_000_000_000
VIDEO_SECONDS_MAX = 300.0
VIDEO_WIDTH_MAX = 1920
RATIO_MIN, RATIO_MAX = 1 / 10, 10.0
VIDEO_RATIO_MIN = 1 / 100

CONTAINER_SECONDS = 23 * 3600
"""Containers end after 24 hours; one that is nearly as old is not built upon."""

PROCESSING_ASK_AGAIN_SECONDS = 5.0
PROCESSING_MAX = timedelta(minutes=15)
"""Threads asks to look for five minutes; what still works after three times that is made anew."""

PAUSES_SECONDS = (1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 4.0, 4.0, 5.0, 5.0)
"""How long one call of publish waits, in all, for replies to be processed; the next call goes on."""

UNSEEN_ASK_AGAIN_SECONDS = 10.0
UNSEEN_MAX = 5
"""A finished container can be unknown to the publishing call for a while; after so many tries it is made anew."""

LOOK_AGAIN_SECONDS = 15.0
"""A container that was not shown by now is looked at once more before that is believed."""
LISTING_LAG_SECONDS = 60.0
LISTING_BEFORE_SECONDS = 60
"""Clocks differ, so a listing begins a little before the attempt."""
LISTED_AT_ONCE, LISTED_PAGES_MAX = 50, 4

QUOTA_WAIT_SECONDS = 900
"""The window rolls, so a part of the day's posts is free again by then."""

AUTHORISATION_SECONDS = 3600
REFRESH_AGE_MIN = timedelta(hours=24)

INSIGHTS_POSTS_MAX = 20
INSIGHTS_AT_ONCE = 5
"""Each post is a call of its own; so many are under way together."""

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

_DAY = timedelta(hours=24)

LIMITS = Limits(
    api_version=API_VERSION,
    sunset=None,
    text=TextLimit(TEXT_MAX, TextUnit.EMOJI_BYTES),
    media=(
        MediaLimit(
            MediaKind.IMAGE,
            IMAGE_TYPES,
            CAROUSEL_MAX,
            IMAGE_BYTES_MAX,
            ratio_min=RATIO_MIN,
            ratio_max=RATIO_MAX,
            alt_text_max=ALT_TEXT_MAX,
        ),
        MediaLimit(
            MediaKind.VIDEO,
            VIDEO_TYPES,
            CAROUSEL_MAX,
            VIDEO_BYTES_MAX,
            seconds_max=VIDEO_SECONDS_MAX,
            ratio_min=VIDEO_RATIO_MIN,
            ratio_max=RATIO_MAX,
            width_max=VIDEO_WIDTH_MAX,
            alt_text_max=ALT_TEXT_MAX,
        ),
    ),
    rates=(
        RateLimit("posts", 250, _DAY, Per.ACCOUNT, Spending("posts", publishing=once)),
        RateLimit("replies", 1000, _DAY, Per.ACCOUNT, Spending("replies", publishing=further_posts)),
        RateLimit("removals", 100, _DAY, Per.ACCOUNT),
        # How often that is only Threads knows: its refusal counts.
        RateLimit("calls for each time a post of the account was seen, 10 at least", 4800, _DAY, Per.ACCOUNT),
    ),
    fields={
        "thread": TextLimit(TEXT_MAX, TextUnit.EMOJI_BYTES),
        "first_comment": TextLimit(TEXT_MAX, TextUnit.EMOJI_BYTES),
        "topic_tag": TextLimit(TOPIC_TAG_MAX, TextUnit.CODE_POINTS, minimum=1),
        "poll": TextLimit(POLL_OPTION_MAX, TextUnit.CODE_POINTS, minimum=1),
    },
)
