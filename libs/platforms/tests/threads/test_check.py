"""What Threads would refuse is told before anything is scheduled, and how long it takes a text to be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jsonschema
import pytest
from platforms.limits import ContentKind, TextUnit
from platforms.shape import Media, MediaKind
from platforms.threads.limits import KINDS, LIMITS
from platforms.threads.platform import THREADS
from platforms.threads.rules import check
from platforms.threads.text import comparable, links_in, threads_length
from sandbox.threads.asked import length_of

PLATFORM = THREADS.place(None).platform
POLL = {"options": ["Red", "Green"]}


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", 0),
        ("a" * 500, 500),
        ("für 漢字", 6),
        ("line\nbreak", 10),
        ("e\u0301", 2),
        ("© 2026", 6),
        ("🚪", 4),
        ("👍🏽", 8),
        ("❤️", 6),
        ("🇩🇪", 8),
        ("1️⃣", 7),
        ("👨‍👩‍👧‍👦", 25),
        ("Fresh paint 🚪!", 17),
    ],
)
def test_emojis_count_as_their_bytes(text: str, length: int):
    assert threads_length(text) == PLATFORM.length(text) == length
    # The sandbox counts by itself.
    assert length_of(text) == length


def test_links_are_counted_once_each():
    text = "See https://a.example/x, (http://b.example) www.c.example. https://a.example/x example.org"
    assert links_in(text) == {"https://a.example/x", "http://b.example", "www.c.example"}


def test_texts_are_compared_without_what_threads_changes():
    assert comparable("Fresh  paint #door\n") == comparable("Fresh paint door")
    assert comparable("Fresh paint") != comparable("Fresh paints")


TEXTS: list[tuple[str, str, Mapping[str, Any], set[tuple[str, str]]]] = [
    ("fine", "x" * 500, {}, set()),
    ("long", "x" * 501, {}, {("text_too_long", "/text")}),
    ("emojis", "🚪" * 126, {}, {("text_too_long", "/text")}),
    ("emojis_fit", "🚪" * 125, {}, set()),
    ("empty", " ", {}, {("text_missing", "/text")}),
    ("five_links", " ".join(f"https://{n}.example" for n in range(5)), {}, set()),
    ("six_links", " ".join(f"https://{n}.example" for n in range(6)), {}, {("links_too_many", "/text")}),
    (
        "a_sixth_link_attached",
        " ".join(f"https://{n}.example" for n in range(5)),
        {"link": "https://x.example"},
        {("links_too_many", "/text")},
    ),
    (
        "the_same_link_attached",
        " ".join(f"https://{n}.example" for n in range(5)),
        {"link": "https://0.example"},
        set(),
    ),
    ("bad_link", "x", {"link": "ftp://x"}, {("link_invalid", "/settings/link")}),
    ("no_host", "x", {"link": "https://[x"}, {("link_invalid", "/settings/link")}),
    ("thread", "x", {"thread": [{"text": "y" * 501}]}, {("text_too_long", "/settings/thread/0/text")}),
    ("empty_part", "x", {"thread": [{"text": "y"}, {"text": ""}]}, {("text_missing", "/settings/thread/1/text")}),
    ("endless", "x", {"thread": [{"text": "y"}] * 51}, {("thread_too_long", "/settings/thread")}),
    ("first_comment", "x", {"first_comment": "y" * 501}, {("text_too_long", "/settings/first_comment")}),
    ("no_file", "x", {"thread": [{"text": "y", "media": [0]}]}, {("media_unknown", "/settings/thread/0/media")}),
    ("poll", "x", {"poll": POLL}, set()),
    ("poll_and_link", "x", {"poll": POLL, "link": "https://x.example"}, {("poll_beside_others", "/settings/poll")}),
    ("one_answer", "x", {"poll": {"options": ["a"]}}, {("poll_options", "/settings/poll/options")}),
    ("five_answers", "x", {"poll": {"options": list("abcde")}}, {("poll_options", "/settings/poll/options")}),
    (
        "bad_answers",
        "x",
        {"poll": {"options": ["a" * 26, " ", "fine"]}},
        {("poll_option", "/settings/poll/options/0"), ("poll_option", "/settings/poll/options/1")},
    ),
    ("tag", "x", {"topic_tag": "wet paint"}, set()),
    ("long_tag", "x", {"topic_tag": "t" * 51}, {("setting_invalid", "/settings/topic_tag")}),
    ("tag_with_dot", "x", {"topic_tag": "v1.0"}, {("setting_invalid", "/settings/topic_tag")}),
    ("tag_with_and", "x", {"topic_tag": "a&b"}, {("setting_invalid", "/settings/topic_tag")}),
    ("empty_tag", "x", {"topic_tag": ""}, {("setting_invalid", "/settings/topic_tag")}),
    ("repliers", "x", {"reply_control": "nobody"}, {("setting_invalid", "/settings/reply_control")}),
    ("quote", "x", {"quote_post_id": "1/../2"}, {("setting_invalid", "/settings/quote_post_id")}),
    ("unknown", "x", {"colour": "red"}, {("setting_unknown", "/settings/colour")}),
    ("poll_minutes", "x", {"poll": POLL | {"minutes": 5}}, {("setting_invalid", "/settings/poll")}),
]


@pytest.mark.parametrize(("text", "settings", "broken"), [row[1:] for row in TEXTS], ids=[row[0] for row in TEXTS])
def test_every_rule_of_texts_and_settings(text: str, settings: Mapping[str, Any], broken: set[tuple[str, str]]):
    found = check(text=text, media=(), settings=settings)
    assert {(violation.code, violation.pointer) for violation in found} == broken
    assert all(violation.detail.endswith(".") for violation in found)


IMAGE, VIDEO = MediaKind.IMAGE, MediaKind.VIDEO
FILES: list[tuple[MediaKind, Mapping[str, Any], tuple[str, ...]]] = [
    (IMAGE, {}, ()),
    (IMAGE, {"content_type": "image/png", "size_bytes": 8_000_000}, ()),
    (IMAGE, {"content_type": "image/webp"}, ("format",)),
    (IMAGE, {"size_bytes": 8_000_001}, ("size",)),
    (IMAGE, {"size_bytes": 0}, ("size",)),
    (IMAGE, {"width": 1000, "height": 99}, ("ratio",)),
    (IMAGE, {"width": 99, "height": 1000}, ("ratio",)),
    (IMAGE, {"width": 4000, "height": 4000}, ()),
    (IMAGE, {"alt_text": "x" * 1001}, ("alt_text_too_long",)),
    (VIDEO, {"duration_seconds": 300.0, "size_bytes": 1_000_000_000, "width": 1920}, ()),
    (VIDEO, {"content_type": "video/quicktime"}, ()),
    (VIDEO, {"content_type": "video/webm"}, ("format",)),
    (VIDEO, {"size_bytes": 1_000_000_001}, ("size",)),
    (VIDEO, {"duration_seconds": 300.5}, ("duration",)),
    (VIDEO, {"duration_seconds": 0.0}, ("duration",)),
    (VIDEO, {"duration_seconds": None}, ("duration_unknown",)),
    (VIDEO, {"width": 1921}, ("picture_size",)),
    (VIDEO, {"width": 1000, "height": 99}, ("ratio",)),
    (MediaKind.DOCUMENT, {"content_type": "application/pdf"}, ("format",)),
]


@pytest.mark.parametrize(("kind", "fields", "broken"), FILES)
def test_every_rule_of_files(
    kind: MediaKind, fields: Mapping[str, Any], broken: tuple[str, ...], make_media: Callable[..., Media]
):
    found = check(text="", media=[make_media(kind, 1000, **fields)], settings={})
    assert tuple(violation.code for violation in found) == broken
    assert all(violation.pointer.startswith("/media/0") for violation in found)


def test_twenty_files_fit_into_a_post(make_media: Callable[..., Media]):
    one = make_media(IMAGE, 1000)
    thread = {"thread": [{"media": list(range(21))}]}
    assert check(text="", media=[one] * 20, settings={}) == []
    assert [each.pointer for each in check(text="", media=[one] * 21, settings={})] == ["/media"]
    pointers = [each.pointer for each in check(text="x", media=[one] * 21, settings=thread)]
    assert pointers == ["/settings/thread/0/media"]


def test_a_card_or_poll_stands_below_text_alone(make_media: Callable[..., Media]):
    one = make_media(IMAGE, 1000)
    for settings, code in (
        ({"link": "https://x.example"}, "link_beside_media"),
        ({"poll": POLL}, "poll_beside_others"),
    ):
        assert [each.code for each in check(text="x", media=[one], settings=settings)] == [code]
        # Media of a later post do not stand beside them.
        assert check(text="x", media=[one], settings=settings | {"thread": [{"media": [0]}]}) == []


def test_the_form_offers_every_setting_and_takes_what_is_right():
    schema = PLATFORM.settings_schema()
    settings = {"thread": [{"text": "Two", "media": [0]}], "poll": POLL, "topic_tag": "paint", "approve_replies": True}
    jsonschema.validate(settings, schema)
    assert all("title" in field for field in schema["properties"].values())
    assert not any("default" in field and field["default"] for field in schema["properties"].values())


def test_the_numbers_are_data():
    assert (LIMITS.api_version, LIMITS.sunset, LIMITS.text.maximum) == ("v1.0", None, 500)
    assert LIMITS.text.unit is TextUnit.EMOJI_BYTES
    assert {(rate.what, rate.maximum) for rate in LIMITS.rates[:2]} == {("posts", 250), ("replies", 1000)}
    assert {ContentKind.THREAD, ContentKind.POLL, ContentKind.LINK, ContentKind.CAROUSEL} <= KINDS
