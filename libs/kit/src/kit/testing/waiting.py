"""Wait for a fact instead of a time. Tests of anything that happens elsewhere use this and never sleep."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar, cast, overload

Value = TypeVar("Value")

# Short enough to add nothing one would notice, and growing so that a long wait does not busy the machine.
FIRST_PAUSE_SECONDS = 0.005
LONGEST_PAUSE_SECONDS = 0.1


@overload
async def wait_for(
    predicate: Callable[[], Awaitable[Value]], timeout_seconds: float = ..., *, what: str | None = ...
) -> Value: ...


@overload
async def wait_for(
    predicate: Callable[[], Value], timeout_seconds: float = ..., *, what: str | None = ...
) -> Value: ...


async def wait_for(
    predicate: Callable[[], Value | Awaitable[Value]], timeout_seconds: float = 10.0, *, what: str | None = None
) -> Value:
    """Call the predicate until it gives something true, and return that; fail with the last value it gave."""
    deadline = time.monotonic() + timeout_seconds
    pause = FIRST_PAUSE_SECONDS
    while True:
        answer = predicate()
        value = cast("Value", await answer if inspect.isawaitable(answer) else answer)
        if value:
            return value
        if time.monotonic() > deadline:
            name = what or getattr(predicate, "__qualname__", repr(predicate))
            raise AssertionError(f"waited {timeout_seconds} s for {name}; its last value was {value!r}")
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE_SECONDS)
