"""LinkedIn's “little text”: plain words with escapes, mentions and hashtags.

A reserved character without its backslash silently ends the post there, so every one is escaped that is not part of a
mention or a hashtag of ours.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from platforms.linkedin.settings import Mention

_RESERVED = re.compile(r"[|{}@\[\]()<>#\\*_~]")
_HASHTAG = r"(?<![\w#&/])#(?P<tag>\w*[^\W\d_]\w*)"
_ELEMENTS = re.compile(
    r"\\(?P<escaped>.)"
    r"|@\[(?P<name>(?:\\.|[^\]\\])*)\]\((?:\\.|[^)\\])*\)"
    r"|\{hashtag\|(?:\\#|#|＃)\|(?P<tag>(?:\\.|[^}\\])*)\}",
    re.DOTALL,
)


def little_text(text: str, mentions: Sequence[Mention] = ()) -> str:
    """The text as LinkedIn takes it."""
    by_name = {mention.name: mention.urn for mention in mentions}
    names = "|".join(re.escape(name) for name in sorted(by_name, key=len, reverse=True))
    marks = re.compile(rf"@(?P<name>{names})(?!\w)|{_HASHTAG}" if names else rf"(?P<name>(?!))|{_HASHTAG}")
    parts, end = [], 0
    for mark in marks.finditer(text):
        parts.append(escaped(text[end : mark.start()]))
        name, tag = mark["name"], mark["tag"]
        parts.append(f"@[{escaped(name)}]({by_name[name]})" if name else rf"{{hashtag|\#|{escaped(tag)}}}")
        end = mark.end()
    return "".join([*parts, escaped(text[end:])])


def plain_text(commentary: str) -> str:
    """What a reader sees of it, for comparing: LinkedIn may send the same words back in another spelling."""
    return _ELEMENTS.sub(_plain, commentary)


def escaped(text: str) -> str:
    return _RESERVED.sub(r"\\\g<0>", text)


def unmentioned(text: str, mentions: Sequence[Mention]) -> list[str]:
    """Names that are to be linked but do not stand in the text."""
    return [mention.name for mention in mentions if not re.search(rf"@{re.escape(mention.name)}(?!\w)", text)]


def _plain(element: re.Match[str]) -> str:
    if element["escaped"] is not None:
        return element["escaped"]
    if element["name"] is not None:
        return "@" + plain_text(element["name"])
    return "#" + plain_text(element["tag"])
