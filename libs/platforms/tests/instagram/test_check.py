"""What Instagram would refuse is found before anything is scheduled, in words for the person who wrote it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from platforms.instagram.settings import InstagramSettings
from platforms.platform import Platform
from platforms.registry import register
from platforms.shape import Media, MediaKind, PlatformName


@pytest.fixture
def instagram() -> Platform:
    """No test here needs a server."""
    return register().platforms[PlatformName.INSTAGRAM]


@pytest.fixture
def image(make_media: Callable[..., Media]) -> Media:
    return make_media(MediaKind.IMAGE, 100, width=1080, height=1350)


@pytest.fixture
def video(make_media: Callable[..., Media]) -> Media:
    return make_media(MediaKind.VIDEO, 100)


def found_in(
    instagram: Platform, media: Sequence[Media], text: str = "One door", **settings: Any
) -> list[tuple[str, str]]:
    violations = instagram.check(text=text, media=media, settings=settings)
    assert all(violation.detail.endswith(".") for violation in violations)
    return [(violation.code, violation.pointer) for violation in violations]


def test_what_is_within_the_rules_breaks_none(instagram: Platform, image: Media, video: Media) -> None:
    text = "x" * 2128 + "".join(f" #{letter}" for letter in "abcdefghij") + " @nora.b"
    assert found_in(instagram, [image], text) == []
    assert found_in(instagram, [image, video] * 5, first_comment="x" * 2200) == []
    assert found_in(instagram, [video], cover_offset_ms=12_500, share_to_feed=False) == []
    assert found_in(instagram, [image, video], kind="reel", cover_media=0) == []
    assert found_in(instagram, [image], "", kind="story", user_tags=[{"username": "nora.b"}]) == []
    assert found_in(instagram, [replace(image, width=1000, height=9999)], "", kind="story") == []
    assert found_in(instagram, [image], "", collaborators=["a", "b", "c"]) == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("x" * 2201, "text_too_long"),
        ("🚪" * 1101, "text_too_long"),
        (" ".join(f"#tag{number}" for number in range(31)), "hashtags_too_many"),
        (" ".join(f"@user{number}" for number in range(21)), "mentions_too_many"),
    ],
)
def test_captions(instagram: Platform, image: Media, text: str, code: str) -> None:
    assert found_in(instagram, [image], text) == [(code, "/text")]


def test_addresses_and_entities_are_no_tags(instagram: Platform, image: Media) -> None:
    text = "https://example.com/a#b " * 31 + "nora@example.com " * 21 + "&#39; " * 31
    assert found_in(instagram, [image], text) == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"content_type": "image/png"}, "format"),
        ({"size_bytes": 8_000_001}, "size"),
        ({"size_bytes": 0}, "size"),
        ({"width": 1080, "height": 1400}, "ratio"),
        ({"width": 2000, "height": 1000}, "ratio"),
        ({"alt_text": "x" * 1001}, "alt_text_too_long"),
    ],
)
def test_images(instagram: Platform, image: Media, change: Mapping[str, Any], code: str) -> None:
    pointer = "/media/1/alt_text" if code.startswith("alt") else "/media/1"
    assert found_in(instagram, [image, replace(image, **change)]) == [(code, pointer)]


VIDEOS = [
    ({"content_type": "video/webm"}, "format"),
    ({"size_bytes": 300_000_001}, "size"),
    ({"duration_seconds": None}, "duration_unknown"),
    ({"duration_seconds": 2.9}, "duration"),
    ({"duration_seconds": 900.1}, "duration"),
    ({"width": 1921}, "picture_size"),
    ({"width": 19, "height": 1920}, "ratio"),
]


@pytest.mark.parametrize(("change", "code"), VIDEOS)
@pytest.mark.parametrize("kind", ["post", "reel"])
def test_reels(instagram: Platform, video: Media, kind: str, change: Mapping[str, Any], code: str) -> None:
    assert found_in(instagram, [replace(video, **change)], kind=kind) == [(code, "/media/0")]


@pytest.mark.parametrize(
    ("change", "code"), [({"duration_seconds": 60.1}, "duration"), ({"size_bytes": 100_000_001}, "size")]
)
def test_videos_in_stories_and_carousels_are_shorter(
    instagram: Platform, image: Media, video: Media, change: Mapping[str, Any], code: str
) -> None:
    longer = replace(video, **change)
    assert found_in(instagram, [longer]) == []
    assert found_in(instagram, [longer], "", kind="story") == [(code, "/media/0")]
    assert found_in(instagram, [image, longer]) == [(code, "/media/1")]


def test_how_many_files_a_post_takes(instagram: Platform, image: Media, video: Media) -> None:
    assert found_in(instagram, []) == [("media_missing", "/media")]
    assert found_in(instagram, [image] * 11) == [("media_too_many", "/media")]
    assert found_in(instagram, [image], kind="reel") == [("reel_media", "/media")]
    assert found_in(instagram, [video, video], kind="reel") == [("reel_media", "/media")]
    assert found_in(instagram, [image, image], "", kind="story") == [("story_media", "/media")]


def test_documents_are_taken_nowhere(instagram: Platform, image: Media) -> None:
    paper = replace(image, kind=MediaKind.DOCUMENT, content_type="application/pdf")
    for kind in ("post", "reel", "story"):
        assert found_in(instagram, [paper], "", kind=kind)


def test_what_a_story_does_not_take(instagram: Platform, image: Media) -> None:
    settings = {"collaborators": ["nora"], "location_id": "1", "first_comment": "x"}
    assert found_in(instagram, [image], "Words", kind="story", **settings) == [
        ("story_text", "/text"),
        ("setting_not_taken", "/settings/collaborators"),
        ("setting_not_taken", "/settings/location_id"),
        ("setting_not_taken", "/settings/first_comment"),
    ]


def test_covers(instagram: Platform, image: Media, video: Media) -> None:
    assert found_in(instagram, [image], cover_offset_ms=5) == [("cover_without_reel", "/settings/cover_offset_ms")]
    assert found_in(instagram, [video], cover_offset_ms=12_501) == [("cover_outside", "/settings/cover_offset_ms")]
    assert found_in(instagram, [video], cover_media=1) == [("media_unknown", "/settings/cover_media")]
    png = replace(image, content_type="image/png")
    assert found_in(instagram, [video, png], cover_media=1) == [("format", "/media/1")]
    assert ("cover_without_reel", "/settings/cover_media") in found_in(instagram, [image, image, image], cover_media=1)


def test_tags(instagram: Platform, image: Media, video: Media) -> None:
    placed = {"username": "nora.b", "x": 0.1, "y": 0.2}
    assert found_in(instagram, [image], user_tags=[{"username": "nora.b"}]) == [("tag_place", "/settings/user_tags/0")]
    assert found_in(instagram, [video], user_tags=[placed]) == [("tag_place", "/settings/user_tags/0")]
    assert found_in(instagram, [image], user_tags=[placed | {"media": 1}]) == [
        ("media_unknown", "/settings/user_tags/0/media")
    ]
    assert found_in(instagram, [image], user_tags=[placed] * 21) == [("tags_too_many", "/settings/user_tags")]


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"kind": "igtv"}, "setting_invalid"),
        ({"collaborators": ["a", "b", "c", "d"]}, "setting_invalid"),
        ({"collaborators": ["not a name"]}, "setting_invalid"),
        ({"location_id": "the pub"}, "setting_invalid"),
        ({"user_tags": [{"username": "a", "x": 1.5, "y": 0}]}, "setting_invalid"),
        ({"cover_offset_ms": -1}, "setting_invalid"),
        ({"audio_name": "x"}, "setting_unknown"),
        ({"first_comment": " "}, "comment_empty"),
        ({"first_comment": "x" * 2201}, "text_too_long"),
    ],
)
def test_settings(instagram: Platform, image: Media, settings: Mapping[str, Any], code: str) -> None:
    (name,) = settings
    assert found_in(instagram, [image], **settings) == [(code, f"/settings/{name}")]


def test_the_form_and_the_limits_are_told_as_data(instagram: Platform) -> None:
    assert set(instagram.settings_schema()["properties"]) == set(InstagramSettings.__struct_fields__)
    assert instagram.length("🚪") == 2
    assert (instagram.limits.text.maximum, instagram.limits.api_version) == (2200, "v26.0")
    assert {rate.what: rate.maximum for rate in instagram.limits.rates}["containers"] == 400
