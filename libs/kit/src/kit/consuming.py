"""Takes events from NATS and has each handled once, those of one aggregate in order, whatever dies meanwhile.

A message goes: pull → lane of its aggregate → one transaction with the claim of its id → acknowledgement. What fails is
held in the database, what is no event or keeps failing is parked. Nothing is ever given back to NATS unhandled, because
the server would let later messages overtake it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import cast

import structlog
from contracts.topology import Consumer
from nats.aio.client import Client
from opentelemetry import trace

from kit.background import cancel, together
from kit.database import Database
from kit.handling import Handling
from kit.held import HeldEvents
from kit.lanes import Batches, Lanes, Waiting
from kit.leadership import Leadership
from kit.pull import ConsumerAway, Delivery, Pull
from kit.settle import RetryPolicy, is_outage
from kit.subscription import Subscription

log = structlog.get_logger("consuming")

GRACEFUL_SECONDS = 20.0
"""How long a stopping service lets its handlers finish while the database answers; below the pod's termination grace
period."""

_LOOK_SECONDS = 0.5
"""How often a stopping service looks whether the database still answers. Handlers take milliseconds."""

AHEAD = 16
"""Messages that are fetched ahead for each worker: enough that none waits for the server, few enough to give back."""

CAPACITY_MAX = 1_000
"""The server holds out no more than this many unacknowledged messages of one consumer."""

_AWAY_SECONDS = 0.25


class Consumers:
    """Everything one service listens to."""

    def __init__(
        self,
        client: Client,
        database: Database,
        subscriptions: Sequence[Subscription],
        *,
        policy: RetryPolicy,
        tracer: trace.Tracer,
    ) -> None:
        for subscription in subscriptions:
            subscription.check()
        self._leadership = Leadership(database)
        self._consumptions = [_Consumption(client, database, one, policy, tracer) for one in subscriptions]

    async def run(self) -> None:
        """Consume whenever no other process of the service does. For ever."""
        if not self._consumptions:
            await asyncio.Event().wait()
        await self._leadership.run(self._lead)

    async def _lead(self, epoch: int) -> None:
        await together(*(consumption.run(epoch) for consumption in self._consumptions))

    async def reconnected(self) -> None:
        """NATS was away. What it sent last may be lost, so that everything unacknowledged is asked for again."""
        for consumption in self._consumptions:
            consumption.interrupt()

    async def drain(self) -> None:
        """Take nothing more and let what is being handled finish; what waited comes again at the next start."""
        await asyncio.gather(*(consumption.drain() for consumption in self._consumptions))


class _Consumption:
    """One consumer at work: pull after pull, and workers for what they bring."""

    def __init__(
        self, client: Client, database: Database, subscription: Subscription, policy: RetryPolicy, tracer: trace.Tracer
    ) -> None:
        self._client = client
        self._database = database
        self._consumer = subscription.consumer
        self._policy = policy
        self._held = HeldEvents(database, self._consumer, policy)
        self._handling = Handling(
            subscription, client=client, database=database, held=self._held, policy=policy, tracer=tracer
        )
        self._failure: BaseException | None = None
        self._waiting = _waiting_room(self._consumer)
        self._pull = self._new_pull()
        self._workers: set[asyncio.Task[None]] = set()
        self._idle: set[asyncio.Task[None]] = set()
        self._draining = False

    async def run(self, epoch: int) -> None:
        """Consume under one lead; ends only by cancellation or with `LeadLost`."""
        self._handling.lead(epoch)
        while True:
            try:
                await self._session()
            except Exception as error:
                if not isinstance(error, ConsumerAway) and not is_outage(error):
                    raise
                log.warning("consumer_waits", consumer=self._consumer.name, reason=str(error) or type(error).__name__)
                await asyncio.sleep(_AWAY_SECONDS)
            if self._draining:
                # The supervisor ends this task; ending by itself would count as a failure.
                await asyncio.Event().wait()

    def _new_pull(self) -> Pull:
        return Pull(self._client, self._consumer, capacity=_capacity(self._consumer), take=self._take)

    def interrupt(self) -> None:
        """End the present pull; unless this is the end, another begins."""
        self._pull.broken.set()

    async def drain(self) -> None:
        self._draining = True
        self.interrupt()
        # What waits for a connection has begun nothing.
        await cancel(self._idle)
        ends_at = time.monotonic() + GRACEFUL_SECONDS
        while self._workers and time.monotonic() < ends_at:
            await asyncio.wait(self._workers, timeout=_LOOK_SECONDS)
            if self._workers and not await self._database.answers():
                return

    async def _session(self) -> None:
        """Consume until the pull breaks. Begins after everything that earlier sessions finished, and with all else."""
        await self._held.load()
        self._waiting = _waiting_room(self._consumer)
        self._failure = None
        pull = self._pull = self._new_pull()
        holding = asyncio.ensure_future(self._held.run(self._handling.retry))
        watching = asyncio.ensure_future(pull.watch())
        try:
            await pull.open()
            # Anew, because who led before may just have held an event: if it was acknowledged, it is found here, and
            # if not, it comes again.
            await self._held.load()
            await pull.begin()
            await asyncio.wait([holding, watching], return_when=asyncio.FIRST_COMPLETED)
            if holding.done():
                holding.result()
            # What has begun ends first: handled twice at once, it would wait for itself.
            if self._workers:
                await asyncio.wait(self._workers)
            if self._failure is not None:
                raise self._failure
        finally:
            pull.broken.set()
            await cancel([holding, watching, *self._workers])
            await pull.close()

    def _take(self, delivery: Delivery) -> None:
        self._waiting.add(delivery)
        if len(self._workers) < self._consumer.transactions_max:
            worker = asyncio.ensure_future(self._work(self._waiting, self._pull))
            self._workers.add(worker)
            worker.add_done_callback(self._on_worker_end)

    def _on_worker_end(self, worker: asyncio.Task[None]) -> None:
        self._workers.discard(worker)
        self._idle.discard(worker)
        if not worker.cancelled() and (error := worker.exception()) is not None:
            self._failure = error
            self.interrupt()

    async def _work(self, waiting: Waiting, pull: Pull) -> None:
        """Handle what waits, on one connection for as long as there is something."""
        me = cast("asyncio.Task[None]", asyncio.current_task())
        group = waiting.take()
        while group and not pull.broken.is_set():
            try:
                self._idle.add(me)
                async with self._database.connection() as connection:
                    self._idle.discard(me)
                    while group and not pull.broken.is_set() and not self._held.full:
                        await self._handling.handle(group, connection)
                        await pull.settle(group)
                        waiting.finish(group)
                        group = waiting.take()
            except Exception as error:
                if not is_outage(error):
                    raise
                log.warning("handlers_wait", consumer=self._consumer.name, reason=type(error).__name__)
                await pull.pause(self._policy.outage_delay_seconds)
            if self._held.full:
                await pull.pause(self._policy.outage_delay_seconds)
            # What came while the connection was given back found all workers there, and brought no new one.
            group = group or waiting.take()
        # Here and not when the task is seen to have ended: something may come before that.
        self._workers.discard(me)


def _waiting_room(consumer: Consumer) -> Waiting:
    return Lanes() if consumer.batch_size == 1 else Batches(consumer.batch_size)


def _capacity(consumer: Consumer) -> int:
    return min(max(consumer.workers * AHEAD, consumer.batch_size * 2), CAPACITY_MAX)
