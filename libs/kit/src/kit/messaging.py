"""A service's side of the bus: its outbox goes out and its events come in over one connection, which may come later."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import structlog
from nats.aio.client import Client
from opentelemetry import trace

from kit import bus, inbox, topology
from kit.background import Loop, cancel, together
from kit.consuming import Consumers
from kit.database import Database
from kit.publishing import Unavailable
from kit.relay import Relay
from kit.settings import BusSettings
from kit.settle import RetryPolicy
from kit.subscription import Subscription

log = structlog.get_logger("messaging")

START_SECONDS = 5.0
"""How long a start waits for NATS. After that requests are served without it; their events wait in the outbox."""

CLOSE_SECONDS = 1.0
"""How long an end waits until NATS has read what was sent last. One that stands still never does."""


class Messaging:
    """What is told and heard, from the start of a service to its end."""

    def __init__(
        self,
        settings: BusSettings,
        database: Database,
        subscriptions: Sequence[Subscription],
        *,
        policy: RetryPolicy,
        tracer: trace.Tracer,
    ) -> None:
        self._settings = settings
        self._database = database
        self._subscriptions = subscriptions
        self._policy = policy
        self._tracer = tracer
        self._client: Client | None = None
        self._consumers: Consumers | None = None
        self._connecting: asyncio.Task[tuple[Relay, Consumers]] | None = None

    @property
    def client(self) -> Client:
        """The connection; raises `kit.publishing.Unavailable` as long as there never was one."""
        if self._client is None:
            raise Unavailable("not connected yet")
        return self._client

    @property
    def is_connected(self) -> bool:
        return self._client is not None and self._client.is_connected

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Connect. What makes a start hopeless, such as a missing consumer, is raised if NATS says so in time."""
        for subscription in self._subscriptions:
            subscription.check()
        self._connecting = asyncio.ensure_future(self._connect())
        try:
            await asyncio.wait([self._connecting], timeout=START_SECONDS)
            if self._connecting.done():
                self._connecting.result()
            else:
                log.warning("started_without_nats", service=self._database.service)
            yield
        finally:
            await cancel([self._connecting])
            if self._client is not None:
                with suppress(TimeoutError):
                    async with asyncio.timeout(CLOSE_SECONDS):
                        await self._client.close()

    async def run(self) -> None:
        """Tell and hear, for ever, from the moment NATS is there."""
        assert self._connecting is not None, "messaging runs while it is open"
        relay, consumers = await asyncio.shield(self._connecting)
        await together(relay.run(), Loop("inbox", self._prune).run(), consumers.run())

    async def drain(self) -> None:
        """Take nothing more and let handlers finish."""
        if self._consumers is not None:
            await self._consumers.drain()

    async def _connect(self) -> tuple[Relay, Consumers]:
        async def on_reconnect() -> None:
            relay.reconnected()
            await consumers.reconnected()

        service = self._database.service
        self._client = client = await bus.connect(self._settings, service, on_reconnect=on_reconnect)
        relay = Relay(self._database, client, self._tracer)
        self._consumers = consumers = Consumers(
            client, self._database, self._subscriptions, policy=self._policy, tracer=self._tracer
        )
        await topology.check(client.jetstream(), [subscription.consumer for subscription in self._subscriptions])
        return relay, consumers

    async def _prune(self) -> float:
        await inbox.prune(self._database)
        return inbox.PRUNE_EVERY_SECONDS
