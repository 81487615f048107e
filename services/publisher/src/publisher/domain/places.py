"""How many publications may be at work at once: in all, and of one platform.

A platform that hangs keeps its publications at work for as long as they wait for it. They take its places, and nobody
else's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

FEW = 6
"""A platform with less than a sixth of its places free gets nothing: a claim costs as much for one as for some."""

UNKNOWN = ""
"""The platform of what is not staged yet and came before its connection was known."""


class Places:
    """`each` a platform, `total` in all: a multiple of it, so that several platforms may hang together."""

    def __init__(self, each: int, total: int) -> None:
        self._each = each
        self._total = total
        self._taken: Counter[str] = Counter()

    def take(self, platforms: Iterable[str | None]) -> None:
        """None is what is not known to be of any platform yet. It has places as if that were one."""
        self._taken.update(platform or UNKNOWN for platform in platforms)

    def give_back(self, platform: str | None) -> None:
        self._taken[platform or UNKNOWN] -= 1

    @property
    def full(self) -> frozenset[str]:
        """The platforms that get nothing more before some of theirs have ended."""
        few = self._each // FEW
        return frozenset(name for name, taken in self._taken.items() if self._each - taken < few)

    def free(self, full: frozenset[str]) -> int:
        """How many may begin, so that none of the platforms that are not full gets more than it may; 0 for a few."""
        most = max((taken for name, taken in self._taken.items() if name not in full), default=0)
        free = min(self._each - most, self._total - self._taken.total())
        return free if free >= self._each // FEW else 0
