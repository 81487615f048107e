"""What Bluesky would refuse, found before anything is scheduled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from platforms.bluesky import limits
from platforms.bluesky.posts import Part, is_moving, parts_of, settings_of
from platforms.bluesky.quoting import read_address
from platforms.bluesky.settings import BlueskySettings
from platforms.counting import graphemes, utf8_bytes
from platforms.parts import THREAD_PARTS_MAX, misplaced_media
from platforms.settings import mistakes_in
from platforms.shape import Media, MediaKind, Violation


def check(*, text: str, media: Sequence[Media], settings: Mapping[str, Any]) -> list[Violation]:
    """Every rule of the lexicons, the server and the video service that the post would break."""
    mistakes = mistakes_in(settings, BlueskySettings)
    chosen = BlueskySettings() if mistakes else settings_of(settings)
    mistakes += misplaced_media(chosen.thread, media)
    if mistakes:
        chosen = BlueskySettings()
    found = [violation for part in parts_of(text, media, chosen) for violation in _part(part, media, chosen)]
    return [*found, *_settings(chosen), *mistakes]


def _part(part: Part, media: Sequence[Media], settings: BlueskySettings) -> Iterator[Violation]:
    first = part.index == 0
    length, size = graphemes(part.text), utf8_bytes(part.text)
    if length > limits.TEXT_GRAPHEMES_MAX:
        detail = f"The text has {length} characters; Bluesky takes {limits.TEXT_GRAPHEMES_MAX}."
        yield Violation("text_too_long", part.pointer, detail)
    if size > limits.TEXT_BYTES_MAX:
        detail = f"The text has {size} bytes; Bluesky takes {limits.TEXT_BYTES_MAX}."
        yield Violation("text_too_large", part.pointer, detail)
    if not part.text.strip() and not part.media and not (first and (settings.link or settings.quote)):
        yield Violation("empty", part.pointer, "The post has neither text nor media.")
    pointer = "/media" if first else part.pointer.removesuffix("/text") + "/media"
    files = [(position, media[position]) for position in part.media]
    if first and settings.link:
        yield from _card_picture(files)
        return
    yield from _together([item for _, item in files], pointer)
    for position, item in files:
        yield from _file(item, f"/media/{position}")


def _together(media: Sequence[Media], pointer: str) -> Iterator[Violation]:
    """One video, one GIF, or images."""
    if len(media) > 1 and any(is_moving(item) for item in media):
        detail = "Bluesky takes one video, one GIF, or images, but not together. Among images a GIF would stand still."
        yield Violation("media_mixed", pointer, detail)
    elif len(media) > limits.GALLERY_MAX:
        yield Violation("media_too_many", pointer, f"Bluesky takes at most {limits.GALLERY_MAX} images in a post.")


def _card_picture(files: Sequence[tuple[int, Media]]) -> Iterator[Violation]:
    """A post shows a link card or files; the one image beside a link is the card's."""
    if len(files) > 1 or any(is_moving(item) or item.kind is not MediaKind.IMAGE for _, item in files):
        yield Violation("link_and_media", "/media", "A link card takes one image, as its picture, and nothing else.")
        return
    for position, item in files:
        yield from _type_and_size(item, f"/media/{position}", limits.IMAGE_TYPES, limits.THUMB_BYTES_MAX)


def _file(item: Media, pointer: str) -> Iterator[Violation]:
    if item.kind is MediaKind.DOCUMENT:
        yield Violation("format", pointer, "Bluesky takes images and videos, no documents.")
    elif is_moving(item):
        kinds = limits.VIDEO_TYPES if item.kind is MediaKind.VIDEO else (limits.GIF_TYPE,)
        yield from _type_and_size(item, pointer, kinds, limits.VIDEO_BYTES_MAX)
        if item.duration_seconds is not None and item.duration_seconds > limits.VIDEO_SECONDS_MAX:
            detail = f"The video runs {item.duration_seconds:g} s; Bluesky takes up to 600 s."
            yield Violation("duration", pointer, detail)
    else:
        yield from _type_and_size(item, pointer, limits.IMAGE_TYPES, limits.IMAGE_BYTES_MAX)
        if not item.alt_text.strip():
            detail = "Describe the image for people who cannot see it."
            yield Violation("alt_text_missing", f"{pointer}/alt_text", detail)


def _type_and_size(item: Media, pointer: str, kinds: Sequence[str], bytes_max: int) -> Iterator[Violation]:
    if item.content_type not in kinds:
        names = ", ".join(kind.partition("/")[2].upper() for kind in kinds)
        yield Violation("format", pointer, f"Bluesky takes {names} here; this is {item.content_type}.")
    if not 0 < item.size_bytes <= bytes_max:
        yield Violation("size", pointer, f"The file has {item.size_bytes} bytes; Bluesky takes 1 to {bytes_max}.")


def _settings(settings: BlueskySettings) -> Iterator[Violation]:
    if len(settings.thread) > THREAD_PARTS_MAX:
        detail = f"A thread has at most {THREAD_PARTS_MAX} further posts."
        yield Violation("thread_too_long", "/settings/thread", detail)
    for index, tag in enumerate(settings.tags):
        if not 0 < graphemes(tag) <= limits.TAG_GRAPHEMES_MAX or utf8_bytes(tag) > limits.TAG_BYTES_MAX or "#" in tag:
            detail = f"A hashtag has 1 to {limits.TAG_GRAPHEMES_MAX} characters and no #."
            yield Violation("tag", f"/settings/tags/{index}", detail)
    if settings.link and not _is_web_address(settings.link):
        yield Violation("link", "/settings/link", "Enter an address that begins with https://.")
    for name in ("link_title", "link_description"):
        if getattr(settings, name) and not settings.link:
            yield Violation("link_missing", f"/settings/{name}", "There is no link for this card.")
    if settings.quote and read_address(settings.quote) is None:
        yield Violation("quote", "/settings/quote", "Enter the address of a post, as bsky.app shows it.")
    if "nobody" in settings.replies and len(settings.replies) > 1:
        yield Violation("replies", "/settings/replies", "Choose nobody, or who can reply, but not both.")


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and text.isprintable() and " " not in text
