"""What YouTube would refuse, found before anything is scheduled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from platforms.counting import utf8_bytes
from platforms.settings import mistakes_in
from platforms.shape import Media, MediaKind, Violation
from platforms.youtube import limits
from platforms.youtube.settings import YouTubeSettings


def check(*, text: str, media: Sequence[Media], settings: Mapping[str, Any]) -> list[Violation]:
    """Every rule the post would break. What only this channel may not is asked when the post is staged."""
    found = [*_description(text), *_media(media)]
    mistakes = mistakes_in(settings, YouTubeSettings)
    found += mistakes
    if not mistakes:
        found += _settings(msgspec.convert(dict(settings), YouTubeSettings), media)
    return found


def is_short(video: Media) -> bool:
    """YouTube shows upright and square videos of up to three minutes as Shorts; nothing else asks for it."""
    seconds = video.duration_seconds
    return video.height >= video.width and seconds is not None and seconds <= limits.SHORT_SECONDS_MAX


def tags_length(tags: Sequence[str]) -> int:
    """YouTube joins tags with commas, and puts those that hold a space in quotes; both count."""
    return sum(len(tag) + (2 if " " in tag else 0) for tag in tags) + max(len(tags) - 1, 0)


def _description(text: str) -> Iterator[Violation]:
    size = utf8_bytes(text)
    if size > limits.DESCRIPTION_BYTES_MAX:
        detail = f"The description has {size} bytes; YouTube takes {limits.DESCRIPTION_BYTES_MAX}."
        yield Violation("text_too_long", "/text", detail)
    if "<" in text or ">" in text:
        yield Violation("angle_brackets", "/text", "YouTube takes no < or > in a description.")


def _media(media: Sequence[Media]) -> Iterator[Violation]:
    videos = [(index, item) for index, item in enumerate(media) if item.kind is MediaKind.VIDEO]
    images = [(index, item) for index, item in enumerate(media) if item.kind is MediaKind.IMAGE]
    if len(videos) != 1:
        yield Violation("video_count", "/media", f"YouTube takes exactly one video in a post; this has {len(videos)}.")
    if len(images) > 1:
        yield Violation("media_too_many", "/media", "YouTube takes one image in a post: the video's thumbnail.")
    for index, item in enumerate(media):
        if item.kind is MediaKind.DOCUMENT:
            yield Violation("media_kind", f"/media/{index}", "YouTube takes no documents.")
    for index, video in videos:
        yield from _video(video, f"/media/{index}")
    for index, image in images:
        yield from _thumbnail(image, f"/media/{index}")


def _video(video: Media, pointer: str) -> Iterator[Violation]:
    if video.content_type not in limits.VIDEO_TYPES:
        yield Violation("format", pointer, f"YouTube takes MP4, MOV, WebM and the like; this is {video.content_type}.")
    if not 0 < video.size_bytes <= limits.VIDEO_BYTES_MAX:
        yield Violation("size", pointer, f"The file has {video.size_bytes} bytes; YouTube takes 1 byte to 256 GiB.")
    if video.duration_seconds is None:
        yield Violation("duration_unknown", pointer, "The length of this video is not known.")
    elif not 0 < video.duration_seconds <= limits.VIDEO_SECONDS_MAX:
        yield Violation("duration", pointer, f"The video runs {video.duration_seconds:g} s; YouTube takes up to 12 h.")


def _thumbnail(image: Media, pointer: str) -> Iterator[Violation]:
    if image.content_type not in limits.THUMBNAIL_TYPES:
        yield Violation("format", pointer, f"A thumbnail is a JPEG or PNG; this is {image.content_type}.")
    if not 0 < image.size_bytes <= limits.THUMBNAIL_BYTES_MAX:
        yield Violation("size", pointer, f"The thumbnail has {image.size_bytes} bytes; YouTube takes up to 2 MB.")


def _settings(settings: YouTubeSettings, media: Sequence[Media]) -> Iterator[Violation]:
    if not settings.title.strip():
        yield Violation("title_empty", "/settings/title", "Give the video a title.")
    if "<" in settings.title or ">" in settings.title:
        yield Violation("angle_brackets", "/settings/title", "YouTube takes no < or > in a title.")
    yield from _tags(settings.tags)
    if settings.first_comment and settings.made_for_kids:
        detail = "Videos made for children have no comments, so there can be no first one."
        yield Violation("comments_off", "/settings/first_comment", detail)
    if settings.first_comment and settings.visibility == "private":
        detail = "A private video takes no comments. Show it, or leave the comment out."
        yield Violation("comments_off", "/settings/first_comment", detail)
    for video in (item for item in media if item.kind is MediaKind.VIDEO):
        yield from _kind(settings, video)


def _tags(tags: Sequence[str]) -> Iterator[Violation]:
    length = tags_length(tags)
    if length > limits.TAGS_CHARACTERS_MAX:
        detail = f"The tags have {length} characters as YouTube counts them; {limits.TAGS_CHARACTERS_MAX} fit."
        yield Violation("tags_too_long", "/settings/tags", detail)
    for index, tag in enumerate(tags):
        if not tag.strip() or set(tag) & set('<>,"'):
            detail = "A tag is not empty and holds none of < > , and quotes."
            yield Violation("tag_invalid", f"/settings/tags/{index}", detail)


def _kind(settings: YouTubeSettings, video: Media) -> Iterator[Violation]:
    if settings.kind == "short" and not is_short(video):
        detail = "A Short is upright or square and runs at most three minutes; this video would not be one."
        yield Violation("not_a_short", "/settings/kind", detail)
    if settings.kind == "video" and is_short(video):
        detail = "YouTube shows every upright or square video of up to three minutes as a Short."
        yield Violation("is_a_short", "/settings/kind", detail)
