"""What Instagram would refuse, found before anything is scheduled."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from platforms.counting import utf16_units
from platforms.errors import Rejected
from platforms.instagram import limits
from platforms.instagram.settings import InstagramSettings
from platforms.settings import mistakes_in
from platforms.shape import Delivery, Media, MediaKind, Violation

_HASHTAG = re.compile(r"(?<![\w&])#\w+")
_MENTION = re.compile(r"(?<![\w@])@[A-Za-z0-9._]+")


def check(*, text: str, media: Sequence[Media], settings: Mapping[str, Any]) -> list[Violation]:
    """Every rule the post would break. How many posts the account has left is asked for when it is staged."""
    mistakes = mistakes_in(settings, InstagramSettings)
    chosen = InstagramSettings() if mistakes else msgspec.convert(dict(settings), InstagramSettings)
    shown = shown_media(media, chosen)
    found = [*mistakes, *_texts(text, chosen), *_cover(media, shown, chosen), *_tags(media, shown, chosen)]
    match chosen.kind:
        case "post":
            found += _post(shown)
        case "reel":
            found += _reel(shown)
        case "story":
            found += [*_story(shown), *_not_on_stories(text, chosen)]
    return found


def prepared(delivery: Delivery) -> InstagramSettings:
    """The typed settings of a delivery. Raises `Rejected` with the first rule it breaks."""
    broken = check(text=delivery.text, media=delivery.media, settings=delivery.settings)
    if broken:
        raise Rejected(broken[0].code, broken[0].detail, advice="Change the post and have it approved again.")
    return msgspec.convert(dict(delivery.settings), InstagramSettings)


def shown_media(media: Sequence[Media], settings: InstagramSettings) -> list[tuple[int, Media]]:
    """What the post shows, with the positions: all but a reel's cover."""
    return [(position, item) for position, item in enumerate(media) if position != settings.cover_media]


def _texts(text: str, settings: InstagramSettings) -> Iterator[Violation]:
    for pointer, value, longest in (
        ("/text", text, limits.CAPTION_MAX),
        ("/settings/first_comment", settings.first_comment, limits.COMMENT_MAX),
    ):
        units = utf16_units(value)
        if units > longest:
            yield Violation("text_too_long", pointer, f"This has {units} characters; {longest} fit.")
    hashtags, mentions = len(_HASHTAG.findall(text)), len(_MENTION.findall(text))
    if hashtags > limits.HASHTAGS_MAX:
        detail = f"The caption has {hashtags} hashtags; Instagram takes {limits.HASHTAGS_MAX}."
        yield Violation("hashtags_too_many", "/text", detail)
    if mentions > limits.MENTIONS_MAX:
        detail = f"The caption mentions {mentions} accounts; Instagram takes {limits.MENTIONS_MAX}."
        yield Violation("mentions_too_many", "/text", detail)
    if settings.first_comment and not settings.first_comment.strip():
        yield Violation("comment_empty", "/settings/first_comment", "A comment needs words.")


def _post(shown: Sequence[tuple[int, Media]]) -> Iterator[Violation]:
    if not shown:
        yield Violation("media_missing", "/media", "Instagram takes no post without an image or video.")
    elif len(shown) > limits.CAROUSEL_MAX:
        detail = f"A carousel takes at most {limits.CAROUSEL_MAX} images and videos."
        yield Violation("media_too_many", "/media", detail)
    elif len(shown) == 1 and shown[0][1].kind is MediaKind.VIDEO:
        yield from _reel(shown)
    else:
        for position, item in shown:
            yield from _feed_image(position, item) if item.kind is MediaKind.IMAGE else _short_video(position, item)


def _reel(shown: Sequence[tuple[int, Media]]) -> Iterator[Violation]:
    if len(shown) != 1 or shown[0][1].kind is not MediaKind.VIDEO:
        yield Violation("reel_media", "/media", "A reel takes exactly one video, and one image more as its cover.")
        return
    position, video = shown[0]
    yield from _video(position, video, limits.REEL_SECONDS_MAX, limits.REEL_BYTES_MAX)


def _story(shown: Sequence[tuple[int, Media]]) -> Iterator[Violation]:
    if len(shown) != 1:
        yield Violation("story_media", "/media", "A story takes exactly one image or video.")
        return
    position, item = shown[0]
    yield from _image(position, item) if item.kind is MediaKind.IMAGE else _short_video(position, item)


def _not_on_stories(text: str, settings: InstagramSettings) -> Iterator[Violation]:
    if text.strip():
        yield Violation("story_text", "/text", "A story has no text of its own; put it into the image or video.")
    for name in ("collaborators", "location_id", "first_comment"):
        if getattr(settings, name):
            yield Violation("setting_not_taken", f"/settings/{name}", f"A story takes no “{name}”.")


def _cover(
    media: Sequence[Media], shown: Sequence[tuple[int, Media]], settings: InstagramSettings
) -> Iterator[Violation]:
    position, offset = settings.cover_media, settings.cover_offset_ms
    is_reel = settings.kind != "story" and len(shown) == 1 and shown[0][1].kind is MediaKind.VIDEO
    for name in ("cover_media", "cover_offset_ms"):
        if getattr(settings, name) is not None and not is_reel:
            yield Violation("cover_without_reel", f"/settings/{name}", "Only a reel has a cover.")
    if position is not None and position >= len(media):
        yield Violation("media_unknown", "/settings/cover_media", f"The post has no file number {position + 1}.")
    elif position is not None and is_reel:
        yield from _image(position, media[position])
    seconds = shown[0][1].duration_seconds if is_reel else None
    if offset is not None and seconds is not None and offset > seconds * 1000:
        detail = "The cover frame lies behind the video's end."
        yield Violation("cover_outside", "/settings/cover_offset_ms", detail)


def _tags(
    media: Sequence[Media], shown: Sequence[tuple[int, Media]], settings: InstagramSettings
) -> Iterator[Violation]:
    items = dict(shown)
    for index, tag in enumerate(settings.user_tags):
        pointer = f"/settings/user_tags/{index}"
        item = items.get(tag.media)
        if item is None:
            yield Violation("media_unknown", f"{pointer}/media", f"The post shows no file number {tag.media + 1}.")
        elif item.kind is MediaKind.VIDEO and (tag.x is not None or tag.y is not None):
            yield Violation("tag_place", pointer, "On a video people are tagged without a place.")
        elif item.kind is MediaKind.IMAGE and settings.kind != "story" and (tag.x is None or tag.y is None):
            yield Violation("tag_place", pointer, "On an image say where the person is: x and y.")
    for position in items:
        tags = sum(tag.media == position for tag in settings.user_tags)
        if tags > limits.TAGS_MAX:
            detail = f"File number {position + 1} has {tags} tags; Instagram takes {limits.TAGS_MAX}."
            yield Violation("tags_too_many", "/settings/user_tags", detail)


def _feed_image(position: int, image: Media) -> Iterator[Violation]:
    yield from _image(position, image)
    ratio = image.width / max(image.height, 1)
    if not limits.IMAGE_RATIO_MIN - limits.RATIO_SLACK <= ratio <= limits.IMAGE_RATIO_MAX + limits.RATIO_SLACK:
        detail = f"The image is {image.width} × {image.height}; Instagram takes 4:5 (upright) to 1.91:1 (wide)."
        yield Violation("ratio", f"/media/{position}", detail)
    if utf16_units(image.alt_text) > limits.ALT_TEXT_MAX:
        detail = f"The description has more than {limits.ALT_TEXT_MAX} characters."
        yield Violation("alt_text_too_long", f"/media/{position}/alt_text", detail)


def _image(position: int, image: Media) -> Iterator[Violation]:
    pointer = f"/media/{position}"
    if image.kind is not MediaKind.IMAGE or image.content_type not in limits.IMAGE_TYPES:
        yield Violation("format", pointer, f"Instagram takes JPEG images only; this is {image.content_type}.")
    if not 0 < image.size_bytes <= limits.IMAGE_BYTES_MAX:
        yield Violation("size", pointer, f"The file has {image.size_bytes} bytes; Instagram takes 1 byte to 8 MB.")


def _short_video(position: int, video: Media) -> Iterator[Violation]:
    yield from _video(position, video, limits.SHORT_SECONDS_MAX, limits.SHORT_BYTES_MAX)


def _video(position: int, video: Media, longest: float, bytes_max: int) -> Iterator[Violation]:
    pointer = f"/media/{position}"
    if video.kind is not MediaKind.VIDEO or video.content_type not in limits.VIDEO_TYPES:
        yield Violation("format", pointer, f"Instagram takes MP4 and MOV; this is {video.content_type}.")
    if not 0 < video.size_bytes <= bytes_max:
        detail = f"The file has {video.size_bytes} bytes; Instagram takes 1 byte to {bytes_max // 1000**2} MB here."
        yield Violation("size", pointer, detail)
    if video.duration_seconds is None:
        yield Violation("duration_unknown", pointer, "The length of this video is not known.")
    elif not limits.VIDEO_SECONDS_MIN <= video.duration_seconds <= longest:
        detail = f"The video runs {video.duration_seconds:g} s; Instagram takes 3 to {longest:g} s here."
        yield Violation("duration", pointer, detail)
    if video.width > limits.VIDEO_WIDTH_MAX:
        detail = f"The picture is {video.width} pixels wide; Instagram takes {limits.VIDEO_WIDTH_MAX}."
        yield Violation("picture_size", pointer, detail)
    if not limits.VIDEO_RATIO_MIN <= video.width / max(video.height, 1) <= limits.VIDEO_RATIO_MAX:
        yield Violation("ratio", pointer, "The picture is far too tall or too wide.")
