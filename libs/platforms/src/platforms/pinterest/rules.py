"""What Pinterest would refuse, found before anything is scheduled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from platforms.pinterest import limits
from platforms.pinterest.settings import PinterestSettings
from platforms.settings import mistakes_in
from platforms.shape import Media, MediaKind, Violation

_RATIO_DIFFERENCE_MAX = 0.01
"""Images of a carousel share one shape; a rounded pixel is no other shape."""


def check(*, text: str, media: Sequence[Media], settings: Mapping[str, Any]) -> list[Violation]:
    """Every rule the pin would break. Whether the board exists is asked for when the pin is staged."""
    found: list[Violation] = []
    if len(text) > limits.DESCRIPTION_MAX:
        detail = f"The description has {len(text)} characters; {limits.DESCRIPTION_MAX} fit."
        found.append(Violation("text_too_long", "/text", detail))
    found += _media(media)
    mistakes = mistakes_in(settings, PinterestSettings)
    found += mistakes
    if not mistakes:
        found += _settings(msgspec.convert(dict(settings), PinterestSettings), media)
    return found


def _media(media: Sequence[Media]) -> Iterator[Violation]:
    kinds = {item.kind for item in media}
    if not media:
        yield Violation("media_missing", "/media", "A pin needs an image or a video.")
    elif MediaKind.DOCUMENT in kinds:
        yield Violation("media_kind", "/media", "Pinterest takes images and videos, no documents.")
    elif MediaKind.VIDEO in kinds and len(media) > 1:
        yield Violation("media_mixed", "/media", "A pin has one video and nothing beside it, or images.")
    elif len(media) > limits.SLIDES_MAX:
        yield Violation("media_too_many", "/media", f"A carousel has at most {limits.SLIDES_MAX} images.")
    for position, item in enumerate(media):
        match item.kind:
            case MediaKind.VIDEO:
                yield from _video(item)
            case MediaKind.IMAGE:
                yield from _image(item, position)
    yield from _shapes(media)
    if media and len(media[0].alt_text) > limits.ALT_TEXT_MAX:
        yield Violation("alt_text_too_long", "/media/0", f"The alternative text has more than {limits.ALT_TEXT_MAX}.")


def _image(image: Media, position: int) -> Iterator[Violation]:
    pointer = f"/media/{position}"
    if image.content_type not in limits.IMAGE_TYPES:
        yield Violation("format", pointer, f"Pinterest takes JPEG and PNG; this is {image.content_type}.")
    if not 0 < image.size_bytes <= limits.IMAGE_BYTES_MAX:
        yield Violation("size", pointer, f"The image has {image.size_bytes} bytes; Pinterest takes up to 20 MB.")


def _video(video: Media) -> Iterator[Violation]:
    pointer = "/media/0"
    if video.content_type not in limits.VIDEO_TYPES:
        yield Violation("format", pointer, f"Pinterest takes MP4, MOV and M4V; this is {video.content_type}.")
    if not 0 < video.size_bytes <= limits.VIDEO_BYTES_MAX:
        yield Violation("size", pointer, f"The video has {video.size_bytes} bytes; Pinterest takes up to 2 GB.")
    if video.duration_seconds is None:
        yield Violation("duration_unknown", pointer, "The length of this video is not known.")
    elif not limits.VIDEO_SECONDS_MIN <= video.duration_seconds <= limits.VIDEO_SECONDS_MAX:
        detail = f"The video runs {video.duration_seconds:g} s; Pinterest takes 4 s to 15 minutes."
        yield Violation("duration", pointer, detail)


def _shapes(media: Sequence[Media]) -> Iterator[Violation]:
    if len(media) < limits.SLIDES_MIN or any(item.kind is not MediaKind.IMAGE for item in media):
        return
    ratios = [item.width / max(item.height, 1) for item in media]
    for position, ratio in enumerate(ratios[1:], 1):
        if abs(ratio - ratios[0]) > _RATIO_DIFFERENCE_MAX:
            detail = "Every image of a carousel must have the shape of the first."
            yield Violation("ratio", f"/media/{position}", detail)


def _settings(settings: PinterestSettings, media: Sequence[Media]) -> Iterator[Violation]:
    if settings.slides and len(settings.slides) != len(media):
        yield Violation("slides", "/settings/slides", "Give every image of the carousel its texts, or none.")
    seconds = media[0].duration_seconds if media else None
    if seconds is not None and settings.cover_second > seconds:
        yield Violation("cover_outside", "/settings/cover_second", "The cover frame lies behind the video's end.")
