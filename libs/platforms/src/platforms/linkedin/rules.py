"""What LinkedIn would refuse, found before anything is scheduled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from platforms.counting import utf16_units
from platforms.linkedin import limits
from platforms.linkedin.settings import LinkedInSettings, settings_of
from platforms.linkedin.text import unmentioned
from platforms.parts import Poll
from platforms.settings import mistakes_in
from platforms.shape import Media, MediaKind, Violation


def check(*, text: str, media: Sequence[Media], settings: Mapping[str, Any]) -> list[Violation]:
    """Every rule the post would break. Whether its author is an organisation is looked at when it is staged."""
    length = utf16_units(text)
    found: list[Violation] = []
    if length > limits.TEXT_MAX:
        detail = f"The text has {length} characters; {limits.TEXT_MAX} fit."
        found.append(Violation("text_too_long", "/text", detail))
    for position, item in enumerate(media):
        found += _file(item, f"/media/{position}")
    mistakes = mistakes_in(settings, LinkedInSettings)
    if mistakes:
        return found + mistakes
    chosen = settings_of(settings)
    return [*found, *_together(text, media, chosen), *_link(chosen), *_poll(chosen), *_words(text, media, chosen)]


def _together(text: str, media: Sequence[Media], settings: LinkedInSettings) -> Iterator[Violation]:
    """A post has one content: files of one kind, a link or a poll."""
    kinds = {item.kind for item in media}
    if not text.strip() and not media and not settings.link and not settings.poll:
        yield Violation("text_missing", "/text", "Write a text, or add a file, a link or a poll.")
    if settings.poll and (media or settings.link):
        yield Violation("poll_alone", "/settings/poll", "A poll stands alone, without files and without a link.")
    elif settings.link and (kinds - {MediaKind.IMAGE} or len(media) > 1):
        yield Violation("link_media", "/settings/link", "Beside a link there is at most one image, its picture.")
    elif len(kinds) > 1:
        yield Violation("media_mixed", "/media", "A post has images, or one video, or one document.")
    elif len(media) > (limits.IMAGES_MAX if kinds == {MediaKind.IMAGE} else 1):
        detail = f"A post has up to {limits.IMAGES_MAX} images, or one video, or one document."
        yield Violation("media_too_many", "/media", detail)


def _link(settings: LinkedInSettings) -> Iterator[Violation]:
    if settings.link and not settings.link_title.strip():
        detail = "LinkedIn does not look at the link itself: give its title."
        yield Violation("link_title_missing", "/settings/link_title", detail)
    if not settings.link and (settings.link_title or settings.link_description):
        yield Violation("link_missing", "/settings/link", "A title or description of a link needs the link.")


def _poll(settings: LinkedInSettings) -> Iterator[Violation]:
    if settings.poll is None:
        if settings.poll_question:
            yield Violation("poll_missing", "/settings/poll", "A question needs its answers.")
        return
    if not settings.poll_question.strip():
        yield Violation("question_missing", "/settings/poll_question", "A poll on LinkedIn has its own question.")
    yield from _answers(settings.poll)
    if settings.poll.minutes not in limits.POLL_MINUTES:
        detail = "A poll is open for 1, 3, 7 or 14 days (1440, 4320, 10080 or 20160 minutes)."
        yield Violation("poll_minutes", "/settings/poll/minutes", detail)


def _answers(poll: Poll) -> Iterator[Violation]:
    if not limits.OPTIONS_MIN <= len(poll.options) <= limits.OPTIONS_MAX:
        yield Violation("poll_options", "/settings/poll/options", "A poll has two to four answers.")
    for position, option in enumerate(poll.options):
        if not option.strip() or utf16_units(option) > limits.OPTION_MAX:
            detail = f"An answer has 1 to {limits.OPTION_MAX} characters."
            yield Violation("poll_option", f"/settings/poll/options/{position}", detail)


def _words(text: str, media: Sequence[Media], settings: LinkedInSettings) -> Iterator[Violation]:
    titled = any(item.kind is not MediaKind.IMAGE for item in media)
    if any(item.kind is MediaKind.DOCUMENT for item in media) and not settings.title.strip():
        yield Violation("title_missing", "/settings/title", "A document needs a title.")
    if settings.title and not titled:
        yield Violation("title_unused", "/settings/title", "Only a video or a document has a title.")
    for name in unmentioned(text, settings.mentions):
        detail = f"The text must name “@{name}”, or nobody is mentioned."
        yield Violation("mention_missing", "/settings/mentions", detail)


def _file(item: Media, pointer: str) -> Iterator[Violation]:
    taken, smallest, largest = {
        MediaKind.IMAGE: (limits.IMAGE_TYPES, 1, limits.IMAGE_BYTES_MAX),
        MediaKind.VIDEO: (limits.VIDEO_TYPES, limits.VIDEO_BYTES_MIN, limits.VIDEO_BYTES_MAX),
        MediaKind.DOCUMENT: (limits.DOCUMENT_TYPES, 1, limits.DOCUMENT_BYTES_MAX),
    }[item.kind]
    if item.content_type not in taken:
        detail = f"LinkedIn takes no {item.content_type} as {item.kind.value}."
        yield Violation("format", pointer, detail)
    if not smallest <= item.size_bytes <= largest:
        detail = f"The file has {item.size_bytes} bytes; LinkedIn takes {smallest} to {largest}."
        yield Violation("size", pointer, detail)
    if item.kind is MediaKind.IMAGE:
        yield from _image(item, pointer)
    if item.kind is MediaKind.VIDEO:
        yield from _video(item, pointer)


def _image(image: Media, pointer: str) -> Iterator[Violation]:
    if image.width * image.height > limits.IMAGE_PIXELS_MAX:
        detail = f"The image has {image.width} × {image.height} pixels; fewer than 36 million fit."
        yield Violation("pixels", pointer, detail)
    if utf16_units(image.alt_text) > limits.ALT_TEXT_MAX:
        yield Violation("alt_text_too_long", pointer, f"An alternative text has up to {limits.ALT_TEXT_MAX}.")


def _video(video: Media, pointer: str) -> Iterator[Violation]:
    if video.duration_seconds is None:
        yield Violation("duration_unknown", pointer, "The length of this video is not known.")
    elif not limits.VIDEO_SECONDS_MIN <= video.duration_seconds <= limits.VIDEO_SECONDS_MAX:
        detail = f"The video runs {video.duration_seconds:g} s; LinkedIn takes 3 s to 30 minutes."
        yield Violation("duration", pointer, detail)
