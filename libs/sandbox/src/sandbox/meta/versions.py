"""Which versions a Graph answers as: one that has ended is answered as the oldest that has not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

from sandbox.meta.answers import GraphError

_VERSION = re.compile(r"v(\d+)\.(\d+)")


class Versions:
    """The versions of one product, each with the day from which it is answered no more (None: not announced)."""

    def __init__(self, sunsets: Mapping[str, date | None]) -> None:
        self.sunsets = dict(sunsets)

    def split(self, path: str, today: date) -> tuple[str, str]:
        """The version that answers, and the path below it. A path without one gets the oldest."""
        first, _, rest = path.strip("/").partition("/")
        if not _VERSION.fullmatch(first):
            return self._oldest(today), path.strip("/")
        if first not in self.sunsets and _order(first) > max(map(_order, self.sunsets)):
            raise GraphError(2500, f"Unknown path components: /{first}")
        return (first if self._answered(first, today) else self._oldest(today)), rest

    def _answered(self, version: str, today: date) -> bool:
        sunset = self.sunsets.get(version, date.min)
        return sunset is None or today < sunset

    def _oldest(self, today: date) -> str:
        return min((version for version in self.sunsets if self._answered(version, today)), key=_order)


def _order(version: str) -> tuple[int, int]:
    found = _VERSION.fullmatch(version)
    assert found is not None
    return int(found[1]), int(found[2])
