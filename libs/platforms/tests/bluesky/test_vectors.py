"""The protocol's own vectors: what we take for a handle, an address or a language is one; what we write is right."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from platforms.bluesky.identity import is_did, is_handle
from platforms.bluesky.posts import timestamp
from platforms.bluesky.quoting import read_address
from platforms.bluesky.settings import BlueskySettings
from platforms.bluesky.text import Mark, find_spans
from platforms.settings import mistakes_in

from libs.platforms.tests.conformance.syntax import is_at_uri, is_datetime
from libs.platforms.tests.conformance.test_syntax import vectors


def is_language(text: str) -> bool:
    return mistakes_in({"langs": [text]}, BlueskySettings) == []


def is_mention(text: str) -> bool:
    return [(span.mark, span.value) for span in find_spans(f"@{text}")] == [(Mark.MENTION, text.lower())]


def is_quotable(text: str) -> bool:
    return read_address(text) is not None


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("handle_syntax", is_handle),
        ("handle_syntax", is_mention),
        ("did_syntax", is_did),
        ("language_syntax", is_language),
        ("aturi_syntax", is_quotable),
    ],
)
def test_what_the_protocol_calls_invalid_is_not_taken(name: str, taken: Callable[[str], bool]) -> None:
    assert [text for text in vectors(f"{name}_invalid") if taken(text)] == []


@pytest.mark.parametrize("taken", [is_handle, is_mention])
def test_every_valid_handle_is_taken(taken: Callable[[str], bool]) -> None:
    assert [text for text in vectors("handle_syntax_valid") if not taken(text.lower())] == []


@pytest.mark.parametrize("text", ["de", "de-CH", "zh-Hant", "gsw", "sr-Latn-RS"])
def test_the_languages_people_write_are_taken(text: str) -> None:
    assert is_language(text)


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2200, 1, 1)))  # noqa: DTZ001
def test_every_moment_is_written_as_the_protocol_wants_it(moment: datetime) -> None:
    written = timestamp(moment.replace(tzinfo=UTC))
    assert is_datetime(written)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", written)


@given(st.from_regex(r"at://did:plc:[a-z2-7]{24}/app\.bsky\.feed\.post/[234567a-j][2-7a-z]{12}", fullmatch=True))
def test_every_address_of_a_post_can_be_quoted(text: str) -> None:
    assert is_at_uri(text)
    assert read_address(text) == (text.split("/")[2], text.split("/")[4])
