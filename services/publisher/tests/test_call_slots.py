"""So many calls at once, some intents ahead of them, and no intent that waits for ever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from platforms.errors import Transient
from publisher.jobs import call_slots
from publisher.jobs.call_slots import CallSlots, SlotsOfPlatform


class Steps:
    """Visible steps as `publish_publication` takes them: begun with an intent, then the call."""

    def __init__(self, slots: SlotsOfPlatform) -> None:
        self._slots = slots
        self._tasks: list[asyncio.Task[None]] = []
        self.begun = self.calling = self.refused = 0
        self.answer = asyncio.Semaphore(0)

    async def begin(self, count: int) -> None:
        self._tasks += [asyncio.create_task(self._step()) for _ in range(count)]
        await _settle()

    async def answered(self, count: int) -> None:
        for _ in range(count):
            self.answer.release()
        await _settle()

    async def _step(self) -> None:
        async with self._slots.begin() as turn:
            self.begun += 1
            try:
                async with turn():
                    self.calling += 1
                    try:
                        await self.answer.acquire()
                    finally:
                        self.calling -= 1
            except Transient:
                self.refused += 1

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _settle() -> None:
    """Let everything go as far as it can without time passing."""
    for _ in range(20):
        await asyncio.sleep(0)


@asynccontextmanager
async def stepping(calls_max: int, ahead_max: int) -> AsyncIterator[Steps]:
    steps = Steps(SlotsOfPlatform(calls_max, ahead_max))
    yield steps
    await steps.stop()


async def test_never_are_more_called_than_there_are_slots_and_some_begin_ahead():
    async with stepping(3, 2) as steps:
        await steps.begin(9)
        assert (steps.begun, steps.calling) == (5, 3)
        await steps.answered(4)
        assert (steps.begun, steps.calling) == (9, 3)
        await steps.answered(5)
        assert (steps.begun, steps.calling, steps.refused) == (9, 0, 0)


async def test_while_turns_come_slowly_only_who_has_its_turn_begins(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(call_slots, "SLOW_SECONDS", 0.0)
    async with stepping(3, 2) as steps:
        await steps.begin(3)
        await steps.begin(4)
        assert (steps.begun, steps.calling) == (3, 3)
        await steps.answered(2)
        assert (steps.begun, steps.calling) == (5, 3)


async def test_who_waits_in_vain_is_told_so_and_for_a_while_nobody_begins_ahead(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(call_slots, "WAIT_SECONDS", 0.0)
    async with stepping(1, 3) as steps:
        await steps.begin(2)
        assert (steps.begun, steps.calling, steps.refused) == (2, 1, 1)
        await steps.begin(2)
        assert (steps.begun, steps.calling, steps.refused) == (2, 1, 1)
        await steps.answered(1)
        assert (steps.begun, steps.calling, steps.refused) == (3, 1, 1)


async def test_what_breaks_gives_its_slot_back():
    slots = SlotsOfPlatform(1, 0)
    for _ in range(3):
        with pytest.raises(OSError, match="broke"):
            async with slots.begin() as turn, turn():
                raise OSError("broke")
    async with asyncio.timeout(1), slots.begin() as turn, turn():
        pass


async def test_a_platform_that_hangs_takes_no_turn_of_another():
    slots = CallSlots()
    async with AsyncExitStack() as hanging:
        for _ in range(call_slots.CALLS_MAX):
            turn = await hanging.enter_async_context(slots.begin("facebook"))
            await hanging.enter_async_context(turn())
        async with asyncio.timeout(1), slots.begin("bluesky") as turn, turn():
            pass
