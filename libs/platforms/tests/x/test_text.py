"""The length that X's limit is about, against its published vectors where they are."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from platforms.x.domains import COUNTRIES, GENERIC
from platforms.x.links import find_links
from platforms.x.text import weighted_length

FAMILY = "👨‍👩‍👧‍👦"
DEPARTURES = {
    "Count a mix of single byte single word, and double word unicode characters",
    "Count unicode emoji chars outside the basic multilingual plane with skin tone modifiers",
}
"""Of the configuration before the one in force, which did not know emoji."""
NOT_FOUND = {"Extract domain followed by Japanese characters"}
"""A link without a scheme whose top-level domain is not written in ASCII."""


def published(file: str, *sections: str) -> Iterator[dict[str, Any]]:
    path = Path(os.environ.get("SIGNOFF_SPECS", "")) / "x" / "twitter-text" / file
    if not path.is_file():
        print(f"{file} is not here: set SIGNOFF_SPECS to check against X's own vectors")  # noqa: T201
        return
    document = yaml.load(path.read_text(), yaml.CSafeLoader)["tests"]
    for section in sections:
        yield from document[section]


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        ("", 0),
        ("Hi http://test.co", 26),
        ("Hi test.co", 26),
        (f"H🐱☺{FAMILY}", 7),
        ("🙋🏽👨‍🎤 🇨🇭 1⃣", 4 + 1 + 2 + 1 + 2),
        ("花よ", 4),
        ("A\u0301B", 2),
        ("“Grüße” – ‘ja’", 14),
        ("© ©️", 4),
        ("read README.md or node.js", 5 + 23 + 11),
        ("https://example.newtld/" + "a" * 40, 63),
        ("https://a.newtld", 23),
    ],
)
def test_the_weight_of_a_text(text: str, weight: int) -> None:
    assert weighted_length(text) == weight


def test_the_published_weights() -> None:
    sections = (
        "WeightedTweetsWithDiscountedEmojiCounterTest",
        "UnicodeDirectionalMarkerCounterTest",
        "WeightedTweetsCounterTest",
    )
    wrong = [
        case["description"]
        for case in published("conformance_validate.yml", *sections)
        if weighted_length(case["text"]) != case["expected"]["weightedLength"]
    ]
    assert set(wrong) <= DEPARTURES


def test_the_published_links() -> None:
    sections = ("urls", "tco_urls_with_params", "urls_with_directional_markers", "urls_with_indices")
    wrong = []
    for case in published("conformance_extract.yml", *sections):
        found = [case["text"][link.start : link.end] for link in find_links(case["text"]) if link.certain]
        expected = [entry if isinstance(entry, str) else entry["url"] for entry in case["expected"]]
        wrong += [case["description"]] if found != expected else []
    assert set(wrong) <= NOT_FOUND


def test_every_country_and_seven_in_ten_generic_domains_are_known() -> None:
    def ascii_names(section: str) -> set[str]:
        names = {case["text"].rpartition(".")[2].lower() for case in published("conformance_tlds.yml", section)}
        return {name for name in names if name.isascii()}

    assert ascii_names("country") <= COUNTRIES
    generic = ascii_names("generic")
    assert len(generic - GENERIC) <= 0.3 * len(generic)


@given(st.text(alphabet=st.sampled_from("ab .@#/:()é👩\u200d\ufe0f\n花https://x.co"), max_size=60))
def test_a_text_never_weighs_less_than_a_part_of_its_characters(text: str) -> None:
    links = find_links(text)
    assert all(link.start < link.end <= len(text) for link in links)
    assert all(first.end <= second.start for first, second in pairwise(links))
    assert weighted_length(text + " a") == weighted_length(text) + 2


def test_a_long_text_without_an_end_of_a_link_is_counted_quickly() -> None:
    assert weighted_length("https://example.com/" + "(" * 20_000 + " ,") > 23
    assert weighted_length("a-" * 12_000) == 24_000
