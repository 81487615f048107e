"""Counting and marking a post's text, by graphemes and by UTF-8 bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from platforms.bluesky.text import Mark, find_spans
from platforms.counting import graphemes

FAMILY = "👩‍👩‍👧‍👦"


@pytest.mark.parametrize(("text", "count"), [("", 0), ("abc", 3), (FAMILY, 1), ("e\u0301", 1), ("🇨🇭🇦🇹", 2)])
def test_a_grapheme_is_what_a_reader_sees(text: str, count: int) -> None:
    assert graphemes(text) == count


def test_offsets_are_bytes() -> None:
    text = f"{FAMILY} Grüße @pub.test https://x.com/ü #tür!"
    found = {span.mark: text.encode()[span.start : span.end].decode() for span in find_spans(text)}
    assert found == {Mark.MENTION: "@pub.test", Mark.LINK: "https://x.com/ü", Mark.TAG: "#tür"}


def test_the_facets_of_the_documented_example() -> None:
    facets = [
        span.to_facet("did:plc:x" if span.mark is Mark.MENTION else span.value)
        for span in find_spans("Hi @pub.test https://x.com #tag")
    ]
    assert [facet["index"] for facet in facets] == [
        {"byteStart": 3, "byteEnd": 12},
        {"byteStart": 13, "byteEnd": 26},
        {"byteStart": 27, "byteEnd": 31},
    ]
    assert [facet["features"][0] for facet in facets] == [
        {"$type": "app.bsky.richtext.facet#mention", "did": "did:plc:x"},
        {"$type": "app.bsky.richtext.facet#link", "uri": "https://x.com"},
        {"$type": "app.bsky.richtext.facet#tag", "tag": "tag"},
    ]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("see https://x.com.", ["https://x.com"]),
        ("(https://x.com/a_(b))", ["https://x.com/a_(b)"]),
        ("https://x.com/#part", ["https://x.com/#part"]),
        ("mail me@pub.test", []),
        ("#1 #2026 #2026goals", ["2026goals"]),
        ("#", []),
        ("a#b", []),
        ("@pub and @pub.test.", ["pub.test"]),
        ("#one#two", ["one#two"]),
        ("x" + "#" + "a" * 65, []),
        ("#" + "a" * 65, []),
    ],
)
def test_what_is_marked(text: str, values: list[str]) -> None:
    assert [span.value for span in find_spans(text)] == values


@given(st.text(alphabet=st.sampled_from("ab .@#/:()é👩\u200d\nhttps://x.co"), max_size=80))
def test_spans_lie_on_characters_and_never_overlap(text: str) -> None:
    end = 0
    for span in find_spans(text):
        assert end <= span.start < span.end <= len(text.encode())
        text.encode()[span.start : span.end].decode()
        end = span.end
