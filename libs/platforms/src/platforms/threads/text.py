"""How Threads reads a text: how long it is, and which addresses are in it."""

from __future__ import annotations

import unicodedata

import regex

from platforms.counting import utf8_bytes

_CLUSTER = regex.compile(r"\X")
_EMOJI = regex.compile(r"[\p{Extended_Pictographic}\p{Regional_Indicator}\ufe0f\u20e3]")
_LETTERLIKE = frozenset("©®™")
"""Unicode counts them among the pictographs, but without a selector they are shown as letters."""

_LINK = regex.compile(r"(?:https?://|www\.)[^\s<>\"]+", regex.IGNORECASE)
_AFTER_LINK = ".,;:!?)]}'’”…"


def threads_length(text: str) -> int:
    """Characters, but an emoji with all that belongs to it counts as its UTF-8 bytes."""
    if text.isascii():
        return len(text)
    return sum(utf8_bytes(cluster) if _is_emoji(cluster) else len(cluster) for cluster in _CLUSTER.findall(text))


def links_in(text: str) -> set[str]:
    """The different addresses in a text."""
    return {link.rstrip(_AFTER_LINK) for link in _LINK.findall(text)}


def comparable(text: str) -> str:
    """Two texts that differ only in what Threads may change are equal in this form: a topic loses its number sign."""
    return " ".join(unicodedata.normalize("NFC", text).replace("#", "").split())


def _is_emoji(cluster: str) -> bool:
    return cluster not in _LETTERLIKE and _EMOJI.search(cluster) is not None
