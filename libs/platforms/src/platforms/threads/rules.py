"""What Threads would refuse, found before anything is scheduled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from platforms.parts import THREAD_PARTS_MAX, misplaced_media
from platforms.settings import mistakes_in
from platforms.shape import Media, MediaKind, Violation
from platforms.threads import limits
from platforms.threads.plan import Part, parts_of, settings_of
from platforms.threads.settings import ThreadsPoll, ThreadsSettings
from platforms.threads.text import links_in, threads_length


def check(*, text: str, media: Sequence[Media], settings: Mapping[str, Any]) -> list[Violation]:
    """Every rule the post would break."""
    mistakes = mistakes_in(settings, ThreadsSettings)
    if mistakes:
        return mistakes
    chosen = settings_of(settings)
    found = misplaced_media(chosen.thread, media)
    if found:
        return found
    parts = parts_of(text, media, chosen)
    for part in parts:
        found += _part(part, chosen)
    for position, item in enumerate(media):
        found += _file(item, f"/media/{position}")
    found += _settings(chosen, parts[0])
    return found


def _part(part: Part, settings: ThreadsSettings) -> Iterator[Violation]:
    length = threads_length(part.text)
    if not part.text.strip() and not part.media:
        yield Violation("text_missing", part.pointer, "A post on Threads needs a text, an image or a video.")
    if length > limits.TEXT_MAX:
        detail = f"The text has {length} characters as Threads counts them (an emoji is 3 or more); 500 fit."
        yield Violation("text_too_long", part.pointer, detail)
    links = links_in(part.text) | ({settings.link} if settings.link and not part.index else set())
    if len(links) > limits.LINKS_MAX:
        detail = f"The post has {len(links)} different links; Threads takes {limits.LINKS_MAX}."
        yield Violation("links_too_many", part.pointer, detail)
    if len(part.media) > limits.CAROUSEL_MAX:
        pointer = "/media" if part.index == 0 else part.pointer.removesuffix("/text") + "/media"
        yield Violation("media_too_many", pointer, f"Threads takes at most {limits.CAROUSEL_MAX} files in a post.")


def _file(item: Media, pointer: str) -> Iterator[Violation]:
    if len(item.alt_text) > limits.ALT_TEXT_MAX:
        detail = f"The description has {len(item.alt_text)} characters; {limits.ALT_TEXT_MAX} fit."
        yield Violation("alt_text_too_long", f"{pointer}/alt_text", detail)
    match item.kind:
        case MediaKind.VIDEO:
            yield from _video(item, pointer)
        case MediaKind.IMAGE:
            yield from _image(item, pointer)
        case _:
            yield Violation("format", pointer, "Threads takes images and videos, no documents.")


def _image(image: Media, pointer: str) -> Iterator[Violation]:
    if image.content_type not in limits.IMAGE_TYPES:
        yield Violation("format", pointer, f"Threads takes JPEG and PNG; this is {image.content_type}.")
    if not 0 < image.size_bytes <= limits.IMAGE_BYTES_MAX:
        yield Violation("size", pointer, f"The image has {image.size_bytes} bytes; Threads takes up to 8 MB.")
    if not limits.RATIO_MIN <= _ratio(image) <= limits.RATIO_MAX:
        yield Violation("ratio", pointer, "Threads takes images from 1:10 to 10:1.")


def _video(video: Media, pointer: str) -> Iterator[Violation]:
    if video.content_type not in limits.VIDEO_TYPES:
        yield Violation("format", pointer, f"Threads takes MP4 and MOV; this is {video.content_type}.")
    if not 0 < video.size_bytes <= limits.VIDEO_BYTES_MAX:
        yield Violation("size", pointer, f"The video has {video.size_bytes} bytes; Threads takes up to 1 GB.")
    if video.duration_seconds is None:
        yield Violation("duration_unknown", pointer, "The length of this video is not known.")
    elif not 0 < video.duration_seconds <= limits.VIDEO_SECONDS_MAX:
        detail = f"The video runs {video.duration_seconds:g} s; Threads takes up to 300 s."
        yield Violation("duration", pointer, detail)
    if video.width > limits.VIDEO_WIDTH_MAX:
        yield Violation("picture_size", pointer, f"The video is {video.width} pixels wide; Threads takes up to 1920.")
    if not limits.VIDEO_RATIO_MIN <= _ratio(video) <= limits.RATIO_MAX:
        yield Violation("ratio", pointer, "Threads takes videos from 1:100 to 10:1.")


def _ratio(item: Media) -> float:
    return item.width / max(item.height, 1)


def _settings(settings: ThreadsSettings, first: Part) -> Iterator[Violation]:
    if len(settings.thread) > THREAD_PARTS_MAX:
        detail = f"A thread has at most {THREAD_PARTS_MAX} further posts."
        yield Violation("thread_too_long", "/settings/thread", detail)
    if settings.link:
        yield from _link(settings.link, first)
    if settings.poll:
        yield from _poll(settings.poll, settings, first)


def _link(link: str, first: Part) -> Iterator[Violation]:
    pointer = "/settings/link"
    if not _is_address(link):
        yield Violation("link_invalid", pointer, "The link must be a web address, such as https://example.com.")
    if first.media:
        yield Violation("link_beside_media", pointer, "Threads shows a link's card only below a text without media.")


def _poll(poll: ThreadsPoll, settings: ThreadsSettings, first: Part) -> Iterator[Violation]:
    if first.media or settings.link:
        yield Violation(
            "poll_beside_others", "/settings/poll", "A poll stands only below a text, without media or link."
        )
    if not limits.POLL_OPTIONS_MIN <= len(poll.options) <= limits.POLL_OPTIONS_MAX:
        yield Violation("poll_options", "/settings/poll/options", "A poll on Threads has 2 to 4 answers.")
    for number, option in enumerate(poll.options):
        if not option.strip() or len(option) > limits.POLL_OPTION_MAX:
            pointer = f"/settings/poll/options/{number}"
            yield Violation("poll_option", pointer, f"An answer has 1 to 25 characters; this has {len(option)}.")


def _is_address(link: str) -> bool:
    try:
        parts = urlsplit(link)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not any(map(str.isspace, link))
