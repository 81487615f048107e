"""A service stops although one of its loops missed the first cancellation."""

from __future__ import annotations

import asyncio

from kit.background import Loop, Supervisor


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
