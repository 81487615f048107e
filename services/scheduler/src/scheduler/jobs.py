"""The clock's edge: says that schedules are due, at the second."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from kit.background import Loop
from kit.clock import Clock
from kit.database import Scope, Units
from opentelemetry.trace import Tracer

from scheduler.ports import Store
from scheduler.use_cases.announce_due import BATCH, announce_due

PAUSE_SECONDS_MAX = 0.5
"""Looks at least this often, so that a moved clock or another process's schedule is noticed."""


def announcing(units: Units[Store], clock: Clock, wake: asyncio.Event, tracer: Tracer) -> Loop:
    """The loop that announces; `wake` is set when a schedule was made in this process."""
    return Loop("announce", _step(units, clock, tracer), wake)


def _step(units: Units[Store], clock: Clock, tracer: Tracer) -> Callable[[], Awaitable[float]]:
    async def step() -> float:
        async with units(Scope.worker()) as store:
            if await announce_due(clock.now(), store=store, tracer=tracer) == BATCH:
                return 0
            next_due_at = await store.next_due_at()
        if next_due_at is None:
            return PAUSE_SECONDS_MAX
        ahead_seconds = (next_due_at - clock.now()).total_seconds()
        return min(max(ahead_seconds, 0), PAUSE_SECONDS_MAX)

    return step
