"""How LinkedIn reads “little text”: elements and escapes. An unescaped reserved character ends the text, silently."""

from __future__ import annotations

import re

_TOKENS = re.compile(
    r"\\(?P<escaped>[|{}@\[\]()<>#\\*_~])"
    r"|@\[(?P<name>(?:\\.|[^\]\\])+)\]\(urn:li:(?:person|organization):[\w-]+\)"
    r"|\{hashtag\|\\#\|(?P<tag>(?:\\.|[^}\\])+)\}"
    r"|(?P<bare>#\w+)"
    r"|(?P<plain>[^|{}@\[\]()<>#\\*_~]+)"
)


def shown(commentary: str) -> str:
    """What a reader gets to see."""
    parts, position = [], 0
    while token := _TOKENS.match(commentary, position):
        name, tag = token["name"], token["tag"]
        inner = name or tag
        said = f"{'@' if name else '#'}{shown(inner)}" if inner else token["escaped"] or token[0]
        parts.append(said)
        position = token.end()
    return "".join(parts)
