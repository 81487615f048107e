"""Loops that run beside the requests. A loop that dies takes the process with it, so that it is restarted and seen."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psycopg
import psycopg_pool
import structlog

from kit.problems import Unavailable

log = structlog.get_logger("background")

_OUTAGE_PAUSE_SECONDS = 2.0

_CANCEL_AGAIN_SECONDS = 0.2
"""Before Python 3.12 `asyncio.wait_for` loses a cancellation that meets its result, and both the connection
pool and nats-py wait with it. A loop that missed its cancellation is cancelled again."""


@dataclass(frozen=True)
class Loop:
    """A job that is done again and again.

    `step` does one bounded piece of work and returns how many seconds to wait until the next one (0: at once).
    `wake`, if given, ends the wait early.
    """

    name: str
    step: Callable[[], Awaitable[float]]
    wake: asyncio.Event | None = None

    async def run(self) -> None:
        while True:
            try:
                pause_seconds = await self.step()
            except (psycopg.OperationalError, psycopg_pool.PoolTimeout, Unavailable) as error:
                # What we depend on comes back by itself; restarting us would not repair it.
                log.warning("loop_waits", loop=self.name, reason=type(error).__name__)
                pause_seconds = _OUTAGE_PAUSE_SECONDS
            await self._wait(pause_seconds)

    async def _wait(self, pause_seconds: float) -> None:
        if self.wake is None:
            await asyncio.sleep(pause_seconds)
            return
        try:
            async with asyncio.timeout(pause_seconds):
                await self.wake.wait()
        except TimeoutError:
            return
        self.wake.clear()


class Supervisor:
    """Runs loops as tasks and knows whether all of them live."""

    def __init__(self, service: str, runs: Sequence[tuple[str, Callable[[], Awaitable[None]]]]) -> None:
        self._service = service
        self._runs = runs
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def alive(self) -> bool:
        return all(not task.done() for task in self._tasks)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Start the loops, and cancel them at the end of the block."""
        for name, run in self._runs:
            task = asyncio.ensure_future(run())
            task.set_name(f"{self._service}:{name}")
            task.add_done_callback(self._on_end)
            self._tasks.append(task)
        try:
            yield
        finally:
            await cancel(self._tasks)

    def _on_end(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            return
        log.critical("loop_died", loop=task.get_name(), exc_info=task.exception())
        os.kill(os.getpid(), signal.SIGTERM)


async def together(*runs: Coroutine[Any, Any, None]) -> None:
    """Run side by side until one raises, which ends the others too. Unlike a task group it sees to it that they end."""
    tasks = [asyncio.ensure_future(run) for run in runs]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()
    finally:
        await cancel(tasks)


async def cancel(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks and wait until they have ended, however often that takes."""
    pending = set(tasks)
    while pending := {task for task in pending if not task.done()}:
        for task in pending:
            task.cancel()
        # Who waits for this may be cancelled again meanwhile; ending now would leave tasks behind.
        with suppress(asyncio.CancelledError):
            await asyncio.wait(pending, timeout=_CANCEL_AGAIN_SECONDS)
