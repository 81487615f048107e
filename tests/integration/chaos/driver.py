"""One run from the first fact to the last effect: strike, wait until all is quiet, report, and look what is true."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count

import nats
from kit.testing import wait_for
from kit.testing.services import Bus
from rich.console import Console

from tests.integration.chaos.house import House
from tests.integration.chaos.ledger import Figures, Ledger
from tests.integration.chaos.plan import Plan, Round

STALLED_SECONDS = 45.0
"""No kill keeps the producer from its next facts for so long, nor the last of them from its effects."""

CALM_COMMITS = 12
"""So many of those that are told between two times of quiet come in the quiet, two by two: the second meets who is just
ending with the first, and nobody comes after it."""


async def torment(house: House, plan: Plan, *, again: str) -> None:
    """Carry out a plan; raises `AssertionError` with the differences. `again` is the command that repeats the run."""
    console = Console(width=140, highlight=False)
    try:
        await _torment(house, plan, console)
    except BaseException as error:
        # pytest says why when all else has run, which may take many minutes.
        console.print(f"FAILED, again with: {again}\n{error}", markup=False)
        error.add_note(f"{house.logs()}\n--- again with: {again}")
        raise
    console.print(f"{plan.facts:,} facts, each with its effects once and in order; nothing lost, held or parked")


async def _torment(house: House, plan: Plan, console: Console) -> None:
    ledger, started, numbers = Ledger(house), time.monotonic(), count(1)
    console.print(f"seed {plan.seed}: {plan.facts:,} facts, {len(plan.rounds)} rounds")
    for commits, rounds in plan.parts():
        await house.tell(commits[:-CALM_COMMITS])
        for strike in rounds:
            await _strike(house, ledger, strike)
            console.print(f"{next(numbers):>3}  {strike}")
        took = await _until_quiet(house, ledger)
        console.print(f"     quiet after {took:.1f} s")
        for number in range(-CALM_COMMITS, 0, 2):
            await house.tell(commits[number : number + 2 or None])
            await _until_quiet(house, ledger)
    async with _bus(house) as bus:
        _report(house, await ledger.figures(bus), time.monotonic() - started, console)
        differences = await ledger.differences(bus)
    assert not differences, "\n" + "\n".join(differences)


@asynccontextmanager
async def _bus(house: House) -> AsyncIterator[Bus]:
    client = await nats.connect(house.bus_url.split(","))
    try:
        yield Bus(client)
    finally:
        await client.close()


async def _strike(house: House, ledger: Ledger, strike: Round) -> None:
    async def reached() -> bool:
        return await ledger.facts() >= min(strike.after_facts, house.told)

    await wait_for(reached, STALLED_SECONDS, what=f"{strike.after_facts} facts")
    await house.kill(strike.victims)
    await asyncio.sleep(strike.down_seconds)
    await house.start(strike.victims)
    if strike.again_after_seconds is not None:
        await asyncio.sleep(strike.again_after_seconds)
        await house.kill(strike.victims)
        await house.start(strike.victims)


async def _until_quiet(house: House, ledger: Ledger) -> float:
    """Wait until everything that was told has had its effects; returns the seconds that took."""
    began = time.monotonic()
    async with _bus(house) as bus:
        while (unfinished := await ledger.unfinished(bus)) is not None:
            waited = time.monotonic() - began
            assert waited < STALLED_SECONDS, f"{waited:.0f} s after all were back, {unfinished}"
            await asyncio.sleep(0.05)
    return time.monotonic() - began


def _report(house: House, figures: Figures, seconds: float, console: Console) -> None:
    times = Counter(kill.victim for kill in house.kills)
    console.print(f"killed {times.total()} times: {', '.join(f'{name} {times[name]}' for name in sorted(times))}")
    itself = {name: len(worker.ended_itself) for name, worker in house.workers.items() if worker.ended_itself}
    console.print(f"ended by themselves, and started again: {itself or 'nobody'}")
    console.print(f"repeated, and recognised: {figures.delivered_again} deliveries, {figures.stored_again} messages")
    console.print(f"held: {figures.failed} events whose handler failed, {figures.behind} behind them")
    silences = ", ".join(f"{name} {took:.1f} s" for name, took in sorted(figures.silences.items()))
    console.print(f"longest silence: {silences}")
    console.print(f"{seconds:.1f} s from the first fact to the last effect")
