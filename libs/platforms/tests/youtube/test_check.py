"""What YouTube would refuse is said before anything is scheduled, in the units YouTube counts in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from platforms.registry import register
from platforms.shape import Delivery, Media, MediaKind, PlatformName
from platforms.youtube.rules import tags_length

YOUTUBE = register().platforms[PlatformName.YOUTUBE]


def codes(delivery: Delivery) -> list[tuple[str, str]]:
    found = YOUTUBE.check(text=delivery.text, media=delivery.media, settings=delivery.settings)
    assert all(violation.detail.endswith(".") for violation in found)
    return [(violation.code, violation.pointer) for violation in found]


def test_a_complete_video_breaks_no_rule(make_video: Callable[..., Delivery], thumbnail: Media) -> None:
    assert codes(make_video(thumbnail, tags=["a", "b c"], playlist_id="PLabc", first_comment="Hi")) == []


def test_who_may_see_it_and_whether_it_is_for_children_is_never_preselected() -> None:
    schema = YOUTUBE.settings_schema()
    assert set(schema["required"]) == {"title", "visibility", "made_for_kids"}
    assert not any("default" in schema["properties"][name] for name in ("visibility", "made_for_kids"))
    missing = YOUTUBE.check(text="", media=(), settings={})
    assert {v.pointer for v in missing if v.code == "setting_missing"} == {
        "/settings/title",
        "/settings/visibility",
        "/settings/made_for_kids",
    }


def test_a_description_is_counted_in_bytes(make_video: Callable[..., Delivery]) -> None:
    assert YOUTUBE.length("é") == 2
    assert codes(make_video(text="é" * 2500)) == []
    assert codes(make_video(text="é" * 2500 + "x")) == [("text_too_long", "/text")]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"title": "x" * 100}, []),
        ({"title": "x" * 101}, [("setting_invalid", "/settings/title")]),
        ({"title": ""}, [("setting_invalid", "/settings/title")]),
        ({"title": "  "}, [("title_empty", "/settings/title")]),
        ({"title": "a > b"}, [("angle_brackets", "/settings/title")]),
        ({"visibility": "friends"}, [("setting_invalid", "/settings/visibility")]),
        ({"made_for_kids": None}, [("setting_invalid", "/settings/made_for_kids")]),
        ({"privacy": "public"}, [("setting_unknown", "/settings/privacy")]),
        ({"category_id": "music"}, [("setting_invalid", "/settings/category_id")]),
        ({"language": "de_CH"}, [("setting_invalid", "/settings/language")]),
        ({"playlist_id": "PL x"}, [("setting_invalid", "/settings/playlist_id")]),
        ({"tags": ["x" * 500]}, []),
        ({"tags": ["x" * 501]}, [("tags_too_long", "/settings/tags")]),
        ({"tags": ["a", ""]}, [("tag_invalid", "/settings/tags/1")]),
        ({"tags": ["a,b"]}, [("tag_invalid", "/settings/tags/0")]),
        ({"first_comment": "x" * 10_001}, [("setting_invalid", "/settings/first_comment")]),
        ({"first_comment": "Hi", "made_for_kids": True}, [("comments_off", "/settings/first_comment")]),
        ({"first_comment": "Hi", "visibility": "private"}, [("comments_off", "/settings/first_comment")]),
        ({"kind": "short"}, [("not_a_short", "/settings/kind")]),
        ({"kind": "video"}, []),
    ],
)
def test_each_rule_of_the_settings(
    make_video: Callable[..., Delivery], settings: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert codes(make_video(**settings)) == expected


def test_an_upright_video_of_three_minutes_is_a_short_whatever_is_wished(
    make_delivery: Callable[..., Delivery], make_media: Callable[..., Media], make_video: Callable[..., Delivery]
) -> None:
    def upright(seconds: float, kind: str) -> Delivery:
        media = make_media(size=1000, duration_seconds=seconds)
        return make_delivery(media=(media,), settings={**make_video(size=1000).settings, "kind": kind})

    assert codes(upright(180, "short")) == []
    assert codes(upright(180, "video")) == [("is_a_short", "/settings/kind")]
    assert codes(upright(180.5, "short")) == [("not_a_short", "/settings/kind")]
    assert codes(upright(180.5, "video")) == []


@pytest.mark.parametrize(
    ("tags", "length"), [([], 0), (["abc"], 3), (["abc", "de"], 6), (["a b"], 5), (["a b", "c d"], 11)]
)
def test_spaces_and_commas_of_tags_count(tags: list[str], length: int) -> None:
    assert tags_length(tags) == length


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"content_type": "video/x-unknown"}, "format"),
        ({"size_bytes": 0}, "size"),
        ({"size_bytes": 256 * 1024**3 + 1}, "size"),
        ({"duration_seconds": None}, "duration_unknown"),
        ({"duration_seconds": 12 * 3600 + 1}, "duration"),
    ],
)
def test_each_rule_of_the_file(
    make_delivery: Callable[..., Delivery],
    make_media: Callable[..., Media],
    make_video: Callable[..., Delivery],
    fields: dict[str, Any],
    expected: str,
) -> None:
    delivery = make_delivery(media=(make_media(size=1000, **fields),), settings=make_video(size=1000).settings)
    assert codes(delivery) == [(expected, "/media/0")]


def test_one_video_and_at_most_one_picture(
    make_delivery: Callable[..., Delivery], make_media: Callable[..., Media], make_video: Callable[..., Delivery]
) -> None:
    settings = make_video(size=1000).settings
    video, image = make_media(size=1000), make_media(MediaKind.IMAGE, size=1000)
    gif, large = make_media(MediaKind.IMAGE, content_type="image/gif"), make_media(MediaKind.IMAGE, size=2_000_001)
    document = make_media(MediaKind.DOCUMENT, size=10)

    def found(*media: Media) -> set[str]:
        return {code for code, _ in codes(make_delivery(media=media, settings=settings))}

    assert found(video, image) == found(image, video) == set()
    assert found() == found(image) == found(video, video) == {"video_count"}
    assert found(video, image, image) == {"media_too_many"}
    assert found(video, gif) == {"format", "size"}
    assert found(video, large) == {"size"}
    assert found(video, document) == {"media_kind"}


def test_its_numbers_are_there_as_data() -> None:
    limits = YOUTUBE.limits
    assert (limits.api_version, limits.sunset) == ("v3", None)
    assert (limits.text.maximum, limits.text.unit.value) == (5000, "utf8_bytes")
    assert [(rate.maximum, rate.window.days) for rate in limits.rates] == [(100, 1), (10_000, 1)]
    assert set(limits.fields) == {"title", "tags", "first_comment"}
    assert YOUTUBE.secret_facts == ("session_uri",)
