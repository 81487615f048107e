"""What letters say, in the languages there are. A new kind needs words in each; a new language is one file more."""

from __future__ import annotations

import html
import re
import string
from collections.abc import Mapping
from dataclasses import dataclass, field

from auth.domain.letter_words import english, german
from auth.domain.letter_words.words import Words
from auth.domain.letters import LetterKind

FALLBACK = "en"

LANGUAGES: Mapping[str, Mapping[LetterKind, Words]] = {"en": english.WORDS, "de": german.WORDS}

CLOSINGS: Mapping[str, str] = {"en": english.CLOSING, "de": german.CLOSING}

FACT_CHARACTERS_MAX = 2000
"""Names are far shorter; an operator's notice of an incident fits."""

_LINKS = ("link", "web")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\s]+")


@dataclass(frozen=True)
class Rendered:
    """A letter in words. The text may hold a token, so it is kept out of every print."""

    language: str
    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)


def render(kind: LetterKind, facts: Mapping[str, str], language: str | None) -> Rendered:
    """The words for a kind of letter. A paragraph is left out if a fact that it names was not given."""
    chosen = (language or FALLBACK).partition("-")[0]
    if chosen not in LANGUAGES:
        chosen = FALLBACK
    words, known = LANGUAGES[chosen][kind], {name: _clean(value) for name, value in facts.items()}
    said = [paragraph for paragraph in (*words.paragraphs, CLOSINGS[chosen]) if named_in(paragraph) <= known.keys()]
    marked = {name: _as_html(name, value) for name, value in known.items()}
    body = "".join(f"<p>{html.escape(paragraph, quote=False).format_map(marked)}</p>" for paragraph in said)
    return Rendered(
        language=chosen,
        subject=words.subject,
        text="\n\n".join(paragraph.format_map(known) for paragraph in said) + "\n",
        html=f'<!doctype html><html lang="{chosen}"><meta charset="utf-8"><title>{html.escape(words.subject)}</title>'
        f"<body>{body}</body></html>",
    )


def named_in(paragraph: str) -> set[str]:
    """The facts that a paragraph needs."""
    return {name for _, name, _, _ in string.Formatter().parse(paragraph) if name}


def _clean(value: str) -> str:
    """A fact on one line: what a person called something must not look like words of ours."""
    return _UNPRINTABLE.sub(" ", value).strip()[:FACT_CHARACTERS_MAX]


def _as_html(name: str, value: str) -> str:
    shown = html.escape(value)
    return f'<a href="{shown}" rel="noreferrer">{shown}</a>' if name in _LINKS else shown
