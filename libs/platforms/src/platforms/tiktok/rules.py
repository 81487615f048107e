"""What TikTok would refuse, found before anything is scheduled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from platforms.counting import utf16_units
from platforms.settings import mistakes_in
from platforms.shape import Media, MediaKind, Violation
from platforms.tiktok import limits
from platforms.tiktok.settings import TikTokSettings


def check(*, text: str, media: Sequence[Media], settings: Mapping[str, Any]) -> list[Violation]:
    """Every rule the post would break. An account's own limits are asked for when the post is staged."""
    photos = is_photos(media)
    longest = limits.DESCRIPTION_UTF16_UNITS_MAX if photos else limits.CAPTION_UTF16_UNITS_MAX
    found = [*_too_long("/text", "text", text, longest), *_media(media)]
    mistakes = mistakes_in(settings, TikTokSettings)
    found += mistakes
    if not mistakes:
        chosen = msgspec.convert(dict(settings), TikTokSettings)
        found += _privacy(chosen)
        found += _photo_settings(chosen, len(media)) if photos else _video_settings(chosen, media)
    return found


def is_photos(media: Sequence[Media]) -> bool:
    """True for a photo post: images alone."""
    return bool(media) and all(item.kind is MediaKind.IMAGE for item in media)


def _too_long(pointer: str, name: str, text: str, longest: int) -> Iterator[Violation]:
    units = utf16_units(text)
    if units > longest:
        detail = f"The {name} has {units} characters as TikTok counts them; {longest} fit."
        yield Violation("text_too_long", pointer, detail)


def _media(media: Sequence[Media]) -> Iterator[Violation]:
    if not media:
        yield Violation("media_missing", "/media", "TikTok takes no post without a video or images.")
    elif is_photos(media):
        if len(media) > limits.IMAGES_MAX:
            yield Violation("media_too_many", "/media", f"TikTok takes at most {limits.IMAGES_MAX} images.")
        for index, image in enumerate(media):
            yield from _image(image, f"/media/{index}")
    elif len(media) > 1:
        yield Violation("media_mixed", "/media", "TikTok takes one video and nothing beside it, or images.")
    elif media[0].kind is MediaKind.VIDEO:
        yield from _video(media[0])
    else:
        yield Violation("format", "/media/0", "TikTok takes videos and images, no documents.")


def _image(image: Media, pointer: str) -> Iterator[Violation]:
    if image.content_type not in limits.IMAGE_TYPES:
        yield Violation("format", pointer, f"TikTok takes JPEG and WebP images; this is {image.content_type}.")
    if not 0 < image.size_bytes <= limits.IMAGE_BYTES_MAX:
        yield Violation("size", pointer, f"The image has {image.size_bytes} bytes; TikTok takes 1 byte to 20 MB.")
    short, long = sorted((image.width, image.height))
    if short > limits.IMAGE_SHORT_SIDE_PIXELS_MAX or long > limits.IMAGE_LONG_SIDE_PIXELS_MAX:
        detail = f"The image is {image.width} by {image.height} pixels; TikTok takes 1080 by 1920 or 1920 by 1080."
        yield Violation("picture_size", pointer, detail)


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


def _privacy(settings: TikTokSettings) -> Iterator[Violation]:
    if settings.brand_content_toggle and settings.privacy_level == "SELF_ONLY":
        yield Violation(
            "branded_private", "/settings/privacy_level", "Branded content cannot be visible to the creator only."
        )


def _photo_settings(settings: TikTokSettings, images: int) -> Iterator[Violation]:
    yield from _too_long("/settings/title", "headline", settings.title, limits.TITLE_UTF16_UNITS_MAX)
    cover = settings.photo_cover_index
    if cover is not None and cover >= images:
        yield Violation("cover_outside", "/settings/photo_cover_index", "The post has no photo at this position.")
    if settings.video_cover_timestamp_ms is not None:
        yield Violation("only_video", "/settings/video_cover_timestamp_ms", "Only a video has a cover frame.")


def _video_settings(settings: TikTokSettings, media: Sequence[Media]) -> Iterator[Violation]:
    cover, seconds = settings.video_cover_timestamp_ms, media[0].duration_seconds if media else None
    if cover is not None and seconds is not None and cover > seconds * 1000:
        yield Violation(
            "cover_outside", "/settings/video_cover_timestamp_ms", "The cover frame lies behind the video's end."
        )
    for name, chosen in (
        ("title", settings.title != ""),
        ("photo_cover_index", settings.photo_cover_index is not None),
        ("auto_add_music", settings.auto_add_music),
    ):
        if chosen:
            yield Violation("only_photos", f"/settings/{name}", "TikTok takes this beside photos only.")
