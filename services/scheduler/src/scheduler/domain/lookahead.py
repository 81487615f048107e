"""The next minute's schedules, held in memory so that each is announced at its second without a search."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

AHEAD = timedelta(minutes=1)
"""What is due within it is held: a burst is in memory long before its second."""

HELD_MAX = 20_000
"""A few megabytes. What is beyond it is held as soon as there is room: it is not due earlier."""


class Held(NamedTuple):
    """A schedule that is ours to announce. A tuple, because ten thousand are put in order at once."""

    due_at: datetime
    schedule_id: UUID


class Lookahead:
    """What one scheduler holds, the earliest first. The rows decide: they know what was moved or taken back."""

    def __init__(self) -> None:
        self._heap: list[Held] = []

    @property
    def room(self) -> int:
        return HELD_MAX - len(self._heap)

    def hold(self, claimed: Iterable[Held]) -> None:
        for held in claimed:
            heapq.heappush(self._heap, held)

    def take_due(self, now: datetime, limit: int) -> list[UUID]:
        """At most so many whose time has come. They are not held any more."""
        due: list[UUID] = []
        while self._heap and self._heap[0].due_at <= now and len(due) < limit:
            due.append(heapq.heappop(self._heap).schedule_id)
        return due

    def next_due_at(self) -> datetime | None:
        return self._heap[0].due_at if self._heap else None

    def forget(self) -> None:
        self._heap.clear()
