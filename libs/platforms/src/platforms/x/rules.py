"""What X would refuse, found before anything is scheduled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import regex

from platforms.parts import THREAD_PARTS_MAX, Poll, misplaced_media
from platforms.settings import mistakes_in
from platforms.shape import Media, MediaKind, Violation
from platforms.x import limits
from platforms.x.plan import Part, parts_of, settings_of
from platforms.x.settings import XSettings
from platforms.x.text import weighted_length

_CASHTAG = regex.compile(r"(?<![\p{L}\p{N}$_])\$[A-Za-z]{1,6}(?:[._][A-Za-z]{1,2})?(?![A-Za-z0-9_])")
_FORBIDDEN = frozenset("\ufffe\ufeff\uffff")


def check(*, text: str, media: Sequence[Media], settings: Mapping[str, Any]) -> list[Violation]:
    """Every rule the post would break. Whether the account has Premium is asked for when the post is staged."""
    mistakes = mistakes_in(settings, XSettings)
    if mistakes:
        return mistakes
    chosen = settings_of(settings)
    found = misplaced_media(chosen.thread, media)
    if found:
        return found
    for part in parts_of(text, media, chosen):
        found += _part(part, media, chosen)
    for position, item in enumerate(media):
        found += _file(item, f"/media/{position}", premium=chosen.premium)
    found += _settings(chosen, media)
    return found


def _part(part: Part, media: Sequence[Media], settings: XSettings) -> Iterator[Violation]:
    most = limits.LONG_TEXT_WEIGHT_MAX if settings.premium else limits.TEXT_WEIGHT_MAX
    length = weighted_length(part.text)
    if not part.text.strip() and not part.media:
        yield Violation("text_missing", part.pointer, "A post on X needs a text, an image or a video.")
    if length > most:
        detail = f"The text has {length} characters as X counts them (a link is 23, an emoji 2); {most} fit."
        yield Violation("text_too_long", part.pointer, detail)
    if _FORBIDDEN & set(part.text):
        yield Violation("text_character", part.pointer, "The text holds an invisible character that X refuses.")
    if len(_CASHTAG.findall(part.text)) > limits.CASHTAGS_MAX:
        yield Violation("cashtags", part.pointer, "X takes at most one cashtag ($NAME) in a post.")
    pointer = "/media" if part.index == 0 else part.pointer.removesuffix("/text") + "/media"
    yield from _together([media[position] for position in part.media], pointer)


def _together(media: Sequence[Media], pointer: str) -> Iterator[Violation]:
    """Four images, or one GIF, or one video."""
    alone = [item for item in media if _stands_alone(item)]
    if alone and len(media) > 1:
        yield Violation("media_mixed", pointer, "X takes a video or a GIF only by itself in a post.")
    elif len(media) > limits.IMAGES_MAX:
        yield Violation("media_too_many", pointer, f"X takes at most {limits.IMAGES_MAX} images in a post.")


def _stands_alone(item: Media) -> bool:
    return item.kind is MediaKind.VIDEO or item.content_type == limits.GIF_TYPE


def _file(item: Media, pointer: str, *, premium: bool) -> Iterator[Violation]:
    if len(item.alt_text) > limits.ALT_TEXT_MAX:
        detail = f"The description has {len(item.alt_text)} characters; {limits.ALT_TEXT_MAX} fit."
        yield Violation("alt_text_too_long", pointer, detail)
    if item.kind is MediaKind.VIDEO:
        yield from _video(item, pointer, premium=premium)
    elif item.kind is not MediaKind.IMAGE:
        yield Violation("format", pointer, "X takes images and videos, no documents.")
    elif item.content_type == limits.GIF_TYPE:
        yield from _size(item, pointer, limits.GIF_BYTES_MAX)
        if item.width > limits.GIF_WIDTH_MAX or item.height > limits.GIF_HEIGHT_MAX:
            detail = f"The GIF has {item.width} × {item.height} pixels; X takes up to 1280 × 1080."
            yield Violation("picture_size", pointer, detail)
    elif item.content_type not in limits.IMAGE_TYPES:
        yield Violation("format", pointer, f"X takes JPEG, PNG, WebP and GIF; this is {item.content_type}.")
    else:
        yield from _size(item, pointer, limits.IMAGE_BYTES_MAX)


def _video(video: Media, pointer: str, *, premium: bool) -> Iterator[Violation]:
    if video.content_type not in limits.VIDEO_TYPES:
        yield Violation("format", pointer, f"X takes MP4 and MOV; this is {video.content_type}.")
    yield from _size(video, pointer, limits.LONG_VIDEO_BYTES_MAX if premium else limits.VIDEO_BYTES_MAX)
    longest = limits.LONG_VIDEO_SECONDS_MAX if premium else limits.VIDEO_SECONDS_MAX
    if video.duration_seconds is None:
        yield Violation("duration_unknown", pointer, "The length of this video is not known.")
    elif not limits.VIDEO_SECONDS_MIN <= video.duration_seconds <= longest:
        detail = f"The video runs {video.duration_seconds:g} s; X takes 0.5 to {longest:g} s from this account."
        yield Violation("duration", pointer, detail)
    short, long = sorted((video.width, video.height))
    if short < limits.SIDE_PIXELS_MIN or short > limits.SHORT_SIDE_PIXELS_MAX or long > limits.LONG_SIDE_PIXELS_MAX:
        detail = f"The video has {video.width} × {video.height} pixels; X takes 32 × 32 to 1920 × 1200."
        yield Violation("picture_size", pointer, detail)
    elif not limits.RATIO_MIN <= video.width / video.height <= limits.RATIO_MAX:
        yield Violation("ratio", pointer, "X takes videos from 1:3 to 3:1.")


def _size(item: Media, pointer: str, most: int) -> Iterator[Violation]:
    if not 0 < item.size_bytes <= most:
        detail = f"The file has {item.size_bytes} bytes; X takes up to {most // 1_000_000} MB of this kind."
        yield Violation("size", pointer, detail)


def _settings(settings: XSettings, media: Sequence[Media]) -> Iterator[Violation]:
    if len(settings.thread) > THREAD_PARTS_MAX:
        yield Violation(
            "thread_too_long", "/settings/thread", f"A thread has at most {THREAD_PARTS_MAX} further posts."
        )
    attached = {
        "/media": bool(parts_of("", media, settings)[0].media),
        "/settings/poll": settings.poll is not None,
        "/settings/quote_post_id": settings.quote_post_id is not None,
    }
    if sum(attached.values()) > 1:
        pointer = next(name for name in reversed(attached) if attached[name])
        yield Violation("attachments", pointer, "Of media, a poll and a quote, a post on X can have only one.")
    if settings.poll:
        yield from _poll(settings.poll)
    if settings.link and not _is_address(settings.link):
        yield Violation(
            "link_invalid", "/settings/link", "The link must be a web address, such as https://example.com."
        )
    if settings.share_with_followers and not settings.community_id:
        yield Violation(
            "community_missing", "/settings/share_with_followers", "Choose the community this post goes to first."
        )
    if settings.tagged_user_ids and not any(item.kind is MediaKind.IMAGE for item in media):
        yield Violation("tags_without_image", "/settings/tagged_user_ids", "People can be tagged in images only.")


def _poll(poll: Poll) -> Iterator[Violation]:
    if not limits.POLL_OPTIONS_MIN <= len(poll.options) <= limits.POLL_OPTIONS_MAX:
        yield Violation("poll_options", "/settings/poll/options", "A poll on X has 2 to 4 answers.")
    for number, option in enumerate(poll.options):
        if not option.strip() or len(option) > limits.POLL_OPTION_CHARACTERS_MAX:
            pointer = f"/settings/poll/options/{number}"
            yield Violation("poll_option", pointer, f"An answer has 1 to 25 characters; this has {len(option)}.")
    if not limits.POLL_MINUTES_MIN <= poll.minutes <= limits.POLL_MINUTES_MAX:
        yield Violation("poll_minutes", "/settings/poll/minutes", "A poll on X is open 5 minutes to 7 days.")


def _is_address(link: str) -> bool:
    try:
        parts = urlsplit(link)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not any(map(str.isspace, link))
