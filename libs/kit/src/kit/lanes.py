"""In what order messages that wait in memory are handled: those of one aggregate in order, the others side by side."""

from __future__ import annotations

from collections import deque
from typing import Protocol

from kit.pull import Delivery


class Waiting(Protocol):
    """Messages that came and are not handled yet."""

    def add(self, delivery: Delivery) -> None: ...

    def take(self) -> list[Delivery]:
        """What can be handled now, together; empty if nothing can."""

    def finish(self, taken: list[Delivery]) -> None:
        """What was taken is done with."""


class Lanes:
    """One message at a time of each aggregate. A lane exists as long as something of its aggregate is unfinished."""

    def __init__(self) -> None:
        self._lanes: dict[str, deque[Delivery]] = {}
        self._free: deque[deque[Delivery]] = deque()

    def add(self, delivery: Delivery) -> None:
        aggregate = _aggregate(delivery)
        lane = self._lanes.get(aggregate)
        if lane is None:
            lane = self._lanes[aggregate] = deque((delivery,))
            self._free.append(lane)
        else:
            lane.append(delivery)

    def take(self) -> list[Delivery]:
        return [self._free.popleft()[0]] if self._free else []

    def finish(self, taken: list[Delivery]) -> None:
        for delivery in taken:
            aggregate = _aggregate(delivery)
            lane = self._lanes[aggregate]
            lane.popleft()
            if lane:
                self._free.append(lane)
            else:
                del self._lanes[aggregate]


class Batches:
    """Everything in the order in which it came, up to `size` at a time. For one worker only."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._line: deque[Delivery] = deque()

    def add(self, delivery: Delivery) -> None:
        self._line.append(delivery)

    def take(self) -> list[Delivery]:
        return [self._line.popleft() for _ in range(min(self._size, len(self._line)))]

    def finish(self, taken: list[Delivery]) -> None:
        """Nothing waits for a batch but the worker itself."""


def _aggregate(delivery: Delivery) -> str:
    # What names no aggregate is no event of ours, and may wait for its like.
    return delivery.headers.get("ce-subject", "")
