"""How many visible steps of a platform are under way at once, and how many have their intent written ahead of that.

Each platform has its own: one that hangs holds up no other.

To write an intent takes as long as a quick platform takes to answer. So that its turn is not spent on that, a
publication may write it while it waits for its turn. It never waits long with it: nobody could say whether it is being
published. When turns come slowly, an intent is written only by who has its turn already.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager

from platforms.errors import Transient

from publisher.ports import Turn

CALLS_MAX = 64
"""Visible steps of a platform under way at once."""

AHEAD_MAX = 64
"""Publications that have written their intent, or are writing it, and wait for their turn."""

WAIT_SECONDS = 5.0
"""Longest wait for a turn with an intent; a quarter of the lease that began with it."""

SLOW_SECONDS = 0.5
"""Turns come slowly if none has ended for so long."""

SLOW_FOR_SECONDS = 60.0
"""How long it is believed that turns come slowly, after one waited in vain."""


class CallSlots:
    """Satisfies `ports.CallSlots` for one process."""

    def __init__(self) -> None:
        self._of: defaultdict[str, SlotsOfPlatform] = defaultdict(SlotsOfPlatform)

    def begin(self, platform: str) -> AbstractAsyncContextManager[Turn]:
        return self._of[platform].begin()


class SlotsOfPlatform:
    """The turns of one platform."""

    def __init__(self, calls_max: int = CALLS_MAX, ahead_max: int = AHEAD_MAX) -> None:
        self._calls = asyncio.Semaphore(calls_max)
        self._begun = asyncio.Semaphore(calls_max + ahead_max)
        self._ended_at = time.monotonic()
        self._slow_until = 0.0

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Turn]:
        async with self._begun:
            if not self._slow:
                yield self._take
                return
            await self._calls.acquire()
            with self._ending():
                yield _taken

    @property
    def _slow(self) -> bool:
        now = time.monotonic()
        return now < self._slow_until or (self._calls.locked() and now - self._ended_at > SLOW_SECONDS)

    @asynccontextmanager
    async def _take(self) -> AsyncIterator[None]:
        if self._calls.locked():
            await self._wait()
        else:
            await self._calls.acquire()
        with self._ending():
            yield

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._calls.acquire()
        except TimeoutError:
            self._slow_until = time.monotonic() + SLOW_FOR_SECONDS
            raise Transient("no_turn", "the platforms answer slowly, and others were before it") from None

    @contextmanager
    def _ending(self) -> Iterator[None]:
        try:
            yield
        finally:
            self._ended_at = time.monotonic()
            self._calls.release()


@asynccontextmanager
async def _taken() -> AsyncIterator[None]:
    yield
