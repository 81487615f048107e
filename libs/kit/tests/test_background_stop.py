"""A service stops although one of its loops missed the first cancellation."""

from __future__ import annotations

import asyncio

import pytest
from kit.background import Loop, Supervisor, together


async def test_a_loop_that_missed_its_cancellation_is_cancelled_again():
    begun = asyncio.Event()
    missed = 0

    async def step() -> float:
        nonlocal missed
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            missed += 1
            if missed > 1:
                raise
        return 60

    async with asyncio.timeout(10), Supervisor("test", [("deaf", Loop("deaf", step).run)]).running():
        await begun.wait()
    assert missed == 1


async def test_runs_side_by_side_end_together_although_one_missed_its_cancellation():
    missed, begun = 0, asyncio.Event()

    async def deaf() -> None:
        nonlocal missed
        begun.set()
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                missed += 1
                if missed > 2:
                    raise

    async def fails() -> None:
        await begun.wait()
        raise ValueError("broken")

    async with asyncio.timeout(10):
        with pytest.raises(ValueError, match="broken"):
            await together(deaf(), fails())
    assert missed == 3


async def test_who_is_cancelled_again_while_others_end_leaves_none_behind():
    missed, begun, ended = 0, asyncio.Event(), False

    async def deaf() -> None:
        nonlocal missed, ended
        begun.set()
        try:
            while True:
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    missed += 1
                    if missed > 2:
                        raise
        finally:
            ended = True

    running = asyncio.ensure_future(together(deaf()))
    await begun.wait()
    for _ in range(3):
        running.cancel()
        await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await asyncio.wait([running])
    assert running.cancelled()
    assert ended
