"""Whose turn it is while there is more to do than slots: every workspace that waits, one after the other."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from uuid import UUID

ROUND_MAX = 64
"""Workspaces that are asked for work in one claim."""

CLAIMS_OF_A_ROUND = 8
"""After so many claims it is asked anew who waits: a newcomer gets its turn that soon."""


class Turns:
    """A line of workspaces that goes round."""

    def __init__(self) -> None:
        self._line: deque[UUID] = deque()
        self._claims = 0
        self._last: UUID | None = None

    @property
    def outdated(self) -> bool:
        return not self._line or self._claims >= CLAIMS_OF_A_ROUND

    def begin(self, waiting: Iterable[UUID]) -> None:
        """Who waits now, going on behind whoever had the last turn."""
        line = sorted(waiting)
        behind = [workspace for workspace in line if self._last is None or workspace > self._last]
        self._line = deque(behind + line[: len(line) - len(behind)])
        self._claims = 0

    def take(self, slots: int) -> tuple[list[UUID], int]:
        """Whose turn it is for so many slots, and how many each gets."""
        self._claims += 1
        chosen = [self._line[at] for at in range(min(slots, ROUND_MAX, len(self._line)))]
        if not chosen:
            return [], 0
        self._line.rotate(-len(chosen))
        self._last = chosen[-1]
        return chosen, max(slots // len(chosen), 1)
