"""The clock's edge: says that schedules are due, at the second.

Each scheduler holds a share of the next minute in memory and announces it from there. Its share is its own as long as
it is alive: it says so every second, and what a dead one held is taken over by the others. A leap of the clock neither
skips nor repeats: what is due is asked of the row, in the transaction that announces it.
"""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from uuid import UUID, uuid4

import structlog
from kit.background import Loop
from kit.clock import Clock
from kit.database import Scope, Units
from opentelemetry.trace import Tracer

from scheduler.domain.lookahead import AHEAD, Lookahead
from scheduler.ports import Store
from scheduler.use_cases.announce_due import BATCH, announce

log = structlog.get_logger("clockwork")

LOOK_EVERY_SECONDS = 1.0
"""How often a scheduler says that it is alive, and takes what has come within the next minute."""

ALIVE_SECONDS = 3.0
"""Who has not said so for this long is dead: three times missed."""

PAUSE_SECONDS_MAX = 0.5
"""Looks at the clock at least this often, so that a leap is noticed."""

OVERDUE = timedelta(seconds=30)
"""What is not announced by then is taken by whoever has nothing due, although somebody alive holds it: who holds it has
forgotten it, or far too much to do. What fits into memory is announced within a tenth of this."""

LANES = 2
"""Transactions of a burst under way at once: what one waits for PostgreSQL, the other works."""

_CLAIM_MAX = 2_000


class Clockwork:
    """One scheduler's share of what is to come."""

    def __init__(self, units: Units[Store], clock: Clock, tracer: Tracer) -> None:
        self._units = units
        self._clock = clock
        self._tracer = tracer
        self._holder: UUID = uuid4()
        self._lookahead = Lookahead()
        self._in_doubt = False
        self._looks_at = 0.0
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """A schedule was made or moved in this process: look at once."""
        self._looks_at = 0.0
        self._woken.set()

    def loop(self) -> Loop:
        return Loop("announce", self._step, self._woken)

    async def _step(self) -> float:
        if time.monotonic() >= self._looks_at:
            await self._look()
        due = self._lookahead.take_due(self._clock.now(), BATCH * LANES)
        if due:
            lanes = [self._announce(due[start : start + BATCH]) for start in range(0, len(due), BATCH)]
            ended = await asyncio.gather(*lanes, return_exceptions=True)
            for error in filter(None, ended):
                raise error
            return 0
        return self._pause_seconds()

    async def _look(self) -> None:
        """Say that we are alive, and take what is due within the minute and nobody alive holds."""
        self._looks_at = time.monotonic() + LOOK_EVERY_SECONDS
        async with self._units(Scope.worker()) as store:
            if not await store.stay_alive(self._holder, ALIVE_SECONDS) or self._in_doubt:
                # What we held is others', or is held by us and not in memory: it is asked for again.
                await store.let_go(self._holder)
                self._lookahead.forget()
            limit = min(self._lookahead.room, _CLAIM_MAX)
            # Until it is known that this was committed.
            self._in_doubt = True
            now = self._clock.now()
            next_due_at = self._lookahead.next_due_at()
            overdue = None if next_due_at and next_due_at <= now else now - OVERDUE
            claimed = await store.hold_until(now + AHEAD, overdue=overdue, holder=self._holder, limit=limit)
        self._in_doubt = False
        self._lookahead.hold(claimed)
        if claimed and len(claimed) == limit:
            self._looks_at = 0.0

    async def _announce(self, due: list[UUID]) -> None:
        try:
            async with self._units(Scope.worker()) as store:
                lost = await announce(due, holder=self._holder, now=self._clock.now(), store=store, tracer=self._tracer)
        except Exception:
            # Whether it was written is not known. The rows are asked again, once the database answers.
            self._in_doubt = True
            self._looks_at = 0.0
            raise
        if lost:
            self._looks_at = 0.0

    def _pause_seconds(self) -> float:
        next_due_at = self._lookahead.next_due_at()
        until_look = max(self._looks_at - time.monotonic(), 0.0)
        if next_due_at is None:
            return min(until_look, PAUSE_SECONDS_MAX)
        ahead_seconds = max((next_due_at - self._clock.now()).total_seconds(), 0.0)
        return min(ahead_seconds, until_look, PAUSE_SECONDS_MAX)
