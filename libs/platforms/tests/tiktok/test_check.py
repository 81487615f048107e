"""What TikTok would refuse is found before anything is scheduled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jsonschema
import pytest
from platforms.platform import Platform
from platforms.registry import register
from platforms.shape import Media, MediaKind, PlatformName

PUBLIC: dict[str, Any] = {"privacy_level": "PUBLIC_TO_EVERYONE"}


@pytest.fixture
def tiktok() -> Platform:
    return register().platforms[PlatformName.TIKTOK]


def test_a_good_video_breaks_no_rule(tiktok: Platform, make_media: Callable[..., Media]) -> None:
    assert tiktok.check(text="x" * 2200, media=[make_media()], settings=PUBLIC) == []


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"content_type": "video/x-msvideo"}, "format"),
        ({"size_bytes": 4_000_000_001}, "size"),
        ({"duration_seconds": 600.5}, "duration"),
        ({"duration_seconds": None}, "duration_unknown"),
        ({"width": 359}, "picture_size"),
        ({"height": 4097}, "picture_size"),
    ],
)
def test_every_rule_of_a_video(
    tiktok: Platform, make_media: Callable[..., Media], fields: dict[str, Any], code: str
) -> None:
    found = tiktok.check(text="", media=[make_media(**fields)], settings=PUBLIC)
    assert [(violation.code, violation.pointer) for violation in found] == [(code, "/media/0")]


@pytest.mark.parametrize(
    ("kinds", "code"),
    [
        ([], "media_missing"),
        ([MediaKind.VIDEO, MediaKind.VIDEO], "media_mixed"),
        ([MediaKind.VIDEO, MediaKind.IMAGE], "media_mixed"),
        ([MediaKind.DOCUMENT], "format"),
    ],
)
def test_what_is_attached(
    tiktok: Platform, make_media: Callable[..., Media], kinds: list[MediaKind], code: str
) -> None:
    found = tiktok.check(text="", media=[make_media(kind, 10) for kind in kinds], settings=PUBLIC)
    assert [violation.code for violation in found] == [code]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"content_type": "image/png"}, "format"),
        ({"size_bytes": 20_000_001}, "size"),
        ({"width": 1086, "height": 1448}, "picture_size"),
        ({"width": 1921, "height": 600}, "picture_size"),
    ],
)
def test_every_rule_of_an_image_names_it(
    tiktok: Platform, make_media: Callable[..., Media], fields: dict[str, Any], code: str
) -> None:
    media = [make_media(MediaKind.IMAGE, 10), make_media(MediaKind.IMAGE, 10, **fields)]
    found = tiktok.check(text="", media=media, settings=PUBLIC)
    assert [(violation.code, violation.pointer) for violation in found] == [(code, "/media/1")]


def test_photos_are_35_at_most_and_lie_either_way_round(tiktok: Platform, make_media: Callable[..., Media]) -> None:
    portrait = make_media(MediaKind.IMAGE, 10, content_type="image/webp")
    landscape = make_media(MediaKind.IMAGE, 10, width=1920, height=1080)
    assert tiktok.check(text="", media=[portrait, landscape] * 17 + [portrait], settings=PUBLIC) == []
    found = tiktok.check(text="", media=[portrait] * 36, settings=PUBLIC)
    assert [violation.code for violation in found] == ["media_too_many"]


def test_the_texts_of_photos_are_longer_and_have_a_headline(tiktok: Platform, make_media: Callable[..., Media]) -> None:
    media = [make_media(MediaKind.IMAGE, 10)]
    assert tiktok.check(text="🎉" * 2000, media=media, settings=PUBLIC | {"title": "🎉" * 45}) == []
    found = tiktok.check(text="🎉" * 2001, media=media, settings=PUBLIC | {"title": "🎉" * 45 + "x"})
    assert [violation.pointer for violation in found] == ["/text", "/settings/title"]
    assert {violation.code for violation in found} == {"text_too_long"}


@pytest.mark.parametrize(
    ("kind", "settings", "codes"),
    [
        (MediaKind.IMAGE, {"title": "Doors", "photo_cover_index": 1, "auto_add_music": True}, []),
        (MediaKind.IMAGE, {"photo_cover_index": 2}, ["cover_outside"]),
        (MediaKind.IMAGE, {"photo_cover_index": -1}, ["setting_invalid"]),
        (MediaKind.IMAGE, {"video_cover_timestamp_ms": 1}, ["only_video"]),
        (MediaKind.IMAGE, {"privacy_level": "SELF_ONLY", "brand_content_toggle": True}, ["branded_private"]),
        (MediaKind.VIDEO, {"title": "Doors", "photo_cover_index": 0, "auto_add_music": True}, ["only_photos"] * 3),
    ],
)
def test_settings_are_for_photos_or_for_a_video(
    tiktok: Platform, make_media: Callable[..., Media], kind: MediaKind, settings: dict[str, Any], codes: list[str]
) -> None:
    media = [make_media(kind, 10)] * (2 if kind is MediaKind.IMAGE else 1)
    found = tiktok.check(text="", media=media, settings=PUBLIC | settings)
    assert [violation.code for violation in found] == codes


def test_the_limits_are_told_as_data(tiktok: Platform) -> None:
    files = {limit.kind: (limit.count_max, limit.bytes_max) for limit in tiktok.limits.media}
    assert files == {MediaKind.IMAGE: (35, 20_000_000), MediaKind.VIDEO: (1, 4_000_000_000)}
    assert (tiktok.limits.text.maximum, tiktok.limits.fields["title"].maximum) == (4000, 90)
    assert {kind.value for kind in tiktok.kinds} == {"video", "image", "carousel"}


def test_a_caption_is_counted_in_utf16_units(tiktok: Platform, make_media: Callable[..., Media]) -> None:
    media = [make_media()]
    assert tiktok.check(text="🎉" * 1100, media=media, settings=PUBLIC) == []
    (violation,) = tiktok.check(text="🎉" * 1101, media=media, settings=PUBLIC)
    assert (violation.code, violation.pointer) == ("text_too_long", "/text")


@pytest.mark.parametrize(
    ("settings", "pointer"),
    [
        ({}, "/settings/privacy_level"),
        ({"privacy_level": "EVERYONE"}, "/settings/privacy_level"),
        (PUBLIC | {"disable_duet": "no"}, "/settings/disable_duet"),
        (PUBLIC | {"surprise": 1}, "/settings/surprise"),
        (PUBLIC | {"video_cover_timestamp_ms": -1}, "/settings/video_cover_timestamp_ms"),
        (PUBLIC | {"video_cover_timestamp_ms": 13_000}, "/settings/video_cover_timestamp_ms"),
        ({"privacy_level": "SELF_ONLY", "brand_content_toggle": True}, "/settings/privacy_level"),
    ],
)
def test_every_rule_of_the_settings(
    tiktok: Platform, make_media: Callable[..., Media], settings: dict[str, Any], pointer: str
) -> None:
    found = tiktok.check(text="", media=[make_media()], settings=settings)
    assert [violation.pointer for violation in found] == [pointer]


def test_the_schema_offers_no_default_for_privacy_and_starts_with_everything_off(tiktok: Platform) -> None:
    schema = tiktok.settings_schema()
    jsonschema.Draft202012Validator.check_schema(dict(schema))
    assert schema["required"] == ["privacy_level"]
    assert "default" not in schema["properties"]["privacy_level"]
    assert all(schema["properties"][f"disable_{what}"]["default"] for what in ("comment", "duet", "stitch"))
