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
        (MediaKind.VIDEO, {"content_type": "video/webm"}, "format", "/media/0"),
        (MediaKind.VIDEO, {"size_bytes": 50 * 1024 * 1024 + 1}, "size", "/media/0"),
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
    [(4, 0, []), (5, 0, ["media_too_many"]), (0, 2, ["media_mixed"]), (1, 1, ["media_mixed"])],
)
def test_what_is_attached(
    bluesky: Platform, make_media: Callable[..., Media], images: int, videos: int, codes: list[str]
) -> None:
    media = [make_media(MediaKind.IMAGE, 10)] * images + [make_media(MediaKind.VIDEO, 10)] * videos
    assert [violation.code for violation in bluesky.check(text="", media=media, settings={})] == codes


@pytest.mark.parametrize(
    "settings", [{"langs": ["de", "en", "fr", "it"]}, {"langs": ["German!"]}, {"labels": ["spicy"]}, {"other": 1}]
)
def test_every_rule_of_the_settings(bluesky: Platform, settings: dict[str, Any]) -> None:
    (violation,) = bluesky.check(text="x", media=[], settings=settings)
    assert violation.pointer == f"/settings/{next(iter(settings))}"


def test_the_schema_is_a_schema_and_nothing_is_required(bluesky: Platform) -> None:
    schema = bluesky.settings_schema()
    jsonschema.Draft202012Validator.check_schema(dict(schema))
    assert schema["required"] == []
