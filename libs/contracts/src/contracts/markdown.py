"""Tables of the generated pages."""

from __future__ import annotations

from collections.abc import Sequence


def table(heading: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [heading, tuple("---" for _ in heading), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"
