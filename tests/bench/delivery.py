"""How fast and how late events are delivered, next to the same chain written by hand in the same run.

Three tables: a transaction an event, a transaction a batch, and the memory that a backlog of 100,000 events takes.
Run alone on the machine: `make bench-delivery`.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from multiprocessing.context import SpawnProcess
from multiprocessing.synchronize import Event as Signal
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import nats
import psycopg
import uvloop
from contracts.content import PostDeletedV1
from delivery_chains import (
    Part,
    Servers,
    kit_batch_consumer,
    kit_consumer,
    kit_relay,
    raw_batch_consumer,
    raw_consumer,
    raw_relay,
)
from kit import held, inbox, leadership, outbox
from kit.clock import SystemClock
from kit.database import Database, Scope
from kit.embedded.nats_server import EmbeddedNats
from kit.embedded.postgres import EmbeddedPostgres
from kit.ids import new_id
from kit.provision import provision
from kit.secret import Secret
from kit.topology import reconcile
from rich.console import Console
from rich.table import Table

PASSWORD = Secret("only-in-benchmarks")
BACKLOG = 10_000
BATCH_BACKLOG = 50_000
MEMORY_BACKLOG = 100_000
MEMORY_BAR_MB = 50
LATENCY_EVENTS = 500
LATENCY_PER_SECOND = 50
DRAIN_SECONDS_MAX = 120


@dataclass(frozen=True)
class Result:
    """Events a second over the backlog; milliseconds from commit to commit at low load."""

    per_second: float
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True)
class Memory:
    """PSS of one process in MB: idle, and at its highest while the backlog drained."""

    idle: float
    highest: float


async def measure(servers: Servers, relay: Part, consumer: Part, *, backlog: int) -> Result:
    await _reset(servers)
    database = await _producer(servers)
    await _commit(database, backlog)
    async with _running(servers, relay, consumer):
        per_second = await _drain_rate(servers, backlog)
        latencies = await _latencies(servers, database)
    await database.close()
    return Result(per_second, statistics.median(latencies), statistics.quantiles(latencies, n=100)[98])


async def measure_memory(servers: Servers) -> list[Memory]:
    """What relay and consumer grow by while a backlog drains that was not there when they started."""
    await _reset(servers)
    database = await _producer(servers)
    async with _running(servers, kit_relay, kit_batch_consumer) as processes:
        # One event first, so that everything is imported, connected and prepared.
        await _commit(database, 1)
        await _drain_rate(servers, 1)
        idle = [_pss_mb(process) for process in processes]
        highest = idle[:]
        await _commit(database, MEMORY_BACKLOG)
        draining = asyncio.ensure_future(_drain_rate(servers, MEMORY_BACKLOG + 1))
        while not draining.done():
            highest = [max(most, _pss_mb(process)) for most, process in zip(highest, processes, strict=True)]
            await asyncio.sleep(0.05)
        await draining
    await database.close()
    return [Memory(*pair) for pair in zip(idle, highest, strict=True)]


async def _producer(servers: Servers) -> Database:
    database = Database("content", Secret(servers.producer_url), SystemClock(), connections_max=8)
    await database.open()
    return database


async def _commit(database: Database, count: int) -> None:
    async with database.transaction(Scope.nobody()) as transaction:
        for _ in range(count):
            transaction.emit(PostDeletedV1(workspace_id=new_id(), post_id=new_id()))


@asynccontextmanager
async def _running(servers: Servers, *parts: Part) -> AsyncIterator[list[SpawnProcess]]:
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    processes = [context.Process(target=_run, args=(part, servers, stop)) for part in parts]
    for process in processes:
        process.start()
    try:
        yield processes
    finally:
        stop.set()
        for process in processes:
            process.join(30)


def _run(part: Part, servers: Servers, stop: Signal) -> None:
    uvloop.run(part(servers, stop))


def _pss_mb(process: SpawnProcess) -> float:
    for line in Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise SystemExit("the kernel does not tell a process's memory")


async def _drain_rate(servers: Servers, backlog: int) -> float:
    """From the first effect to the last, read from the effects' own times: starting up does not count."""
    async with await psycopg.AsyncConnection.connect(servers.consumer_url, autocommit=True) as connection:
        deadline = time.monotonic() + DRAIN_SECONDS_MAX
        while time.monotonic() < deadline:
            row = await (await connection.execute("SELECT count(*), min(at), max(at) FROM effect")).fetchone()
            if row and row[0] >= backlog:
                return float(row[0] / max(row[2] - row[1], 1e-3))
            await asyncio.sleep(0.1)
    raise SystemExit(f"the backlog did not drain within {DRAIN_SECONDS_MAX} seconds")


async def _latencies(servers: Servers, database: Database) -> list[float]:
    client = await nats.connect(servers.nats_url)
    committed: dict[UUID, float] = {}
    for _ in range(LATENCY_EVENTS):
        event = PostDeletedV1(workspace_id=new_id(), post_id=new_id())
        async with database.transaction(Scope.nobody()) as transaction:
            transaction.emit(event)
        committed[event.post_id] = time.time()
        await client.publish("bench.nudge", b"")
        await asyncio.sleep(1 / LATENCY_PER_SECOND)
    await client.close()
    arrived = await _arrivals(servers, committed)
    return [(arrived[post_id] - at) * 1000 for post_id, at in committed.items()]


async def _arrivals(servers: Servers, awaited: Collection[UUID]) -> dict[UUID, float]:
    """When the effect of each event was written. One that never comes ends the benchmark, not just the sample."""
    query = "SELECT post_id, at FROM effect WHERE post_id = ANY(%s)"
    async with await psycopg.AsyncConnection.connect(servers.consumer_url, autocommit=True) as connection:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            rows = await (await connection.execute(query, (list(awaited),))).fetchall()
            if len(rows) == len(awaited):
                return dict(rows)
            await asyncio.sleep(0.1)
    raise SystemExit(f"{len(awaited) - len(rows)} events did not arrive, or arrived twice")


async def _reset(servers: Servers) -> None:
    for url in (servers.producer_url, servers.consumer_url):
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            await connection.execute("DELETE FROM outbox; DELETE FROM inbox; DELETE FROM effect", prepare=False)
    client = await nats.connect(servers.nats_url)
    await client.jetstream().purge_stream("CONTENT")
    await client.close()


def prepare(postgres: EmbeddedPostgres, service: str) -> str:
    provision(Secret(postgres.superuser_url), service, login_password=PASSWORD, owner_password=PASSWORD)
    superuser_url = urlsplit(postgres.superuser_url)._replace(path=f"/{service}").geturl()
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        for statement in (outbox.TABLE, outbox.TUNING, inbox.TABLE, inbox.INDEX, held.TABLE, held.INDEX):
            connection.execute(statement)
        connection.execute(leadership.TABLE)
        connection.execute(leadership.FIRST)
        connection.execute("CREATE TABLE effect (post_id uuid NOT NULL, at double precision NOT NULL)")
        connection.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {service}, {service}_worker")
    return postgres.url(role=service, password=PASSWORD.reveal(), database=service)


async def run(folder: Path) -> None:
    async with EmbeddedPostgres(folder) as postgres, EmbeddedNats(folder, durable=False) as server:
        servers = Servers(prepare(postgres, "content"), prepare(postgres, "scheduler"), server.url)
        client = await nats.connect(server.url)
        await reconcile(client.jetstream())
        await client.close()
        for title, backlog, by_hand, ours in (
            ("a transaction an event", BACKLOG, raw_consumer, kit_consumer),
            ("a transaction a batch", BATCH_BACKLOG, raw_batch_consumer, kit_batch_consumer),
        ):
            report(
                f"{title}, backlog {backlog:,}",
                await measure(servers, raw_relay, by_hand, backlog=backlog),
                await measure(servers, kit_relay, ours, backlog=backlog),
            )
        report_memory(await measure_memory(servers))


def report(title: str, by_hand: Result, ours: Result) -> None:
    table = Table(title=f"Commit in A → effect committed in B, {title}")
    for column in ("", "by hand", "Signoff", "ratio", "bar"):
        table.add_column(column, justify="right" if column else "left")
    rate, tail = ours.per_second / by_hand.per_second, ours.p99_ms / by_hand.p99_ms
    table.add_row("events/s", f"{by_hand.per_second:,.0f}", f"{ours.per_second:,.0f}", f"{rate:.2f}", "≥ 0.60")
    table.add_row("p50 ms", f"{by_hand.p50_ms:.1f}", f"{ours.p50_ms:.1f}", f"{ours.p50_ms / by_hand.p50_ms:.2f}", "≤ 5")
    table.add_row("p99 ms", f"{by_hand.p99_ms:.1f}", f"{ours.p99_ms:.1f}", f"{tail:.2f}", "≤ 15")
    Console(width=100).print(table)


def report_memory(memory: Collection[Memory]) -> None:
    table = Table(title=f"Memory while {MEMORY_BACKLOG:,} events drain, MB")
    for column in ("", "idle", "highest", "growth", "of the bar"):
        table.add_column(column, justify="right" if column else "left")
    for name, used in zip(("relay", "consumer"), memory, strict=True):
        growth = used.highest - used.idle
        row = (f"{used.idle:.0f}", f"{used.highest:.0f}", f"{growth:.1f}", f"{growth / MEMORY_BAR_MB:.2f}")
        table.add_row(name, *row)
    Console(width=100).print(table)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="signoff-bench-") as name:
        uvloop.run(run(Path(name)))
