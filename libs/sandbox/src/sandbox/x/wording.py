"""What X makes of a text: how it counts it, and how it shows it, with short links and escaped characters."""

from __future__ import annotations

import hashlib
import html
import unicodedata
from dataclasses import dataclass
from typing import Any

import regex

from sandbox.truth import Post

LINK_WEIGHT = 23
SHORT_TEXT_MAX = 280
_LINK = regex.compile(
    r"(?<![\w@#$.])(?:https?://[^\s\"<>]*[^\s\"<>.,;:!?'()]|(?:[a-z0-9-]+\.)+(?:com|org|net|io|co|app|dev|de|ch)\b)",
    regex.I,
)
_CASHTAG = regex.compile(r"(?<![\w$])\$[A-Za-z]{1,6}\b")
_LIGHT = regex.compile("[\u0000-\u10ff\u2000-\u200d\u2010-\u201f\u2032-\u2037]")


@dataclass(frozen=True)
class Shown:
    """A text as it is answered, with its links; `short` is cut where the whole is longer than 280."""

    text: str
    urls: list[dict[str, Any]]


def weight(text: str) -> int:
    """Counted by what a reader sees: a cluster with a picture in it is two, whatever it is made of."""
    text = unicodedata.normalize("NFC", text)
    plain, links = _LINK.subn("", text)
    total = links * LINK_WEIGHT
    for cluster in regex.findall(r"\X", plain):
        if regex.search(r"[\U0001f000-\U0001faff\u2600-\u27bf\u20e3]", cluster):
            total += 2
        else:
            total += sum(1 if _LIGHT.fullmatch(character) else 2 for character in cluster)
    return total


def cashtags(text: str) -> int:
    return len(_CASHTAG.findall(text))


def show(post: Post, permalink: str) -> Shown:
    """Each link becomes a short one; files and a quoted post are links at the end."""
    urls: list[dict[str, Any]] = []
    parts, position = [], 0
    for match in _LINK.finditer(post.text):
        parts.append(html.escape(post.text[position : match.start()], quote=False))
        address = match[0] if "://" in match[0] else f"http://{match[0]}"
        parts.append(_shorten(urls, parts, address))
        position = match.end()
    parts.append(html.escape(post.text[position:], quote=False))
    quoted = post.settings.get("quote_tweet_id")
    if quoted:
        _append(urls, parts, f"https://x.com/i/status/{quoted}")
    keys = post.settings.get("media_keys", ())
    if keys:
        kind = "video" if post.media[0].content_type.startswith("video/") else "photo"
        _append(urls, parts, f"{permalink}/{kind}/1", media_key=keys[0])
    return Shown("".join(parts), urls)


def _append(urls: list[dict[str, Any]], parts: list[str], address: str, **more: Any) -> None:
    if "".join(parts):
        parts.append(" ")
    parts.append(_shorten(urls, parts, address, **more))


def _shorten(urls: list[dict[str, Any]], before: list[str], address: str, **more: Any) -> str:
    short = "https://t.co/" + hashlib.sha256(address.encode()).hexdigest()[:10]
    start = len("".join(before))
    shown = {"start": start, "end": start + len(short), "url": short, "expanded_url": address}
    urls.append(shown | {"display_url": address.partition("://")[2][:26]} | more)
    return short
