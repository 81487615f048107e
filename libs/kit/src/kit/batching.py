"""Many small requests answered in few large ones: while one batch is under way, the next one collects.

Nobody waits for a batch to fill. A request alone is a batch of one, at once; under load a batch is what came while the
one before was under way.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

Work = Callable[[Sequence[Item]], Awaitable[Sequence[Result | Exception]]]
"""Answers every item, in order. An exception among the results is raised for its item alone; one that is raised, for
the whole batch."""


class Batcher(Generic[Item, Result]):
    """Hands what is asked to `work`, at most `size_max` at a time and `at_once_max` batches side by side."""

    def __init__(self, work: Work[Item, Result], *, size_max: int, at_once_max: int = 1) -> None:
        self._work = work
        self._size_max = size_max
        self._at_once_max = at_once_max
        self._waiting: deque[tuple[Item, asyncio.Future[Result]]] = deque()
        self._draining: set[asyncio.Task[None] | None] = set()

    async def do(self, item: Item) -> Result:
        """The result of one item. Whoever is cancelled meanwhile gets none, but the item may have been worked on."""
        answer: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, answer))
        if len(self._draining) < self._at_once_max:
            drain = asyncio.create_task(self._drain(), name="batch")
            self._draining.add(drain)
            drain.add_done_callback(self._draining.discard)
        return await answer

    async def _drain(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(self._size_max, len(self._waiting)))]
            batch = [(item, answer) for item, answer in batch if not answer.done()]
            if batch:
                await self._answer(batch)
        # Here and not when the task is seen to have ended: who is answered may ask again before that.
        self._draining.discard(asyncio.current_task())

    async def _answer(self, batch: list[tuple[Item, asyncio.Future[Result]]]) -> None:
        answers = [answer for _, answer in batch]
        try:
            results = await self._work([item for item, _ in batch])
        except asyncio.CancelledError:
            for answer in answers:
                answer.cancel()
            raise
        except Exception as error:
            results = [error] * len(batch)
        for answer, result in zip(answers, results, strict=True):
            if answer.done():
                continue
            if isinstance(result, Exception):
                answer.set_exception(result)
            else:
                answer.set_result(result)
