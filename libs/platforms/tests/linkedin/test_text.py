"""Little text: what is escaped, what is marked, what a reader sees."""

from __future__ import annotations

import pytest
from platforms.linkedin.settings import Mention
from platforms.linkedin.text import little_text, plain_text, unmentioned
from sandbox.linkedin.littletext import shown

BRAND = Mention("Brand One", "urn:li:organization:1")
BRANDS = Mention("Brand One Paints", "urn:li:organization:2")


@pytest.mark.parametrize("character", list("|{}@[]()<>#\\*_~"))
def test_every_reserved_character_is_escaped(character: str):
    assert little_text(f"a {character} b") == f"a \\{character} b"


@pytest.mark.parametrize(
    ("text", "commentary"),
    [
        ("#paint", r"{hashtag|\#|paint}"),
        ("(#red_door)", r"\({hashtag|\#|red\_door}\)"),
        ("C# and a#b", r"C\# and a\#b"),
        ("#1 of #2026goals", r"\#1 of {hashtag|\#|2026goals}"),
        ("https://example.test/a_b#c", r"https://example.test/a\_b\#c"),
        ("#Türen!", r"{hashtag|\#|Türen}!"),
        ("@Brand One", r"@[Brand One](urn:li:organization:1)"),
        ("@Brand One Paints and @Brand Ones", r"@[Brand One Paints](urn:li:organization:2) and \@Brand Ones"),
        ("me@example.test", r"me\@example.test"),
        ("", ""),
    ],
)
def test_marks_are_ours_and_everything_else_is_words(text: str, commentary: str):
    assert little_text(text, (BRAND, BRANDS)) == commentary
    assert plain_text(commentary) == text
    assert shown(commentary) == text


def test_an_unescaped_character_would_end_the_post():
    """What the escaping is for; the imitation does as LinkedIn does."""
    assert shown("Open (late) today") == "Open "


def test_the_same_words_in_another_spelling_are_the_same():
    assert plain_text(r"{hashtag|#|paint} a\-b") == plain_text(r"\#paint a-b")


def test_a_name_that_is_not_in_the_text_is_told():
    assert unmentioned("Hello @Brand One Paints", (BRAND, Mention("Nobody", "urn:li:person:x"))) == ["Nobody"]
