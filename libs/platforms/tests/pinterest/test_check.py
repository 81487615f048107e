"""What Pinterest would refuse, found before anything is scheduled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from platforms.platform import Platform
from platforms.registry import register
from platforms.shape import Media, MediaKind, PlatformName

PINTEREST: Platform = register().platforms[PlatformName.PINTEREST]
SETTINGS = {"board_id": "1"}
IMAGE = MediaKind.IMAGE


def codes(media: list[Media], text: str = "", **settings: Any) -> list[tuple[str, str]]:
    found = PINTEREST.check(text=text, media=media, settings={**SETTINGS, **settings})
    return [(violation.code, violation.pointer) for violation in found]


def test_each_kind_of_pin_is_fine(make_media: Callable[..., Media]):
    image, video = make_media(IMAGE, size=10), make_media(size=10)
    assert codes([image], "d" * 800, title="t" * 100, link="https://example.test/") == []
    assert codes([image] * 5, slides=[{"title": "One"}] * 5) == []
    assert codes([video], cover_second=12) == []


@pytest.mark.parametrize(
    ("fields", "broken"),
    [
        ({"content_type": "image/webp"}, ("format", "/media/0")),
        ({"size_bytes": 20_000_001}, ("size", "/media/0")),
        ({"alt_text": "a" * 501}, ("alt_text_too_long", "/media/0")),
        ({"kind": MediaKind.DOCUMENT}, ("media_kind", "/media")),
        ({"kind": MediaKind.VIDEO, "content_type": "video/webm", "duration_seconds": 5.0}, ("format", "/media/0")),
        ({"kind": MediaKind.VIDEO, "content_type": "video/mp4"}, ("duration_unknown", "/media/0")),
        ({"kind": MediaKind.VIDEO, "content_type": "video/mp4", "duration_seconds": 3.9}, ("duration", "/media/0")),
        ({"kind": MediaKind.VIDEO, "content_type": "video/mp4", "duration_seconds": 901.0}, ("duration", "/media/0")),
    ],
)
def test_a_file_that_does_not_fit_is_named(
    make_media: Callable[..., Media], fields: dict[str, Any], broken: tuple[str, str]
):
    assert broken in codes([replace(make_media(IMAGE, size=10), **fields)])


def test_what_is_missing_mixed_or_too_much_is_named(make_media: Callable[..., Media]):
    image, video = make_media(IMAGE, size=10), make_media(size=10)
    assert codes([]) == [("media_missing", "/media")]
    assert ("media_mixed", "/media") in codes([image, video])
    assert ("media_too_many", "/media") in codes([image] * 6)
    wide = make_media(IMAGE, size=10, width=1920, height=1080)
    assert codes([image, wide]) == [("ratio", "/media/1")]


def test_settings_that_do_not_fit_are_named(make_media: Callable[..., Media]):
    image = make_media(IMAGE, size=10)
    assert codes([image], board_id="none") == [("setting_invalid", "/settings/board_id")]
    assert codes([image], "d" * 801) == [("text_too_long", "/text")]
    assert codes([image], title="t" * 101) == [("setting_invalid", "/settings/title")]
    assert codes([image], link="door") == [("setting_invalid", "/settings/link")]
    assert codes([image], slides=[{}, {}]) == [("slides", "/settings/slides")]
    assert codes([make_media(size=10)], cover_second=13) == [("cover_outside", "/settings/cover_second")]
    assert [v.code for v in PINTEREST.check(text="", media=[image], settings={})] == ["setting_missing"]
