"""Every rule of X, told before anything is scheduled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from platforms.limits import ContentKind, TextUnit
from platforms.parts import THREAD_PARTS_MAX
from platforms.shape import Media, MediaKind
from platforms.x.limits import LIMITS
from platforms.x.platform import X
from platforms.x.rules import check
from platforms.x.text import weighted_length

POLL = {"options": ["yes", "no"], "minutes": 60}


def broken(text: str = "Hi", media: tuple[Media, ...] = (), **settings: Any) -> list[tuple[str, str]]:
    return [(item.code, item.pointer) for item in check(text=text, media=media, settings=settings)]


@pytest.mark.parametrize(
    ("text", "settings", "expected"),
    [
        ("a" * 280, {}, []),
        ("a" * 281, {}, [("text_too_long", "/text")]),
        ("花" * 141, {}, [("text_too_long", "/text")]),
        ("a" * 25_000, {"premium": True}, []),
        ("a" * 25_001, {"premium": True}, [("text_too_long", "/text")]),
        ("a" * 256, {"link": "https://example.com/" + "b" * 300}, []),
        ("a" * 257, {"link": "https://example.com/"}, [("text_too_long", "/text")]),
        ("", {}, [("text_missing", "/text")]),
        (" ", {"poll": POLL}, [("text_missing", "/text")]),
        ("a\ufeffb", {}, [("text_character", "/text")]),
        ("$ONE costs $5", {}, []),
        ("$ONE and $TWO", {}, [("cashtags", "/text")]),
        ("Hi", {"link": "example"}, [("link_invalid", "/settings/link")]),
        ("Hi", {"poll": POLL}, []),
        ("Hi", {"poll": POLL | {"options": list("abcde")}}, [("poll_options", "/settings/poll/options")]),
        ("Hi", {"poll": POLL | {"options": ["a", "b" * 26]}}, [("poll_option", "/settings/poll/options/1")]),
        ("Hi", {"poll": POLL | {"options": ["a", " "]}}, [("poll_option", "/settings/poll/options/1")]),
        ("Hi", {"poll": POLL | {"minutes": 4}}, [("poll_minutes", "/settings/poll/minutes")]),
        ("Hi", {"poll": POLL | {"minutes": 10_081}}, [("poll_minutes", "/settings/poll/minutes")]),
        ("Hi", {"poll": POLL, "quote_post_id": "1"}, [("attachments", "/settings/quote_post_id")]),
        ("Hi", {"share_with_followers": True}, [("community_missing", "/settings/share_with_followers")]),
        ("Hi", {"tagged_user_ids": ["1"]}, [("tags_without_image", "/settings/tagged_user_ids")]),
        ("Hi", {"first_comment": "a" * 281}, [("text_too_long", "/settings/first_comment")]),
        ("Hi", {"thread": [{"text": "a" * 281}]}, [("text_too_long", "/settings/thread/0/text")]),
        ("Hi", {"thread": [{}]}, [("text_missing", "/settings/thread/0/text")]),
        ("Hi", {"thread": [{"media": [0]}]}, [("media_unknown", "/settings/thread/0/media")]),
        ("Hi", {"thread": [{"text": "b"}] * (THREAD_PARTS_MAX + 1)}, [("thread_too_long", "/settings/thread")]),
        ("Hi", {"reply_settings": "nobody"}, [("setting_invalid", "/settings/reply_settings")]),
        ("Hi", {"quote_post_id": "abc"}, [("setting_invalid", "/settings/quote_post_id")]),
        ("Hi", {"tweet": 1}, [("setting_unknown", "/settings/tweet")]),
    ],
)
def test_what_is_refused_of_texts_and_settings(
    text: str, settings: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert broken(text, **settings) == expected


def test_what_is_refused_of_files(make_media: Callable[..., Media], image: Callable[..., Media]) -> None:
    video, gif = make_media(), image(content_type="image/gif", height=1080)
    assert broken("", (video,)) == broken("", (gif,)) == broken("", (image(),) * 4) == []
    assert broken("", (image(),) * 5) == [("media_too_many", "/media")]
    assert broken("", (image(), video)) == broken("", (gif, gif)) == [("media_mixed", "/media")]
    assert broken("", (image(),), poll=POLL) == [("attachments", "/settings/poll")]
    assert broken("", (image(alt_text="a" * 1001),)) == [("alt_text_too_long", "/media/0")]
    assert broken("", (image(content_type="image/tiff"),)) == [("format", "/media/0")]
    assert broken("", (make_media(MediaKind.DOCUMENT),)) == [("format", "/media/0")]
    assert broken("", (image(size_bytes=5_000_001),)) == [("size", "/media/0")]
    assert broken("", (image(content_type="image/gif", height=1080, size_bytes=15_000_001),)) == [("size", "/media/0")]
    assert broken("", (image(content_type="image/gif", height=1080, width=1281),)) == [("picture_size", "/media/0")]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"content_type": "video/webm"}, "format"),
        ({"size_bytes": 512_000_001}, "size"),
        ({"duration_seconds": None}, "duration_unknown"),
        ({"duration_seconds": 0.4}, "duration"),
        ({"duration_seconds": 141.0}, "duration"),
        ({"width": 31}, "picture_size"),
        ({"width": 1920, "height": 1201}, "picture_size"),
        ({"width": 300, "height": 1000}, "ratio"),
    ],
)
def test_what_is_refused_of_a_video(make_media: Callable[..., Media], fields: dict[str, Any], code: str) -> None:
    assert broken("", (make_media(**fields),)) == [(code, "/media/0")]
    # Premium lifts what is too much, nothing else.
    lifted = fields in ({"size_bytes": 512_000_001}, {"duration_seconds": 141.0})
    assert (broken("", (make_media(**fields),), premium=True) == []) is lifted


def test_a_file_belongs_to_one_post_of_the_thread(image: Callable[..., Media]) -> None:
    thread = [{"text": "b", "media": [1]}, {"text": "c", "media": [1]}]
    assert broken("a", (image(), image()), thread=thread) == [("media_twice", "/settings/thread/1/media")]


def test_the_form_offers_every_choice_without_references() -> None:
    platform = X.place(None).platform
    schema = platform.settings_schema()
    assert "$ref" not in str(schema)
    assert schema["properties"]["thread"]["items"]["properties"]["text"]["type"] == "string"
    assert platform.length("Hi http://test.co") == weighted_length("Hi http://test.co") == 26
    assert LIMITS.text.unit is TextUnit.WEIGHTED
    assert {ContentKind.THREAD, ContentKind.POLL, ContentKind.FIRST_COMMENT} <= platform.kinds
