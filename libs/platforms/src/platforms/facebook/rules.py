"""What Facebook would refuse, found before anything is scheduled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec

from platforms.counting import utf16_units
from platforms.facebook import limits
from platforms.facebook.settings import FacebookSettings
from platforms.settings import mistakes_in
from platforms.shape import Media, MediaKind, Violation


def check(*, text: str, media: Sequence[Media], settings: Mapping[str, Any]) -> list[Violation]:
    """Every rule the post would break."""
    mistakes = mistakes_in(settings, FacebookSettings)
    chosen = FacebookSettings() if mistakes else msgspec.convert(dict(settings), FacebookSettings)
    found = [*mistakes, *_lengths(text, chosen)]
    match chosen.kind:
        case "post":
            found += [*_post(text, media, chosen), *_link(chosen, media)]
        case "reel":
            found += [*_reel(media), *_nothing_beside(chosen, "link")]
        case "story":
            found += [*_story(text, media), *_nothing_beside(chosen, "link", "title", "first_comment")]
    return found


def _lengths(text: str, settings: FacebookSettings) -> Iterator[Violation]:
    for pointer, value, longest in (
        ("/text", text, limits.MESSAGE_MAX),
        ("/settings/title", settings.title, limits.TITLE_MAX),
        ("/settings/first_comment", settings.first_comment, limits.COMMENT_MAX),
    ):
        units = utf16_units(value)
        if units > longest:
            yield Violation("text_too_long", pointer, f"This has {units} characters; {longest} fit.")


def _post(text: str, media: Sequence[Media], settings: FacebookSettings) -> Iterator[Violation]:
    videos = sum(item.kind is MediaKind.VIDEO for item in media)
    if not media and not text.strip() and not settings.link:
        yield Violation("empty", "/text", "A post needs a text, a link, images or a video.")
    if videos and len(media) > 1:
        yield Violation("media_mixed", "/media", "A post takes images or one video, not both.")
    elif len(media) > limits.IMAGES_MAX:
        yield Violation("media_too_many", "/media", f"A post takes at most {limits.IMAGES_MAX} images.")
    for position, item in enumerate(media):
        if item.kind is MediaKind.VIDEO:
            yield from _video(position, item, limits.VIDEO_TYPES, 0.0, limits.VIDEO_SECONDS_MAX)
        else:
            yield from _image(position, item)
    if settings.title and not videos:
        yield Violation("title_without_video", "/settings/title", "Only a video or reel has a title.")


def _link(settings: FacebookSettings, media: Sequence[Media]) -> Iterator[Violation]:
    if not settings.link:
        return
    if media:
        yield Violation("link_beside_media", "/settings/link", "A link card cannot stand beside images or a video.")
    try:
        parts = urlsplit(settings.link)
        whole = parts.scheme in ("http", "https") and bool(parts.hostname) and not any(map(str.isspace, settings.link))
    except ValueError:
        whole = False
    if not whole:
        yield Violation("link_invalid", "/settings/link", "A link is a whole address that begins with https://.")


def _reel(media: Sequence[Media]) -> Iterator[Violation]:
    if len(media) != 1 or media[0].kind is not MediaKind.VIDEO:
        yield Violation("reel_media", "/media", "A reel takes exactly one video.")
        return
    yield from _video(0, media[0], limits.VERTICAL_TYPES, limits.REEL_SECONDS_MIN, limits.REEL_SECONDS_MAX)
    yield from _upright(0, media[0])


def _story(text: str, media: Sequence[Media]) -> Iterator[Violation]:
    if text.strip():
        yield Violation("story_text", "/text", "A story has no text of its own; put it into the image or video.")
    if len(media) != 1 or media[0].kind is MediaKind.DOCUMENT:
        yield Violation("story_media", "/media", "A story takes exactly one image or video.")
    elif media[0].kind is MediaKind.IMAGE:
        yield from _image(0, media[0])
    else:
        yield from _video(0, media[0], limits.VERTICAL_TYPES, limits.REEL_SECONDS_MIN, limits.STORY_SECONDS_MAX)
        yield from _upright(0, media[0])


def _nothing_beside(settings: FacebookSettings, *names: str) -> Iterator[Violation]:
    for name in names:
        if getattr(settings, name):
            yield Violation("setting_not_taken", f"/settings/{name}", f"A {settings.kind} takes no “{name}”.")


def _image(position: int, image: Media) -> Iterator[Violation]:
    pointer = f"/media/{position}"
    if image.content_type not in limits.IMAGE_TYPES:
        detail = f"Facebook takes JPEG, PNG, GIF, BMP and TIFF; this is {image.content_type}."
        yield Violation("format", pointer, detail)
    if not 0 < image.size_bytes <= limits.IMAGE_BYTES_MAX:
        yield Violation("size", pointer, f"The file has {image.size_bytes} bytes; Facebook takes 1 byte to 10 MB.")


def _video(position: int, video: Media, types: Sequence[str], shortest: float, longest: float) -> Iterator[Violation]:
    pointer = f"/media/{position}"
    if video.content_type not in types:
        yield Violation("format", pointer, f"Facebook does not take {video.content_type} here; export it as MP4.")
    if not 0 < video.size_bytes <= limits.VIDEO_BYTES_MAX:
        yield Violation("size", pointer, f"The file has {video.size_bytes} bytes; Facebook takes 1 byte to 10 GB.")
    if video.duration_seconds is None:
        yield Violation("duration_unknown", pointer, "The length of this video is not known.")
    elif not shortest <= video.duration_seconds <= longest or video.duration_seconds <= 0:
        detail = f"The video runs {video.duration_seconds:g} s; Facebook takes {shortest:g} to {longest:g} s here."
        yield Violation("duration", pointer, detail)


def _upright(position: int, video: Media) -> Iterator[Violation]:
    pointer = f"/media/{position}"
    if video.width < limits.VERTICAL_WIDTH_MIN or video.height < limits.VERTICAL_HEIGHT_MIN:
        detail = f"The picture has {video.width} × {video.height} pixels; at least 540 × 960 are needed."
        yield Violation("picture_size", pointer, detail)
    ratio = video.width / max(video.height, 1)
    if abs(ratio - limits.VERTICAL_RATIO) > limits.VERTICAL_RATIO * limits.VERTICAL_RATIO_SLACK:
        yield Violation("ratio", pointer, "The picture must be upright, 9 to 16.")
