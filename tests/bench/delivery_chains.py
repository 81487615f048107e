"""The two chains that `delivery.py` compares: one written by hand with psycopg and nats-py alone, and ours.

A commit in service A puts an event into its outbox; a relay publishes it to JetStream; service B takes it and commits
its effect together with the claim of the event's id. Relay and consumer run in processes of their own, as services do.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from multiprocessing.synchronize import Event as Signal
from typing import Any

import nats
import nats.errors
import psycopg
import psycopg_pool
from contracts.content import PostApprovalWithdrawnV1, PostDeletedV1
from contracts.topology import CONSUMERS, Consumer
from kit import bus
from kit.clock import SystemClock
from kit.consuming import Consumers
from kit.database import Database, Transaction, Units
from kit.relay import BATCH_MAX, Relay
from kit.secret import Secret
from kit.settings import BusSettings
from kit.settle import RetryPolicy
from kit.subscription import Subscription
from kit.telemetry import create_tracer_provider
from nats.aio.client import Client
from nats.aio.msg import Msg

CONSUMER = CONSUMERS["scheduler-content"]
FETCH = 100
BATCH = 500
CONNECTIONS = 16
INSERT_EFFECT = "INSERT INTO effect (post_id, at) VALUES (%s, %s)"
INSERT_EFFECTS = "INSERT INTO effect (post_id, at) SELECT unnest(%s::uuid[]), %s"


@dataclass(frozen=True)
class Servers:
    """Where both chains run: one database a side, one bus."""

    producer_url: str
    consumer_url: str
    nats_url: str


Part = Callable[[Servers, Signal], Coroutine[Any, Any, None]]


async def kit_relay(servers: Servers, stop: Signal) -> None:
    database = Database("content", Secret(servers.producer_url), SystemClock(), connections_max=4)
    await database.open()
    client = await bus.connect(BusSettings(servers.nats_url), "content")
    tracer = create_tracer_provider("content", None).get_tracer("bench")
    task = asyncio.ensure_future(Relay(database, client, tracer).run())
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
    """A transaction an event, as many at once as the chain written by hand has connections."""
    await _consume(servers, stop, replace(CONSUMER, workers=CONNECTIONS))


async def kit_batch_consumer(servers: Servers, stop: Signal) -> None:
    """A transaction a batch."""
    await _consume(servers, stop, replace(CONSUMER, batch_size=BATCH))


async def _consume(servers: Servers, stop: Signal, consumer: Consumer) -> None:
    database = Database("scheduler", Secret(servers.consumer_url), SystemClock(), connections_max=CONNECTIONS + 2)
    await database.open()
    units: Units[Transaction] = Units(database, lambda transaction: transaction)
    subscription = Subscription(consumer)

    if consumer.batch_size == 1:

        @subscription.on(PostDeletedV1)
        async def on_deleted(event: PostDeletedV1) -> None:
            await units.joined().execute(INSERT_EFFECT, (event.post_id, time.time()))
    else:

        @subscription.on_batch(PostDeletedV1)
        async def on_many_deleted(events: Sequence[PostDeletedV1]) -> None:
            await units.joined().execute(INSERT_EFFECTS, ([event.post_id for event in events], time.time()))

    @subscription.on(PostApprovalWithdrawnV1)
    async def on_withdrawn(_: PostApprovalWithdrawnV1) -> None:
        return

    client = await bus.connect(BusSettings(servers.nats_url), "scheduler")
    tracer = create_tracer_provider("scheduler", None).get_tracer("bench")
    consumers = Consumers(client, database, [subscription], policy=RetryPolicy(), tracer=tracer)
    task = asyncio.ensure_future(consumers.run())
    await _until(stop)
    await consumers.drain()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await client.close()
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
            rows = sorted(await (await connection.execute(take, (BATCH_MAX,))).fetchall())
            waits = [
                await jetstream.publish_async(subject, bytes(body), headers=headers | {"Nats-Msg-Id": str(event_id)})
                for _, event_id, subject, headers, body in rows
            ]
            await asyncio.gather(*waits)
        if len(rows) < BATCH_MAX:
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
                await connection.execute(INSERT_EFFECT, (event.post_id, time.time()))
        await message.ack()

    while not stop.is_set():
        try:
            messages = await subscription.fetch(FETCH, timeout=0.5)
        except (TimeoutError, nats.errors.TimeoutError):
            continue
        await asyncio.gather(*map(one, messages))
    await pool.close()
    await client.close()


async def raw_batch_consumer(servers: Servers, stop: Signal) -> None:
    client = await nats.connect(servers.nats_url, pending_size=64 << 20)
    subscription = await client.jetstream().pull_subscribe_bind(CONSUMER.name, CONSUMER.stream)
    connection = await psycopg.AsyncConnection.connect(servers.consumer_url, autocommit=True)
    claim = (
        "INSERT INTO inbox (consumer, event_id, received_at) SELECT %s, unnest(%s::uuid[]), now()"
        " ON CONFLICT DO NOTHING RETURNING event_id::text"
    )
    while not stop.is_set():
        try:
            messages = await subscription.fetch(BATCH, timeout=0.5)
        except (TimeoutError, nats.errors.TimeoutError):
            continue
        ids = [(message.headers or {})["ce-id"] for message in messages]
        async with connection.transaction():
            claimed = {row[0] for row in await (await connection.execute(claim, (CONSUMER.name, ids))).fetchall()}
            posts = [
                PostDeletedV1.model_validate_json(message.data).post_id
                for event_id, message in zip(ids, messages, strict=True)
                if event_id in claimed
            ]
            await connection.execute(INSERT_EFFECTS, (posts, time.time()))
        for message in messages:
            await message.ack()
    await connection.close()
    await client.close()


async def _until(stop: Signal) -> None:
    await asyncio.get_running_loop().run_in_executor(None, stop.wait)
