"""What Facebook would refuse is found before anything is scheduled, and said where it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from platforms.facebook.rules import check
from platforms.platform import Platform
from platforms.registry import register
from platforms.shape import Delivery, Media, MediaKind, PlatformName

Make = Callable[..., Media]


def found(text: str = "Fresh paint", media: tuple[Media, ...] = (), **settings: Any) -> set[tuple[str, str]]:
    return {(each.code, each.pointer) for each in check(text=text, media=media, settings=settings)}


def test_every_kind_keeps_the_rules(kinds: Mapping[str, Callable[..., Delivery]]) -> None:
    for make in kinds.values():
        delivery = make()
        assert check(text=delivery.text, media=delivery.media, settings=delivery.settings) == []


def test_the_text_is_counted_in_utf16(facebook_offline: Platform) -> None:
    assert facebook_offline.length("Tür 🚪") == 6
    assert found("🚪" * 31_603) == set()
    assert found("🚪" * 31_604) == {("text_too_long", "/text")}


def test_a_post_needs_something_to_show() -> None:
    assert found("  ") == {("empty", "/text")}
    assert found("", link="https://example.com/") == set()


@pytest.mark.parametrize(
    ("settings", "broken"),
    [
        ({"kind": "poll"}, {("setting_invalid", "/settings/kind")}),
        ({"audience": "friends"}, {("setting_unknown", "/settings/audience")}),
        ({"title": "A door"}, {("title_without_video", "/settings/title")}),
        ({"first_comment": "a" * 8001}, {("text_too_long", "/settings/first_comment")}),
        ({"link": "example.com"}, {("link_invalid", "/settings/link")}),
        ({"link": "https://"}, {("link_invalid", "/settings/link")}),
        ({"link": "javascript:alert(1)"}, {("link_invalid", "/settings/link")}),
        ({"link": "https://example.com/a b"}, {("link_invalid", "/settings/link")}),
        ({"link": "https://[/"}, {("link_invalid", "/settings/link")}),
        ({"link": "https://example.com/" + "a" * 2048}, {("setting_invalid", "/settings/link")}),
    ],
)
def test_settings_are_checked_where_they_stand(settings: dict[str, Any], broken: set[tuple[str, str]]) -> None:
    assert found(**settings) == broken


def test_a_title_has_its_length(make_media: Make) -> None:
    assert found(media=(make_media(),), title="a" * 256) == {("text_too_long", "/settings/title")}


@pytest.mark.parametrize(
    ("fields", "broken"),
    [
        ({"content_type": "image/webp"}, "format"),
        ({"size_bytes": 10_000_001}, "size"),
        ({"size_bytes": 0}, "size"),
    ],
)
def test_an_image_is_checked(make_media: Make, fields: dict[str, Any], broken: str) -> None:
    fine = make_media(MediaKind.IMAGE, size=10)
    assert found(media=(fine, make_media(MediaKind.IMAGE, size=10, **fields))) == {(broken, "/media/1")}
    assert found("", media=(make_media(MediaKind.IMAGE, size=10, **fields),), kind="story") == {(broken, "/media/0")}


def test_images_are_counted_and_stand_beside_no_video_and_no_link(make_media: Make) -> None:
    image = make_media(MediaKind.IMAGE, size=10)
    assert found(media=(image,) * 10) == set()
    assert found(media=(image,) * 11) == {("media_too_many", "/media")}
    assert found(media=(image, make_media())) == {("media_mixed", "/media")}
    assert found(media=(image,), link="https://example.com/") == {("link_beside_media", "/settings/link")}


@pytest.mark.parametrize(
    ("kind", "fields", "broken"),
    [
        ("post", {"content_type": "application/pdf"}, "format"),
        ("post", {"size_bytes": 10_000_000_001}, "size"),
        ("post", {"duration_seconds": None}, "duration_unknown"),
        ("post", {"duration_seconds": 14_401.0}, "duration"),
        ("reel", {"content_type": "video/webm"}, "format"),
        ("reel", {"duration_seconds": 2.9}, "duration"),
        ("reel", {"duration_seconds": 90.1}, "duration"),
        ("reel", {"width": 1920, "height": 1080}, "ratio"),
        ("reel", {"width": 360, "height": 640}, "picture_size"),
        ("story", {"duration_seconds": 60.1}, "duration"),
        ("story", {"width": 1080, "height": 1080}, "ratio"),
    ],
)
def test_a_video_is_checked_for_what_it_is_to_be(
    make_media: Make, kind: str, fields: dict[str, Any], broken: str
) -> None:
    text = "" if kind == "story" else "A door"
    assert found(text, media=(make_media(**fields),), kind=kind) == {(broken, "/media/0")}


def test_edges_of_a_reel_fit(make_media: Make) -> None:
    for fields in ({"duration_seconds": 3.0}, {"duration_seconds": 90.0}, {"width": 540, "height": 960}):
        assert found(media=(make_media(**fields),), kind="reel") == set()


def test_reels_and_stories_take_one_file_and_nothing_beside(make_media: Make) -> None:
    video, image = make_media(), make_media(MediaKind.IMAGE, size=10)
    assert found(media=(image,), kind="reel") == {("reel_media", "/media")}
    assert found(media=(video, video), kind="reel") == {("reel_media", "/media")}
    assert found("", kind="story") == {("story_media", "/media")}
    assert found("Words", media=(image,), kind="story") == {("story_text", "/text")}
    assert found("", media=(image,), kind="story", first_comment="Hi") == {
        ("setting_not_taken", "/settings/first_comment")
    }
    assert found(media=(video,), kind="reel", link="https://example.com") == {("setting_not_taken", "/settings/link")}


def test_the_form_can_be_drawn_from_the_schema(facebook_offline: Platform) -> None:
    schema = facebook_offline.settings_schema()
    assert schema["additionalProperties"] is False
    assert schema["properties"]["kind"]["enum"] == ["post", "reel", "story"]
    assert "required" not in schema or schema["required"] == []


@pytest.fixture
def facebook_offline() -> Platform:
    return register().platforms[PlatformName.FACEBOOK]
