"""Instagram's numbers in one place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from platforms.limits import ContentKind, Limits, MediaLimit, Per, RateLimit, Spending, TextLimit, TextUnit, once
from platforms.meta.versions import GRAPH_SUNSET, GRAPH_VERSION
from platforms.shape import Media, MediaKind

CAPTION_MAX = 2_200
HASHTAGS_MAX = 30
MENTIONS_MAX = 20
COMMENT_MAX = 2_200
"""Instagram's own apps take so much; for the API nothing is documented."""

ALT_TEXT_MAX = 1_000
COLLABORATORS_MAX = 3
USERNAME_MAX = 30
TAGS_MAX = 20
"""Of one image or video."""

CAROUSEL_MIN, CAROUSEL_MAX = 2, 10

IMAGE_TYPES = ("image/jpeg",)
IMAGE_BYTES_MAX = 8 * 1000**2
IMAGE_RATIO_MIN, IMAGE_RATIO_MAX = 4 / 5, 1.91
RATIO_SLACK = 0.01
"""Sides are whole pixels, so an exact 4 to 5 is seldom reached."""

VIDEO_TYPES = ("video/mp4", "video/quicktime")
VIDEO_WIDTH_MAX = 1_920
VIDEO_RATIO_MIN, VIDEO_RATIO_MAX = 0.01, 10.0
VIDEO_SECONDS_MIN = 3.0
REEL_SECONDS_MAX = 900.0
REEL_BYTES_MAX = 300 * 1000**2
SHORT_SECONDS_MAX = 60.0
SHORT_BYTES_MAX = 100 * 1000**2
"""Videos of stories, and those among a carousel's items."""

CONTAINER_HOURS = 24
CONTAINER_MARGIN_MINUTES = 15
"""A container this close to its end counts as ended: a post that waits for its second must not meet it."""

PROCESSING_MINUTES_MAX = 60
"""Instagram speaks of five minutes; a container that takes longer than this is stuck."""

PROCESSING_ASK_AGAIN_SECONDS = 5.0
QUOTA_WAIT_SECONDS = 900
"""The window rolls, so a place becomes free some time; asking costs one call."""

SETTLED_SECONDS = 30
"""After a call without an answer, "not published" is believed of a container only when this has passed."""

LOOK_BACK_SECONDS = 60
"""How far Instagram's clock may be behind ours."""

LISTED_MAX = 50
PAGES_MAX = 4
COMMENT_TRIES_MAX = 5

AUTHORISATION_SECONDS = 3_600
RENEWABLE_AFTER_SECONDS = 25 * 3_600
"""A token is renewed from its second day on; an hour more for clocks and for what its life was rounded down by."""

INSIGHTS_POSTS_MAX = 20
INSIGHTS_AT_ONCE = 5
"""Each post takes two calls of its own; so many posts are asked about together."""

KINDS = frozenset(
    {
        ContentKind.IMAGE,
        ContentKind.CAROUSEL,
        ContentKind.VIDEO,
        ContentKind.REEL,
        ContentKind.STORY,
        ContentKind.FIRST_COMMENT,
    }
)


def _containers(media: Sequence[Media], settings: Mapping[str, Any]) -> int:
    """One for each item of a carousel, and one for the post."""
    return 1 + (len(media) if len(media) > 1 else 0)


LIMITS = Limits(
    api_version=GRAPH_VERSION,
    sunset=GRAPH_SUNSET,
    # The unit is not documented; UTF-16 is the longest of those in use, so it never lets too much through.
    text=TextLimit(CAPTION_MAX, TextUnit.UTF16_UNITS),
    media=(
        MediaLimit(
            MediaKind.IMAGE,
            IMAGE_TYPES,
            CAROUSEL_MAX,
            IMAGE_BYTES_MAX,
            ratio_min=IMAGE_RATIO_MIN,
            ratio_max=IMAGE_RATIO_MAX,
            alt_text_max=ALT_TEXT_MAX,
        ),
        MediaLimit(
            MediaKind.VIDEO,
            VIDEO_TYPES,
            CAROUSEL_MAX,
            REEL_BYTES_MAX,
            seconds_min=VIDEO_SECONDS_MIN,
            seconds_max=REEL_SECONDS_MAX,
            ratio_min=VIDEO_RATIO_MIN,
            ratio_max=VIDEO_RATIO_MAX,
            width_max=VIDEO_WIDTH_MAX,
        ),
    ),
    rates=(
        # Pages of the documentation say 25, 50 and 100. Each account's own number is asked for before a post, so the
        # largest holds back nothing that Instagram would take.
        RateLimit("posts", 100, timedelta(hours=24), Per.ACCOUNT, Spending("posts", publishing=once)),
        RateLimit("containers", 400, timedelta(hours=24), Per.ACCOUNT, Spending("containers", staging=_containers)),
        # How often that is only Instagram knows: its refusal counts.
        RateLimit("calls for each time the account is seen", 4_800, timedelta(hours=24), Per.ACCOUNT),
    ),
    fields={"first_comment": TextLimit(COMMENT_MAX, TextUnit.UTF16_UNITS, 1)},
)
