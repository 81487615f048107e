"""What Bluesky would refuse, found before anything is scheduled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from platforms.bluesky import limits
from platforms.bluesky.settings import BlueskySettings
from platforms.bluesky.text import count_graphemes
from platforms.settings import mistakes_in
from platforms.shape import Media, MediaKind, Violation


def check(*, text: str, media: Sequence[Media], settings: Mapping[str, Any]) -> list[Violation]:
    """Every rule of the record's lexicon and of the server's blob limits that the post would break."""
    return [*_text(text, media), *_media(media), *mistakes_in(settings, BlueskySettings)]


def _text(text: str, media: Sequence[Media]) -> Iterator[Violation]:
    graphemes, size = count_graphemes(text), len(text.encode("utf-8", "surrogatepass"))
    if graphemes > limits.TEXT_GRAPHEMES_MAX:
        detail = f"The text has {graphemes} characters; Bluesky takes {limits.TEXT_GRAPHEMES_MAX}."
        yield Violation("text_too_long", "/text", detail)
    if size > limits.TEXT_BYTES_MAX:
        yield Violation("text_too_large", "/text", f"The text has {size} bytes; Bluesky takes {limits.TEXT_BYTES_MAX}.")
    if not text.strip() and not media:
        yield Violation("empty", "/text", "The post has neither text nor media.")


def _media(media: Sequence[Media]) -> Iterator[Violation]:
    videos = sum(item.kind is MediaKind.VIDEO for item in media)
    if videos and len(media) > 1:
        yield Violation("media_mixed", "/media", "Bluesky takes one video, or images, but not both.")
    if len(media) - videos > limits.IMAGES_MAX:
        yield Violation("media_too_many", "/media", f"Bluesky takes at most {limits.IMAGES_MAX} images.")
    for index, item in enumerate(media):
        yield from (_video if item.kind is MediaKind.VIDEO else _image)(item, f"/media/{index}")


def _image(image: Media, pointer: str) -> Iterator[Violation]:
    if image.content_type not in limits.IMAGE_TYPES:
        yield Violation("format", pointer, f"Bluesky shows JPEG, PNG, WebP and GIF; this is {image.content_type}.")
    if not 0 < image.size_bytes <= limits.IMAGE_BYTES_MAX:
        detail = f"The image has {image.size_bytes} bytes; Bluesky takes 1 to {limits.IMAGE_BYTES_MAX}."
        yield Violation("size", pointer, detail)
    if not image.alt_text.strip():
        yield Violation("alt_text_missing", f"{pointer}/alt_text", "Describe the image for people who cannot see it.")


def _video(video: Media, pointer: str) -> Iterator[Violation]:
    if video.content_type != limits.VIDEO_TYPE:
        yield Violation("format", pointer, f"Bluesky takes MP4 from here; this is {video.content_type}.")
    if not 0 < video.size_bytes <= limits.VIDEO_BYTES_MAX:
        yield Violation("size", pointer, f"The video has {video.size_bytes} bytes; up to 50 MiB can be sent.")
    if video.duration_seconds is not None and video.duration_seconds > limits.VIDEO_SECONDS_MAX:
        yield Violation("duration", pointer, f"The video runs {video.duration_seconds:g} s; Bluesky takes up to 600 s.")
