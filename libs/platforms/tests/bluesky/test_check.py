"""What Bluesky would refuse is found before anything is scheduled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jsonschema
import pytest
from platforms.platform import Platform
from platforms.registry import register
from platforms.shape import Media, MediaKind, PlatformName

FAMILY = "👩‍👩‍👧‍👦"


@pytest.fixture
def bluesky() -> Platform:
    return register().platforms[PlatformName.BLUESKY]


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("x" * 300, []),
        ("x" * 301, ["text_too_long"]),
        (FAMILY * 100, []),
        (FAMILY * 121, ["text_too_large"]),
        (FAMILY * 301, ["text_too_long", "text_too_large"]),
        (" ", ["empty"]),
    ],
)
def test_text_is_counted_in_graphemes_and_in_bytes(bluesky: Platform, text: str, codes: list[str]) -> None:
    assert [violation.code for violation in bluesky.check(text=text, media=[], settings={})] == codes


@pytest.mark.parametrize(
    ("kind", "fields", "code", "pointer"),
    [
        (MediaKind.IMAGE, {"content_type": "image/tiff"}, "format", "/media/0"),
        (MediaKind.IMAGE, {"size_bytes": 2_000_001}, "size", "/media/0"),
        (MediaKind.IMAGE, {"size_bytes": 0}, "size", "/media/0"),
        (MediaKind.IMAGE, {"alt_text": " "}, "alt_text_missing", "/media/0/alt_text"),
        (MediaKind.VIDEO, {"content_type": "video/x-matroska"}, "format", "/media/0"),
        (MediaKind.VIDEO, {"size_bytes": 300_000_001}, "size", "/media/0"),
        (MediaKind.IMAGE, {"content_type": "image/gif", "size_bytes": 300_000_001}, "size", "/media/0"),
        (MediaKind.DOCUMENT, {"content_type": "application/pdf"}, "format", "/media/0"),
        (MediaKind.VIDEO, {"duration_seconds": 601.0}, "duration", "/media/0"),
    ],
)
def test_every_rule_of_a_file(
    bluesky: Platform,
    make_media: Callable[..., Media],
    kind: MediaKind,
    fields: dict[str, Any],
    code: str,
    pointer: str,
) -> None:
    found = bluesky.check(text="", media=[make_media(kind, 1000, **fields)], settings={})
    assert [(violation.code, violation.pointer) for violation in found] == [(code, pointer)]


@pytest.mark.parametrize(
    ("images", "videos", "codes"),
    [(10, 0, []), (11, 0, ["media_too_many"]), (0, 2, ["media_mixed"]), (1, 1, ["media_mixed"])],
)
def test_what_is_attached(
    bluesky: Platform, make_media: Callable[..., Media], images: int, videos: int, codes: list[str]
) -> None:
    media = [make_media(MediaKind.IMAGE, 10)] * images + [make_media(MediaKind.VIDEO, 10)] * videos
    assert [violation.code for violation in bluesky.check(text="", media=media, settings={})] == codes


def test_a_gif_moves_only_by_itself(bluesky: Platform, make_media: Callable[..., Media]) -> None:
    gif = make_media(MediaKind.IMAGE, 3_000_000, content_type="image/gif", alt_text="")
    image = make_media(MediaKind.IMAGE, 10)
    assert bluesky.check(text="", media=[gif], settings={}) == []
    assert [v.code for v in bluesky.check(text="", media=[gif, image], settings={})] == ["media_mixed"]


@pytest.mark.parametrize(
    ("settings", "pointer"),
    [
        ({"langs": ["de", "en", "fr", "it"]}, "/settings/langs"),
        ({"langs": ["German!"]}, "/settings/langs"),
        ({"labels": ["spicy"]}, "/settings/labels"),
        ({"other": 1}, "/settings/other"),
        ({"tags": ["x"] * 9}, "/settings/tags"),
        ({"tags": ["x", "#x"]}, "/settings/tags/1"),
        ({"tags": ["x" * 65]}, "/settings/tags/0"),
        ({"tags": [FAMILY * 26]}, "/settings/tags/0"),
        ({"tags": [""]}, "/settings/tags/0"),
        ({"thread": [{"text": "x" * 301}]}, "/settings/thread/0/text"),
        ({"thread": [{"text": "a"}, {"text": " "}]}, "/settings/thread/1/text"),
        ({"thread": [{"text": "a", "media": [0]}]}, "/settings/thread/0/media"),
        ({"thread": [{"text": "a"}] * 51}, "/settings/thread"),
        ({"first_comment": "x" * 301}, "/settings/first_comment"),
        ({"first_comment": " "}, "/settings/first_comment"),
        ({"link": "example.org"}, "/settings/link"),
        ({"link": "javascript:alert(1)"}, "/settings/link"),
        ({"link": "https://example.org/a b"}, "/settings/link"),
        ({"link": "https://[broken"}, "/settings/link"),
        ({"link_title": "A title"}, "/settings/link_title"),
        ({"link_description": "Words"}, "/settings/link_description"),
        ({"quote": "https://example.org/post/1"}, "/settings/quote"),
        ({"quote": "at://brand.test/app.bsky.feed.like/3jzfcijpj2z2a"}, "/settings/quote"),
        ({"replies": ["nobody", "followers"]}, "/settings/replies"),
        ({"replies": ["friends"]}, "/settings/replies"),
    ],
)
def test_every_rule_of_the_settings(bluesky: Platform, settings: dict[str, Any], pointer: str) -> None:
    (violation,) = bluesky.check(text="x", media=[], settings=settings)
    assert violation.pointer == pointer


@pytest.mark.parametrize(
    "settings",
    [
        {"link": "https://example.org/ü?q=1"},
        {"quote": "https://bsky.app/profile/brand.test/post/3jzfcijpj2z2a"},
        {"quote": "at://did:plc:bbslyu3mt4aa4wn455fijvck/app.bsky.feed.post/3jzfcijpj2z2a"},
    ],
)
def test_a_link_or_a_quote_may_stand_without_words(bluesky: Platform, settings: dict[str, Any]) -> None:
    assert bluesky.check(text="", media=[], settings=settings) == []


@pytest.mark.parametrize(
    ("media", "codes"),
    [
        ([{"size": 1_000_000}], []),
        ([{"size": 1_000_001}], ["size"]),
        ([{"size": 10}, {"size": 10}], ["link_and_media"]),
        ([{"size": 10, "kind": MediaKind.VIDEO}], ["link_and_media"]),
        ([{"size": 10, "content_type": "image/gif"}], ["link_and_media"]),
        ([{"size": 10, "content_type": "image/tiff"}], ["format"]),
    ],
)
def test_a_card_takes_one_small_picture(
    bluesky: Platform, make_media: Callable[..., Media], media: list[dict[str, Any]], codes: list[str]
) -> None:
    files = [make_media(**({"kind": MediaKind.IMAGE, "alt_text": ""} | fields)) for fields in media]
    found = bluesky.check(text="x", media=files, settings={"link": "https://example.org/"})
    assert [violation.code for violation in found] == codes


def test_the_files_of_each_post_of_a_thread_are_its_own(bluesky: Platform, make_media: Callable[..., Media]) -> None:
    image, video = make_media(MediaKind.IMAGE, 10), make_media(MediaKind.VIDEO, 10)
    thread = [{"text": "", "media": [1]}, {"text": "", "media": [2, 3]}]
    assert bluesky.check(text="", media=[image, video, image, image], settings={"thread": thread}) == []
    found = bluesky.check(text="", media=[image, video, image, video], settings={"thread": thread})
    assert [(violation.code, violation.pointer) for violation in found] == [("media_mixed", "/settings/thread/1/media")]


def test_the_schema_is_a_schema_and_nothing_is_required(bluesky: Platform) -> None:
    schema = bluesky.settings_schema()
    jsonschema.Draft202012Validator.check_schema(dict(schema))
    assert schema["required"] == []
