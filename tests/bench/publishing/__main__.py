"""How fast, how late and how surely posts go out, next to a loop by hand and to the peers, all in one run.

Run alone on the machine: `make bench-publishing`. The figures of a release are in docs/performance.md.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import uvloop
from kit import heap
from kit.embedded.postgres import EmbeddedPostgres
from publishing import rivals
from publishing.backlog import add_pending, plan_due, plan_untold
from publishing.contest import IN_FLIGHT, Contestant, Result, compete, limit
from publishing.house import House, furnished
from publishing.measuring import Cost, Watch, announce, burst, quiet
from rich.console import Console
from rich.table import Table

DUE = 10_000
PENDING = 1_000_000
FEW_PENDING = 10_000
COST_DUE = 2_000
QUIET_POSTS = 300
QUIET_GAP = timedelta(seconds=0.173)
"""Unlike every other beat there is."""

GOAL = 0.6
ANNOUNCED_MS_MAX, RECEIPT_MS_MAX, GROWTH_MAX = 20.0, 60.0, 0.10
BURST_ANNOUNCED_MS_MAX = 1_000.0
"""Of 10,000: twice what the same rows and the same bus took by hand."""


@dataclass(frozen=True)
class Options:
    due: int
    pending: int
    peers: bool
    redis: bool


async def main(options: Options, folder: Path, console: Console) -> None:
    results = [await compete(limit(), folder, options.due)]
    console.print(str(results[0]))
    await _signoff(options, folder, console, results)
    if options.peers:
        await _peers(options, folder, console, results)
    console.print(_table(results, options))


async def _signoff(options: Options, folder: Path, console: Console, results: list[Result]) -> None:
    async with furnished(folder / "signoff") as house:
        await house.stand_still("metrics", "retention", "gateway")
        await add_pending(house, FEW_PENDING, house.now())
        # Not counted: what has just started costs more.
        await _cost(house)
        few = await _cost(house)
        console.print(f"{FEW_PENDING:,} pending: {few.told()}")
        await add_pending(house, options.pending - FEW_PENDING, house.now() + timedelta(seconds=FEW_PENDING))
        many = await _cost(house)
        growth = many.cpu_ms / few.cpu_ms - 1
        console.print(
            f"{options.pending:,} pending: {many.told()}; growth {growth:+.1%} (bar {GROWTH_MAX:.0%},"
            f" ratio {growth / GROWTH_MAX:.2f})"
        )
        begin = _soon(house)
        singles = await plan_due(house, [begin + number * QUIET_GAP for number in range(QUIET_POSTS)])
        console.print(str(await quiet(house, singles, ANNOUNCED_MS_MAX, RECEIPT_MS_MAX)))
        for publishers in (1, 2):
            if publishers == 2:
                await house.system.replicate("publisher")
            name = f"Signoff, {publishers} publisher{'s' * (publishers - 1)}"
            measured = await _burst(house, options.due, name)
            results.append(measured.result)
            console.print(f"{results[-1]}; {measured.cost.told()}")
        await house.stand_still("publisher", "publisher-2")
        untold = await plan_untold(house, [_soon(house)] * options.due)
        console.print(str(await announce(house, untold, BURST_ANNOUNCED_MS_MAX)))


async def _cost(house: House) -> Cost:
    return (await _burst(house, COST_DUE, "cost")).cost


async def _burst(house: House, due: int, name: str) -> Watch:
    plans = await plan_due(house, [_soon(house)] * due)
    return await burst(house, plans, name)


def _soon(house: House) -> datetime:
    """Within the time that staging looks ahead, and long enough to stage everything."""
    return house.now().replace(microsecond=0) + timedelta(minutes=8)


async def _peers(options: Options, folder: Path, console: Console, results: list[Result]) -> None:
    binaries = rivals.environment()
    contestants: list[Contestant] = []
    async with EmbeddedPostgres(folder / "peers") as postgres:
        contestants += rivals.on_postgres(binaries, postgres)
        for contestant in contestants:
            results.append(await compete(contestant, folder, options.due))
            console.print(str(results[-1]))
    if options.redis:
        for on_disk in (False, True):
            with rivals.redis(folder, on_disk=on_disk) as url:
                for contestant in rivals.on_redis(binaries, url, on_disk=on_disk):
                    results.append(await compete(contestant, folder, options.due))
                    console.print(str(results[-1]))


def _table(results: list[Result], options: Options) -> Table:
    title = f"{options.due:,} posts due in one second, {IN_FLIGHT} calls at once"
    table = Table(
        "",
        "posts/s",
        f"of the limit (goal {GOAL})",
        "late p50 s",
        "late p99 s",
        "drained s",
        "posted",
        "twice",
        title=title,
    )
    for result in results:
        table.add_row(
            result.name,
            f"{result.per_second:,.0f}",
            f"{result.per_second / results[0].per_second:.2f}",
            f"{result.p50:.2f}",
            f"{result.p99:.2f}",
            f"{result.drain_seconds:.1f}",
            f"{result.posted:,} of {result.asked:,}",
            str(result.doubled),
        )
    return table


def parse() -> Options:
    parser = argparse.ArgumentParser(prog="make bench-publishing", description=__doc__)
    parser.add_argument("--due", type=int, default=DUE)
    parser.add_argument("--pending", type=int, default=PENDING)
    parser.add_argument("--without-peers", action="store_true")
    parser.add_argument("--without-redis", action="store_true")
    arguments = parser.parse_args()
    return Options(arguments.due, arguments.pending, not arguments.without_peers, not arguments.without_redis)


if __name__ == "__main__":
    heap.settle()
    with tempfile.TemporaryDirectory(prefix="signoff-bench-", ignore_cleanup_errors=True) as scratch:
        uvloop.run(main(parse(), Path(scratch), Console(width=150, highlight=False)))
