"""Post text as Bluesky counts and marks it: graphemes, UTF-8 bytes, facets for links, mentions, tags."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import regex

from platforms.bluesky.limits import TAG_GRAPHEMES_MAX
from platforms.counting import graphemes

_LINK = regex.compile(r"(?<![\p{L}\p{N}@/])https?://[^\s<>\"]+", regex.IGNORECASE)
_MENTION = regex.compile(
    r"(?<![\p{L}\p{N}@./])@((?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?)",
    regex.IGNORECASE,
)
_TAG = regex.compile(r"(?<![^\s(\[{])[#＃]((?!\ufe0f)[^\s\u00ad\u2060\u200a-\u200d\u20e2]+)")
HANDLE_MAX = 253
_CLOSERS = {")": "(", "]": "[", "}": "{"}


class Mark(StrEnum):
    LINK = "link"
    MENTION = "mention"
    TAG = "tag"


@dataclass(frozen=True)
class Span:
    """A marked piece of text: UTF-8 byte offsets (end exclusive) and what it stands for."""

    mark: Mark
    start: int
    end: int
    value: str

    def to_facet(self, value: str) -> dict[str, Any]:
        """The facet object; for a mention `value` is the account's DID."""
        key = {Mark.LINK: "uri", Mark.MENTION: "did", Mark.TAG: "tag"}[self.mark]
        return {
            "index": {"byteStart": self.start, "byteEnd": self.end},
            "features": [{"$type": f"app.bsky.richtext.facet#{self.mark}", key: value}],
        }


def find_spans(text: str) -> list[Span]:
    """Links, mentions and tags in order. They never overlap: the first to begin wins."""
    spans: list[Span] = []
    for span in sorted(_candidates(text), key=lambda span: (span.start, span.mark)):
        if not spans or span.start >= spans[-1].end:
            spans.append(span)
    return spans


def _candidates(text: str) -> Iterator[Span]:
    for match in _LINK.finditer(text):
        link = _trimmed(match[0])
        yield _span(text, Mark.LINK, match.start(), match.start() + len(link), link)
    for match in _MENTION.finditer(text):
        if len(match[1]) <= HANDLE_MAX:
            yield _span(text, Mark.MENTION, match.start(), match.end(), match[1].lower())
    for match in _TAG.finditer(text):
        tag = regex.sub(r"\p{P}+$", "", match[1])
        if tag and not tag.isdigit() and graphemes(tag) <= TAG_GRAPHEMES_MAX:
            yield _span(text, Mark.TAG, match.start(), match.start() + 1 + len(tag), tag)


def _trimmed(link: str) -> str:
    """Leave out punctuation that ends the sentence, and a bracket that was opened outside the link."""
    while link and (
        link[-1] in ".,;:!?'*" or (link[-1] in _CLOSERS and link.count(_CLOSERS[link[-1]]) < link.count(link[-1]))
    ):
        link = link[:-1]
    return link


def _span(text: str, mark: Mark, start: int, end: int, value: str) -> Span:
    before = len(text[:start].encode())
    return Span(mark, before, before + len(text[start:end].encode()), value)
