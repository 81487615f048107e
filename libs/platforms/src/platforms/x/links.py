"""Which pieces of a text X makes links of, with and without `https://` in front."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import regex

from platforms.x.domains import COUNTRIES, GENERIC

LABEL_MAX = 63
"""Bytes of one part of a host name, as the domain name system writes it."""
SHORTENED_PATH_MAX = 40
"""X's own short links have shorter paths than this; a longer one is no link."""

# A host's characters: no spaces, no ASCII punctuation, no controls, no marks of direction.
_CHARACTER = r"[^\s\p{Cc}\x21-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e\u061c\u2000-\u206f\ufeff\ufffe\uffff]"
_LABEL = rf"{_CHARACTER}(?:[-_]*{_CHARACTER})*+"
_NAME = rf"{_CHARACTER}(?:-*{_CHARACTER})*?"
_ASCII_NAME = r"[a-z0-9\u00c0-\u024f](?:[-_]*[a-z0-9\u00c0-\u024f])*"
_LISTED = r"(?:\L<tops>|xn--[-0-9a-z]+)(?![0-9a-z@+_-])"
_FOREIGN = r"[[\p{L}\p{M}]--[a-z\u00c0-\u024f]]{2,}"
_UNLISTED = r"[a-z]{3,}(?![0-9a-z@+_-])"

_IN_PATH = r"[a-z0-9\p{Cyrillic}\u00c0-\u024f!*';:=+,.$/%#\[\]\-\u2013_~@|&]"
_ENDS_PATH = r"[a-z0-9\p{Cyrillic}\u00c0-\u024f=_#/+\-]"
_BRACKETS = rf"\((?:{_IN_PATH}|\({_IN_PATH}*\))*\)"
_REST = (
    r"(?::[0-9]+)?"
    rf"(?:/(?:(?:{_IN_PATH}|{_BRACKETS})*(?:{_ENDS_PATH}|{_BRACKETS}))?)?"
    r"(?:\?[a-z0-9!?*'@();:&=+$/%#\[\]\-_.,~|]*[a-z0-9\-_&=#/])?"
)
_BEFORE = r"(?<![a-z0-9@＠$#＃\ufffe\ufeff\uffff])"
_FLAGS = regex.IGNORECASE | regex.VERSION1

_LINK = regex.compile(
    rf"{_BEFORE}(?:https?://(?P<host>(?:{_LABEL}\.)*{_NAME}\.(?:{_LISTED}|{_FOREIGN}))"
    rf"|(?<![-_./])(?P<bare>(?:{_ASCII_NAME}\.)+{_LISTED})){_REST}",
    _FLAGS,
    tops=COUNTRIES | GENERIC,
)
_NEWER = regex.compile(rf"{_BEFORE}https?://(?P<host>(?:{_LABEL}\.)+{_UNLISTED}){_REST}", _FLAGS)
_SHORTENED = regex.compile(
    r"(?:https?://)?t\.co/([a-z0-9]+)(?:\?[a-z0-9!?*'();:&=+$/%#\[\]\-_.,~|@]*[a-z0-9_&=#/-])?", _FLAGS
)


@dataclass(frozen=True)
class Link:
    """A piece of text by its characters, `end` exclusive. `certain` is False where only its scheme says so."""

    start: int
    end: int
    certain: bool = True


def find_links(text: str) -> list[Link]:
    """Links in order; they never overlap."""
    found = list(_matches(_LINK, text, certain=True))
    newer = (
        link
        for link in _matches(_NEWER, text, certain=False)
        if not any(link.start < other.end and other.start < link.end for other in found)
    )
    return sorted([*found, *newer], key=lambda link: link.start)


def _matches(pattern: regex.Pattern[str], text: str, *, certain: bool) -> Iterator[Link]:
    for match in pattern.finditer(text):
        groups = match.groupdict()
        host = groups["host"] or groups["bare"]
        end = match.end()
        if host.lower() == "t.co":
            end = _shortened_end(match[0], match.start())
        if end > match.start() and all(_fits(label) for label in host.split(".")):
            yield Link(match.start(), end, certain)


def _shortened_end(link: str, start: int) -> int:
    """A short link ends with its path of letters and digits, whatever is written behind it."""
    found = _SHORTENED.match(link)
    if found is None:
        return start + len(link)
    return start + len(found[0]) if len(found[1]) <= SHORTENED_PATH_MAX else start


def _fits(label: str) -> bool:
    if label.isascii():
        return len(label) <= LABEL_MAX
    return not label.lower().startswith("xn--") and len(label.encode("punycode")) + len("xn--") <= LABEL_MAX
