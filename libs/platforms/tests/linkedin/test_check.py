"""Every rule of a post on LinkedIn, in words for the person who wrote it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from platforms.linkedin.endpoints import LinkedInEndpoints
from platforms.linkedin.platform import create
from platforms.shape import Media, MediaKind

PLATFORM = create(LinkedInEndpoints())
POLL = {"poll": {"options": ["Red", "Green"], "minutes": 1440}, "poll_question": "Which?"}
LINK = {"link": "https://example.test", "link_title": "Doors"}
MANY = [MediaKind.IMAGE] * 21

Case = tuple[str, list[MediaKind], dict[str, Any], str, str]
CASES: list[Case] = [
    ("x" * 3001, [], {}, "text_too_long", "/text"),
    ("🚪" * 1501, [], {}, "text_too_long", "/text"),
    (" ", [], {}, "text_missing", "/text"),
    ("a", [MediaKind.IMAGE], POLL, "poll_alone", "/settings/poll"),
    ("a", [], POLL | LINK, "poll_alone", "/settings/poll"),
    ("a", [MediaKind.VIDEO], LINK, "link_media", "/settings/link"),
    ("a", [MediaKind.IMAGE] * 2, LINK, "link_media", "/settings/link"),
    ("a", [MediaKind.IMAGE, MediaKind.VIDEO], {}, "media_mixed", "/media"),
    ("a", MANY, {}, "media_too_many", "/media"),
    ("a", [MediaKind.VIDEO] * 2, {}, "media_too_many", "/media"),
    ("a", [], {"link": "https://example.test"}, "link_title_missing", "/settings/link_title"),
    ("a", [], {"link_title": "Doors"}, "link_missing", "/settings/link"),
    ("a", [], {"link": "ftp://example.test"}, "setting_invalid", "/settings/link"),
    ("a", [], {"poll_question": "Which?"}, "poll_missing", "/settings/poll"),
    ("a", [], POLL | {"poll_question": " "}, "question_missing", "/settings/poll_question"),
    ("a", [], POLL | {"poll": {"options": ["a"] * 5, "minutes": 1440}}, "poll_options", "/settings/poll/options"),
    ("a", [], POLL | {"poll": {"options": ["a", ""], "minutes": 1440}}, "poll_option", "/settings/poll/options/1"),
    ("a", [], POLL | {"poll": {"options": ["a", "b"], "minutes": 60}}, "poll_minutes", "/settings/poll/minutes"),
    ("a", [MediaKind.DOCUMENT], {}, "title_missing", "/settings/title"),
    ("a", [MediaKind.IMAGE], {"title": "x"}, "title_unused", "/settings/title"),
    ("a", [], {"first_comment": "x" * 1251}, "setting_invalid", "/settings/first_comment"),
    ("a", [], {"visibility": "CONTAINER"}, "setting_invalid", "/settings/visibility"),
    ("a", [], {"nothing": 1}, "setting_unknown", "/settings/nothing"),
    ("a", [], {"mentions": [{"name": "B", "urn": "urn:li:person:1"}]}, "mention_missing", "/settings/mentions"),
]


@pytest.mark.parametrize(("text", "kinds", "settings", "code", "pointer"), CASES)
def test_a_broken_rule_is_told_where_it_is_broken(
    text: str,
    kinds: list[MediaKind],
    settings: dict[str, Any],
    code: str,
    pointer: str,
    make_media: Callable[..., Media],
):
    media = [_media(make_media, kind) for kind in kinds]
    found = PLATFORM.check(text=text, media=media, settings=settings)
    assert [(violation.code, violation.pointer) for violation in found] == [(code, pointer)]
    assert found[0].detail


@pytest.mark.parametrize(
    ("kind", "fields", "code"),
    [
        (MediaKind.IMAGE, {"content_type": "image/webp"}, "format"),
        (MediaKind.IMAGE, {"width": 10_000, "height": 10_000}, "pixels"),
        (MediaKind.IMAGE, {"alt_text": "x" * 4087}, "alt_text_too_long"),
        (MediaKind.IMAGE, {"size_bytes": 0}, "size"),
        (MediaKind.VIDEO, {"content_type": "video/quicktime"}, "format"),
        (MediaKind.VIDEO, {"size_bytes": 74_999}, "size"),
        (MediaKind.VIDEO, {"duration_seconds": 2.9}, "duration"),
        (MediaKind.VIDEO, {"duration_seconds": None}, "duration_unknown"),
    ],
)
def test_a_file_that_linkedin_does_not_take_is_told(
    kind: MediaKind, fields: dict[str, Any], code: str, make_media: Callable[..., Media]
):
    media = [_media(make_media, kind, **fields)]
    assert [each.code for each in PLATFORM.check(text="a", media=media, settings={})] == [code]


@pytest.mark.parametrize(
    ("text", "kinds", "settings"),
    [
        ("x" * 3000, [], {}),
        ("", [MediaKind.IMAGE] * 20, {}),
        ("", [MediaKind.VIDEO], {"title": "Doors"}),
        ("", [MediaKind.DOCUMENT], {"title": "Doors"}),
        ("", [MediaKind.IMAGE], LINK),
        ("", [], POLL),
    ],
)
def test_what_fits_breaks_no_rule(
    text: str, kinds: list[MediaKind], settings: dict[str, Any], make_media: Callable[..., Media]
):
    media = [_media(make_media, kind) for kind in kinds]
    assert PLATFORM.check(text=text, media=media, settings=settings) == []


def test_the_form_shows_who_may_see_a_post():
    visibility = PLATFORM.settings_schema()["properties"]["visibility"]
    assert visibility["enum"] == ["CONNECTIONS", "LOGGED_IN", "PUBLIC"]
    assert visibility["title"]


def _media(make_media: Callable[..., Media], kind: MediaKind, **fields: Any) -> Media:
    document = {"content_type": "application/pdf"} if kind is MediaKind.DOCUMENT else {}
    return make_media(kind, size=80_000, **(document | fields))
