"""A post's text as X counts it: a link is 23, an emoji 2, a letter 1 or 2 (twitter-text, configuration 3)."""

from __future__ import annotations

import unicodedata

import regex

from platforms.x.links import find_links

LINK_WEIGHT = 23
HEAVY_WEIGHT = 2
_LIGHT = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))
"""The code points that weigh one: Latin to Georgian, and common punctuation."""

_EMOJI = regex.compile(
    r"\p{Regional_Indicator}{2}"
    r"|[0-9#*]\ufe0f?\u20e3"
    r"|[\u00a9\u00ae]\ufe0f"
    r"|[\p{Extended_Pictographic}--\u00a9\u00ae](?!\ufe0e)(?:\ufe0f|\p{Emoji_Modifier})?"
    r"(?:\u200d\p{Extended_Pictographic}(?:\ufe0f|\p{Emoji_Modifier})?)*(?:[\U000e0020-\U000e007e]+\U000e007f)?",
    regex.VERSION1,
)


def weighted_length(text: str) -> int:
    """The length that X's limit of 280 is about."""
    text = unicodedata.normalize("NFC", text)
    total = position = 0
    for link in find_links(text):
        total += _weigh(text[position : link.start])
        # One that X may not know for a link is counted as what weighs more.
        total += LINK_WEIGHT if link.certain else max(LINK_WEIGHT, _weigh(text[link.start : link.end]))
        position = link.end
    return total + _weigh(text[position:])


def _weigh(text: str) -> int:
    plain, emoji = _EMOJI.subn("", text)
    return HEAVY_WEIGHT * emoji + sum(map(_weight, plain))


def _weight(character: str) -> int:
    code = ord(character)
    return 1 if any(first <= code <= last for first, last in _LIGHT) else HEAVY_WEIGHT
