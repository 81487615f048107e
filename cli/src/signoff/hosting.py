"""A system that runs beside its user: started and stopped as a context manager, in a task of its own.

Litestar's lifespan must end in the task that began it, which the two halves of a test's fixture do not share.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Self


class Hosted(ABC):
    """Everything between entering and leaving runs in one task. Cancelled while it starts, it leaves nothing behind."""

    def __init__(self) -> None:
        self._started = asyncio.Event()
        self._ended = asyncio.Event()
        self._failure: Exception | None = None
        self._task: asyncio.Task[None] | None = None

    @abstractmethod
    def _running(self) -> AbstractAsyncContextManager[None]:
        """Start everything, and stop it in reverse."""

    def fail(self, error: Exception) -> None:
        """Something that cannot be mended happened: whoever waits for the end gets to know it."""
        self._failure = self._failure or error
        self._ended.set()

    async def failed(self) -> None:
        """Wait until the system ends on its own; raises why."""
        assert self._task is not None
        await asyncio.shield(self._task)

    async def _host(self) -> None:
        async with self._running():
            self._started.set()
            await self._ended.wait()
        if self._failure is not None:
            raise self._failure

    async def __aenter__(self) -> Self:
        self._task = asyncio.ensure_future(self._host())
        started = asyncio.ensure_future(self._started.wait())
        try:
            await asyncio.wait({self._task, started}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            raise
        finally:
            started.cancel()
        if self._task.done():
            await self._task
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._task is not None
        self._ended.set()
        if error is None:
            await self._task
        else:
            # What went wrong inside is what matters; how we end does not replace it.
            await asyncio.gather(self._task, return_exceptions=True)
