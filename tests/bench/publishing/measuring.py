"""What is measured of Signoff: when posts were there, when their receipts were, and what it cost."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import psutil
from kit.testing import wait_for
from publishing.backlog import Plan
from publishing.contest import Result
from publishing.house import PLATFORM, PLATFORM_SECONDS, House

RECEIVED_SECONDS_MAX = 300.0

ANNOUNCED_WAIT_SECONDS = 5.0
"""Looking whether everything is announced would slow it down; afterwards it is only read."""


@dataclass(frozen=True)
class Cost:
    """Processor time of every process but the sandbox's, in milliseconds for a post; by process."""

    by_process: dict[str, float]

    @property
    def cpu_ms(self) -> float:
        return sum(self.by_process.values())

    def told(self) -> str:
        parts = ", ".join(f"{name} {value:.2f}" for name, value in sorted(self.by_process.items()))
        return f"{self.cpu_ms:.2f} ms of all processors for a post: {parts}"


@dataclass(frozen=True)
class Watch:
    """A burst: what became of it, and its cost."""

    result: Result
    cost: Cost


@dataclass(frozen=True)
class Quiet:
    """Single posts in a quiet time: milliseconds at the 50th and 99th percentile, and the bars."""

    announced: tuple[float, float]
    receipt: tuple[float, float]
    announced_max: float
    receipt_max: float

    def __str__(self) -> str:
        return (
            f"single posts: due → announced p50 {self.announced[0]:.1f} ms, p99 {self.announced[1]:.1f} ms"
            f" (bar {self.announced_max:g}, ratio {self.announced[1] / self.announced_max:.2f});"
            f" due → receipt beyond the platform's own time p50 {self.receipt[0]:.1f} ms, p99 {self.receipt[1]:.1f} ms"
            f" (bar {self.receipt_max:g}, ratio {self.receipt[1] / self.receipt_max:.2f})"
        )


@dataclass(frozen=True)
class Announced:
    """A burst as it comes from the clock alone: milliseconds from the due time until the bus has the event."""

    first: float
    p50: float
    p99: float
    last: float
    last_max: float

    def __str__(self) -> str:
        return (
            f"announced, nobody else at work: first {self.first:.0f} ms, p50 {self.p50:.0f} ms, p99 {self.p99:.0f} ms,"
            f" last {self.last:.0f} ms (bar {self.last_max:g}, ratio {self.last / self.last_max:.2f})"
        )


async def announce(house: House, plans: Sequence[Plan], last_max: float) -> Announced:
    """Let the time of posts come while no publisher runs."""
    house.come_near(plans[0].due_at)
    async with await house.database("scheduler") as scheduler:

        async def all_told() -> bool:
            rows = await scheduler.execute(
                "SELECT count(*) FROM schedule WHERE schedule_id = ANY(%s) AND state = 'due'"
                " AND NOT EXISTS (SELECT FROM outbox)",
                ([plan.schedule_id for plan in plans],),
            )
            row = await rows.fetchone()
            return row is not None and row[0] == len(plans)

        await asyncio.sleep((plans[0].due_at - house.now()).total_seconds() + ANNOUNCED_WAIT_SECONDS)
        await wait_for(all_told, RECEIVED_SECONDS_MAX, what="announcements")
    announced = await house.announced()
    late = sorted((announced[plan.schedule_id] - plan.due_at).total_seconds() * 1_000 for plan in plans)
    return Announced(late[0], *_percentiles(late), late[-1], last_max)


async def burst(house: House, plans: Sequence[Plan], name: str) -> Watch:
    """Let the time of staged posts come, and wait for every receipt."""
    due_at = plans[0].due_at
    house.come_near(due_at)
    there = house.sandbox.truth.count()
    await asyncio.sleep((due_at - house.now()).total_seconds())
    before = _processor_times(house)
    receipts = await _receipts(house, plans, there)
    after = _processor_times(house)
    texts = {plan.text for plan in plans}
    posts = [post for post in house.sandbox.truth.posts(PLATFORM) if post.text in texts]
    result = Result.of(name, len(plans), posts, due_at)
    cost = Cost({name: (after[name] - before.get(name, 0.0)) * 1_000 / len(plans) for name in after})
    return Watch(replace(result, drain_seconds=(max(receipts.values()) - due_at).total_seconds()), cost)


async def quiet(house: House, plans: Sequence[Plan], announced_max: float, receipt_max: float) -> Quiet:
    """Posts that fall due one after the other."""
    there = house.sandbox.truth.count()
    house.come_near(plans[0].due_at)
    receipts = await _receipts(house, plans, there)
    announced = await house.announced()
    late = [(announced[plan.schedule_id] - plan.due_at).total_seconds() * 1_000 for plan in plans]
    waited = [((receipts[plan.schedule_id] - plan.due_at).total_seconds() - PLATFORM_SECONDS) * 1_000 for plan in plans]
    return Quiet(_percentiles(late), _percentiles(waited), announced_max, receipt_max)


def _percentiles(values: Sequence[float]) -> tuple[float, float]:
    return statistics.median(values), statistics.quantiles(values, n=100)[98]


async def _receipts(house: House, plans: Sequence[Plan], there: int) -> dict[object, datetime]:
    """When each receipt came, by schedule, once all are kept. `there`: how many posts were there before."""
    expected = there + len(plans)
    await wait_for(lambda: house.sandbox.truth.count() >= expected, RECEIVED_SECONDS_MAX, what=f"{expected} posts")
    async with await house.database("publisher") as publisher:

        async def all_kept() -> list[tuple[object, datetime]]:
            rows = await publisher.execute(
                "SELECT schedule_id, published_at FROM publication WHERE schedule_id = ANY(%s) AND state = 'published'",
                ([plan.schedule_id for plan in plans],),
            )
            found = await rows.fetchall()
            return found if len(found) == len(plans) else []

        return dict(await wait_for(all_kept, RECEIVED_SECONDS_MAX, what="receipts"))


def _processor_times(house: House) -> dict[str, float]:
    """Seconds by service, for PostgreSQL and NATS as wholes."""
    names = {worker.pid: name for name, worker in house.system.workers.items()}
    found: dict[str, float] = {}
    for process in psutil.Process().children(recursive=True):
        try:
            times, name = process.cpu_times(), names.get(process.pid) or process.name().removesuffix("-server")
        except psutil.NoSuchProcess:
            continue
        # Connections come and go: what an ended backend took is with the server that it was of.
        taken = times.user + times.system + times.children_user + times.children_system
        found[name] = found.get(name, 0.0) + taken
    return found
