"""How fast and how late events are delivered, next to the same chain written by hand in the same run.

The chain: a commit in service A puts an event into its outbox; a relay publishes it to JetStream; service B
takes it and commits its effect together with the claim of the event's id. The hand-written chain does the same
with psycopg and nats-py and nothing else. Relay and consumer run in processes of their own, as services do.

Run alone on the machine: `make bench-delivery`.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Coroutine
from dataclasses import dataclass
from multiprocessing.synchronize import Event as Signal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import nats
import nats.errors
import psycopg
import psycopg_pool
import uvloop
from contracts.content import PostApprovalWithdrawnV1, PostDeletedV1
from contracts.topology import CONSUMERS, Consumer
from kit import erasure, inbox, outbox
from kit.broker import Subscription, attach, create_broker
from kit.clock import SystemClock
from kit.database import Database, Scope, Transaction, Units
from kit.embedded.nats_server import EmbeddedNats
from kit.embedded.postgres import EmbeddedPostgres
from kit.ids import new_id
from kit.provision import provision
from kit.relay import BATCH_MAX, Relay
from kit.secret import Secret
from kit.settle import RetryPolicy, SettleMiddleware
from kit.topology import reconcile
from nats.aio.client import Client
from nats.aio.msg import Msg
from opentelemetry import trace
from rich.console import Console
from rich.table import Table

PASSWORD = Secret("only-in-benchmarks")
CONSUMER = CONSUMERS["scheduler-content"]
BACKLOG = 10_000
RELAY_BATCH = BATCH_MAX
FETCH = 100
CONNECTIONS = 16
LATENCY_EVENTS = 500
LATENCY_PER_SECOND = 50


@dataclass(frozen=True)
class Servers:
    """Where both chains run: one database a side, one bus."""

    producer_url: str
    consumer_url: str
    nats_url: str


Part = Callable[[Servers, Signal], Coroutine[Any, Any, None]]


# --- the two chains ------------------------------------------------------------------------------


async def kit_relay(servers: Servers, stop: Signal) -> None:
    database = Database("content", Secret(servers.producer_url), SystemClock(), connections_max=4)
    await database.open()
    client = await nats.connect(servers.nats_url, pending_size=64 << 20)
    task = asyncio.ensure_future(Relay(database, client.jetstream(), trace.get_tracer("bench")).run())
    nudge = asyncio.ensure_future(_forward_nudges(client, database))
    await _until(stop)
    for running in (task, nudge):
        running.cancel()
    await asyncio.gather(task, nudge, return_exceptions=True)
    await client.close()
    await database.close()


async def _forward_nudges(client: Client, database: Database) -> None:
    """In a service the commit and the relay share a process; here the producer's nudge crosses one."""
    subscription = await client.subscribe("bench.nudge")
    async for _ in subscription.messages:
        database.committed.set()


async def kit_consumer(servers: Servers, stop: Signal) -> None:
    database = Database("scheduler", Secret(servers.consumer_url), SystemClock(), connections_max=CONNECTIONS)
    await database.open()
    units: Units[Transaction] = Units(database, lambda transaction: transaction)
    subscription = Subscription(Consumer(CONSUMER.service, CONSUMER.stream, CONSUMER.events, batch_size=FETCH))

    @subscription.on(PostDeletedV1)
    async def on_deleted(event: PostDeletedV1) -> None:
        await units.joined().execute("INSERT INTO effect (post_id, at) VALUES (%s, %s)", (event.post_id, time.time()))

    @subscription.on(PostApprovalWithdrawnV1)
    async def on_withdrawn(_: PostApprovalWithdrawnV1) -> None:
        return

    broker = create_broker(
        "scheduler",
        servers.nats_url,
        seed_file=None,
        middlewares=[
            SettleMiddleware(lambda: broker.connection.jetstream(), RetryPolicy()),
            inbox.InboxMiddleware(database),
        ],
    )
    attach(broker, subscription)
    await broker.start()
    await _until(stop)
    await broker.stop()
    await database.close()


async def raw_relay(servers: Servers, stop: Signal) -> None:
    take = """
        WITH taken AS (SELECT id FROM outbox ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED)
        DELETE FROM outbox o USING taken WHERE o.id = taken.id RETURNING o.id, o.event_id, o.subject, o.headers, o.body
    """
    client = await nats.connect(servers.nats_url, pending_size=64 << 20)
    jetstream, wake = client.jetstream(), asyncio.Event()

    async def nudge(_: Any) -> None:
        wake.set()

    await client.subscribe("bench.nudge", cb=nudge)
    connection = await psycopg.AsyncConnection.connect(servers.producer_url, autocommit=True)
    while not stop.is_set():
        async with connection.transaction():
            rows = sorted(await (await connection.execute(take, (RELAY_BATCH,))).fetchall())
            waits = [
                await jetstream.publish_async(subject, bytes(body), headers=headers | {"Nats-Msg-Id": str(event_id)})
                for _, event_id, subject, headers, body in rows
            ]
            await asyncio.gather(*waits)
        if len(rows) < RELAY_BATCH:
            try:
                await asyncio.wait_for(wake.wait(), 0.2)
            except TimeoutError:
                continue
            wake.clear()
    await connection.close()
    await client.close()


async def raw_consumer(servers: Servers, stop: Signal) -> None:
    client = await nats.connect(servers.nats_url, pending_size=64 << 20)
    subscription = await client.jetstream().pull_subscribe_bind(CONSUMER.name, CONSUMER.stream)
    pool = psycopg_pool.AsyncConnectionPool(
        servers.consumer_url, min_size=CONNECTIONS, max_size=CONNECTIONS, open=False
    )
    await pool.open(wait=True)

    async def one(message: Msg) -> None:
        event = PostDeletedV1.model_validate_json(message.data)
        async with pool.connection() as connection:
            claimed = await connection.execute(
                "INSERT INTO inbox (consumer, event_id, received_at) VALUES (%s, %s, now()) ON CONFLICT DO NOTHING",
                (CONSUMER.name, (message.headers or {})["ce-id"]),
            )
            if claimed.rowcount:
                await connection.execute(
                    "INSERT INTO effect (post_id, at) VALUES (%s, %s)", (event.post_id, time.time())
                )
        await message.ack()

    while not stop.is_set():
        try:
            messages = await subscription.fetch(FETCH, timeout=0.5)
        except (TimeoutError, nats.errors.TimeoutError):
            continue
        await asyncio.gather(*map(one, messages))
    await pool.close()
    await client.close()


async def _until(stop: Signal) -> None:
    await asyncio.get_running_loop().run_in_executor(None, stop.wait)


def _run(part: Part, servers: Servers, stop: Signal) -> None:
    uvloop.run(part(servers, stop))


# --- what is measured ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Result:
    """Events a second over the backlog; milliseconds from commit to commit at low load."""

    per_second: float
    p50_ms: float
    p99_ms: float


async def measure(servers: Servers, relay: Part, consumer: Part) -> Result:
    await _reset(servers)
    database = Database("content", Secret(servers.producer_url), SystemClock(), connections_max=8)
    await database.open()
    async with database.transaction(Scope.nobody()) as transaction:
        for _ in range(BACKLOG):
            transaction.emit(PostDeletedV1(workspace_id=new_id(), post_id=new_id()))
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    parts = [context.Process(target=_run, args=(part, servers, stop)) for part in (relay, consumer)]
    for process in parts:
        process.start()
    per_second = await _drain_rate(servers)
    latencies = await _latencies(servers, database)
    stop.set()
    for process in parts:
        process.join(30)
    await database.close()
    return Result(per_second, statistics.median(latencies), statistics.quantiles(latencies, n=100)[98])


async def _drain_rate(servers: Servers) -> float:
    """From the first effect to the last, read from the effects' own times: starting up does not count."""
    async with await psycopg.AsyncConnection.connect(servers.consumer_url, autocommit=True) as connection:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            row = await (await connection.execute("SELECT count(*), min(at), max(at) FROM effect")).fetchone()
            if row and row[0] >= BACKLOG:
                return float(row[0] / (row[2] - row[1]))
            await asyncio.sleep(0.1)
    raise SystemExit("the backlog did not drain within two minutes")


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


# --- set-up and report ---------------------------------------------------------------------------


def prepare(postgres: EmbeddedPostgres, service: str) -> str:
    provision(Secret(postgres.superuser_url), service, login_password=PASSWORD, owner_password=PASSWORD)
    superuser_url = urlsplit(postgres.superuser_url)._replace(path=f"/{service}").geturl()
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        for statement in (outbox.TABLE, outbox.TUNING, inbox.TABLE, inbox.INDEX, erasure.TABLE):
            connection.execute(statement)
        connection.execute("CREATE TABLE effect (post_id uuid NOT NULL, at double precision NOT NULL)")
        connection.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {service}, {service}_worker")
    return postgres.url(role=service, password=PASSWORD.reveal(), database=service)


async def run(folder: Path) -> None:
    async with EmbeddedPostgres(folder) as postgres, EmbeddedNats(folder, durable=False) as server:
        servers = Servers(prepare(postgres, "content"), prepare(postgres, "scheduler"), server.url)
        client = await nats.connect(server.url)
        await reconcile(client.jetstream())
        await client.close()
        by_hand = await measure(servers, raw_relay, raw_consumer)
        ours = await measure(servers, kit_relay, kit_consumer)
    report(by_hand, ours)


def report(by_hand: Result, ours: Result) -> None:
    table = Table(title=f"Commit in A → effect committed in B, a transaction a message, backlog {BACKLOG:,}")
    for column in ("", "by hand", "Signoff", "ratio", "bar"):
        table.add_column(column, justify="right" if column else "left")
    rate, tail = ours.per_second / by_hand.per_second, ours.p99_ms / by_hand.p99_ms
    table.add_row("events/s", f"{by_hand.per_second:,.0f}", f"{ours.per_second:,.0f}", f"{rate:.2f}", "≥ 0.60")
    table.add_row("p50 ms", f"{by_hand.p50_ms:.1f}", f"{ours.p50_ms:.1f}", f"{ours.p50_ms / by_hand.p50_ms:.2f}", "≤ 5")
    table.add_row("p99 ms", f"{by_hand.p99_ms:.1f}", f"{ours.p99_ms:.1f}", f"{tail:.2f}", "≤ 15")
    Console(width=100).print(table)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="signoff-bench-") as name:
        uvloop.run(run(Path(name)))
    sys.exit(0)
