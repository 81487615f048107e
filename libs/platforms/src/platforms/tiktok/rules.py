"""What TikTok would refuse, found before anything is scheduled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from platforms.settings import mistakes_in
from platforms.shape import Media, MediaKind, Violation
from platforms.tiktok import limits
from platforms.tiktok.settings import TikTokSettings


def utf16_units(text: str) -> int:
    """TikTok counts a caption as UTF-16 does: an emoji outside the basic plane is two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def check(*, text: str, media: Sequence[Media], settings: Mapping[str, Any]) -> list[Violation]:
    """Every rule the post would break. An account's own limits are asked for when the post is staged."""
    found: list[Violation] = []
    units = utf16_units(text)
    if units > limits.CAPTION_UTF16_UNITS_MAX:
        detail = f"The caption has {units} characters as TikTok counts them; {limits.CAPTION_UTF16_UNITS_MAX} fit."
        found.append(Violation("text_too_long", "/text", detail))
    found += _media(media)
    mistakes = mistakes_in(settings, TikTokSettings)
    found += mistakes
    if not mistakes:
        found += _settings(msgspec.convert(dict(settings), TikTokSettings), media)
    return found


def _media(media: Sequence[Media]) -> Iterator[Violation]:
    images = sum(item.kind is MediaKind.IMAGE for item in media)
    if not media:
        yield Violation("media_missing", "/media", "TikTok takes no post without a video.")
    elif images == len(media):
        if images > limits.IMAGES_MAX:
            yield Violation("media_too_many", "/media", f"TikTok takes at most {limits.IMAGES_MAX} images.")
        detail = "Images cannot be posted to TikTok from here yet: TikTok fetches them only from a verified address."
        yield Violation("images_not_supported", "/media", detail)
    elif images or len(media) > 1:
        yield Violation("media_mixed", "/media", "TikTok takes exactly one video in a post, and no images beside it.")
    else:
        yield from _video(media[0])


def _video(video: Media) -> Iterator[Violation]:
    pointer = "/media/0"
    if video.content_type not in limits.VIDEO_TYPES:
        yield Violation("format", pointer, f"TikTok takes MP4, MOV and WebM; this is {video.content_type}.")
    if not 0 < video.size_bytes <= limits.VIDEO_BYTES_MAX:
        yield Violation("size", pointer, f"The file has {video.size_bytes} bytes; TikTok takes 1 byte to 4 GB.")
    if video.duration_seconds is None:
        yield Violation("duration_unknown", pointer, "The length of this video is not known.")
    elif not 0 < video.duration_seconds <= limits.VIDEO_SECONDS_MAX:
        yield Violation("duration", pointer, f"The video runs {video.duration_seconds:g} s; TikTok takes up to 600 s.")
    for name, side in (("width", video.width), ("height", video.height)):
        if not limits.SIDE_PIXELS_MIN <= side <= limits.SIDE_PIXELS_MAX:
            yield Violation("picture_size", pointer, f"The {name} is {side} pixels; TikTok takes 360 to 4096.")


def _settings(settings: TikTokSettings, media: Sequence[Media]) -> Iterator[Violation]:
    if settings.brand_content_toggle and settings.privacy_level == "SELF_ONLY":
        yield Violation(
            "branded_private", "/settings/privacy_level", "Branded content cannot be visible to the creator only."
        )
    cover, seconds = settings.video_cover_timestamp_ms, media[0].duration_seconds if media else None
    if cover is not None and seconds is not None and cover > seconds * 1000:
        yield Violation(
            "cover_outside", "/settings/video_cover_timestamp_ms", "The cover frame lies behind the video's end."
        )
