"""Every letter has words in every language, about the same facts."""

from __future__ import annotations

import pytest
from auth.domain.letter_words import LANGUAGES, named_in, render
from auth.domain.letters import PROOF_OF, LetterKind


@pytest.mark.parametrize("kind", LetterKind)
def test_a_letter_says_the_same_in_every_language(kind: LetterKind):
    facts = {language: [named_in(each) for each in words[kind].paragraphs] for language, words in LANGUAGES.items()}
    assert all(named == facts["en"] for named in facts.values()), facts
    assert len({words[kind].subject for words in LANGUAGES.values()}) == len(LANGUAGES)


@pytest.mark.parametrize("kind", LetterKind)
def test_a_letter_has_a_link_exactly_if_it_proves_something(kind: LetterKind):
    letter = render(kind, {"link": "https://web.example/#/x?token=y", "web": "https://web.example"}, "en")
    assert ("token=y" in letter.text) == (kind in PROOF_OF)
    assert "token=y" not in repr(letter)
