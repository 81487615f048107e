"""How long a text is, in the units that platforms count in."""

from __future__ import annotations

import regex

from platforms.limits import TextUnit

_GRAPHEME = regex.compile(r"\X")


def code_points(text: str) -> int:
    return len(text)


def utf16_units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def utf8_bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def graphemes(text: str) -> int:
    """User-perceived characters (Unicode UAX 29)."""
    return sum(1 for _ in _GRAPHEME.finditer(text))


COUNTERS = {
    TextUnit.CODE_POINTS: code_points,
    TextUnit.UTF16_UNITS: utf16_units,
    TextUnit.UTF8_BYTES: utf8_bytes,
    TextUnit.GRAPHEMES: graphemes,
}
"""By unit; how X and Threads count is their own business."""
