"""Requests that come together are answered together, each with its own answer or error."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from kit.batching import Batcher


class Desk:
    """Doubles numbers, and remembers in which batches they came. Nothing is answered while it is closed."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.open = asyncio.Event()
        self.at_once = self.at_once_seen = 0

    async def __call__(self, items: Sequence[int]) -> list[int | Exception]:
        self.batches.append(list(items))
        self.at_once += 1
        self.at_once_seen = max(self.at_once, self.at_once_seen)
        await self.open.wait()
        self.at_once -= 1
        return [ValueError(f"{item}") if item < 0 else 2 * item for item in items]


async def ask(batcher: Batcher[int, int], *items: int) -> list[asyncio.Task[int]]:
    asked = [asyncio.create_task(batcher.do(item)) for item in items]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return asked


async def test_what_comes_while_a_batch_is_under_way_is_the_next_one():
    desk = Desk()
    batcher: Batcher[int, int] = Batcher(desk, size_max=3)
    first = await ask(batcher, 1)
    then = await ask(batcher, 2, 3, 4, 5)
    desk.open.set()
    assert await asyncio.gather(*first, *then) == [2, 4, 6, 8, 10]
    assert desk.batches == [[1], [2, 3, 4], [5]]
    assert desk.at_once_seen == 1


async def test_as_many_batches_run_side_by_side_as_allowed():
    desk = Desk()
    batcher: Batcher[int, int] = Batcher(desk, size_max=9, at_once_max=2)
    asked = [*await ask(batcher, 1), *await ask(batcher, 2), *await ask(batcher, 3)]
    desk.open.set()
    assert await asyncio.gather(*asked) == [2, 4, 6]
    assert desk.at_once_seen == 2


async def test_an_error_of_one_item_is_raised_for_it_alone():
    desk = Desk()
    desk.open.set()
    batcher: Batcher[int, int] = Batcher(desk, size_max=9)
    answers = await asyncio.gather(*(batcher.do(item) for item in (1, -2, 3)), return_exceptions=True)
    assert (answers[0], answers[2]) == (2, 6)
    assert isinstance(answers[1], ValueError)


async def test_an_error_of_the_work_is_raised_for_all_and_the_next_batch_works():
    broken = [True]

    async def work(items: Sequence[int]) -> list[int | Exception]:
        if broken.pop() if broken else False:
            raise ConnectionError
        return list(items)

    batcher: Batcher[int, int] = Batcher(work, size_max=9)
    answers = await asyncio.gather(batcher.do(1), batcher.do(2), return_exceptions=True)
    assert [type(answer) for answer in answers] == [ConnectionError, ConnectionError]
    assert await batcher.do(3) == 3


async def test_who_is_answered_may_ask_again_at_once():
    desk = Desk()
    desk.open.set()
    batcher: Batcher[int, int] = Batcher(desk, size_max=9)

    async def three_times() -> int:
        return await batcher.do(await batcher.do(await batcher.do(1)))

    assert await asyncio.wait_for(three_times(), 5) == 8


async def test_who_has_gone_away_spoils_nothing():
    desk = Desk()
    batcher: Batcher[int, int] = Batcher(desk, size_max=9)
    first = await ask(batcher, 1)
    gone, stays = await ask(batcher, 2, 3)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    desk.open.set()
    assert await asyncio.gather(*first, stays) == [2, 6]
    assert desk.batches == [[1], [3]]
