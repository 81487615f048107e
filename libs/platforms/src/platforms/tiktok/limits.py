"""TikTok's numbers in one place: what a post may be, how a video is cut, how long things are waited for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from platforms.limits import ContentKind, Limits, MediaLimit, Per, RateLimit, Spending, TextLimit, TextUnit, once
from platforms.shape import Media, MediaKind

CAPTION_UTF16_UNITS_MAX = 2200
DESCRIPTION_UTF16_UNITS_MAX = 4000
TITLE_UTF16_UNITS_MAX = 90
VIDEO_BYTES_MAX = 4 * 1000**3
VIDEO_SECONDS_MAX = 600.0
SIDE_PIXELS_MIN = 360
SIDE_PIXELS_MAX = 4096
VIDEO_TYPES = ("video/mp4", "video/quicktime", "video/webm")

IMAGES_MAX = 35
IMAGE_BYTES_MAX = 20_000_000
IMAGE_TYPES = ("image/jpeg", "image/webp")
# "Up to 1080p", either way round: 1086 by 1448 has been refused, and one such image fails the whole post.
IMAGE_SHORT_SIDE_PIXELS_MAX = 1080
IMAGE_LONG_SIDE_PIXELS_MAX = 1920

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

# A photo post whose start went unanswered is looked for in the list of videos, which shows it after moderation:
# usually within a minute. After that a person decides, because nothing proves that it is not there.
LISTING_MAX = 20
LISTING_SECONDS = 300
LISTING_BEFORE_SECONDS = 60
AUTHORISATION_SECONDS = 600
WEBHOOK_AGE_SECONDS_MAX = 300

KINDS = frozenset({ContentKind.VIDEO, ContentKind.IMAGE, ContentKind.CAROUSEL})


def _start_of_video(media: Sequence[Media], settings: Mapping[str, Any]) -> int:
    return int(any(each.kind is MediaKind.VIDEO for each in media))


def _start_of_photos(media: Sequence[Media], settings: Mapping[str, Any]) -> int:
    return 1 - _start_of_video(media, settings)


LIMITS = Limits(
    api_version="v2",
    sunset=None,
    # Beside images; a video's caption ends at CAPTION_UTF16_UNITS_MAX.
    text=TextLimit(DESCRIPTION_UTF16_UNITS_MAX, TextUnit.UTF16_UNITS),
    media=(
        MediaLimit(MediaKind.IMAGE, IMAGE_TYPES, IMAGES_MAX, IMAGE_BYTES_MAX, width_max=IMAGE_LONG_SIDE_PIXELS_MAX),
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
        # A video is started while it is staged, photos by the call that posts them.
        RateLimit(
            "starts of a post",
            6,
            timedelta(minutes=1),
            Per.ACCOUNT,
            Spending("starts", staging=_start_of_video, publishing=_start_of_photos),
        ),
        RateLimit("questions for a post's status", 30, timedelta(minutes=1), Per.ACCOUNT),
        # "Typically around 15", TikTok says. More would get the account marked for spam, and locked for a day.
        RateLimit(
            "posts, whichever application makes them",
            15,
            timedelta(hours=24),
            Per.ACCOUNT,
            Spending("posts", publishing=once),
        ),
        RateLimit("requests to one other endpoint", 600, timedelta(minutes=1), Per.APPLICATION),
    ),
    fields={"title": TextLimit(TITLE_UTF16_UNITS_MAX, TextUnit.UTF16_UNITS)},
)
