"""A service that is told to stop ends within seconds, whichever server is away and in whatever way."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import pytest
from contracts.content import PostApprovalWithdrawnV1, PostDeletedV1
from contracts.topology import CONSUMERS
from kit import server
from kit.background import Loop
from kit.database import Database, Scope
from kit.ids import new_id
from kit.secret import Secret
from kit.service import Service
from kit.settings import ServiceSettings
from kit.subscription import Subscription
from kit.testing.services import Bus, Running

STOP_SECONDS = 10
"""Requests that wait for a server that is away take their whole part of it."""

Opened = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Way:
    """The way to a server: a port that passes everything on, until what is behind it stands still or is gone."""

    def __init__(self, behind: Callable[[], Awaitable[Opened]]) -> None:
        self._behind = behind
        self._stands_still = False
        self._ends: list[asyncio.StreamWriter] = []

    async def open(self) -> int:
        self._server = await asyncio.start_server(self._pass_on, "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def stand_still(self) -> None:
        """Connections stay and are taken, and nothing is read or answered."""
        self._stands_still = True

    def go(self) -> None:
        """Connections end, and none is taken."""
        self._server.close()
        for end in self._ends:
            end.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._ends.append(writer)
        behind_reader, behind_writer = await self._behind()
        self._ends.append(behind_writer)
        await asyncio.gather(self._copy(reader, behind_writer), self._copy(behind_reader, writer))

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while (some := await reader.read(65_536)) and not self._stands_still:
                writer.write(some)
        if not self._stands_still:
            writer.close()


Away = Callable[[Way], None]


@asynccontextmanager
async def way_to(behind: Callable[[], Awaitable[Opened]]) -> AsyncIterator[tuple[Way, int]]:
    way = Way(behind)
    port = await way.open()
    try:
        yield way, port
    finally:
        way.go()


@pytest.fixture
async def way_to_database(settings: ServiceSettings) -> AsyncIterator[tuple[Way, ServiceSettings]]:
    """The way, and the settings of a service that takes it."""
    assert settings.database_url is not None
    parts = urlsplit(settings.database_url.reveal())
    place = {name: values[0] for name, values in parse_qs(parts.query).items()}
    file = Path(place["host"]) / f".s.PGSQL.{place['port']}"
    async with way_to(lambda: asyncio.open_unix_connection(str(file))) as (way, port):
        url = urlunsplit(parts._replace(query=urlencode({"host": "127.0.0.1", "port": port})))
        yield way, replace(settings, database_url=Secret(url))


@pytest.fixture
async def way_to_nats(settings: ServiceSettings) -> AsyncIterator[tuple[Way, ServiceSettings]]:
    assert settings.bus is not None
    server = urlsplit(settings.bus.url)
    async with way_to(lambda: asyncio.open_connection(server.hostname, server.port)) as (way, port):
        yield way, replace(settings, bus=replace(settings.bus, url=f"nats://127.0.0.1:{port}"))


@pytest.fixture(autouse=True)
def migrated(at_revision: Callable[[str], None]) -> None:
    at_revision("9999")


def subscription(database: Database, begun: asyncio.Event, go_on: asyncio.Event) -> Subscription:
    """Handlers that have begun and then need the database once more."""
    made = Subscription(CONSUMERS["scheduler-content"])

    @made.on(PostDeletedV1)
    async def on_deleted(_: PostDeletedV1) -> None:
        begun.set()
        await go_on.wait()
        async with database.transaction(Scope.worker()) as another:
            await another.execute("SELECT true")

    @made.on(PostApprovalWithdrawnV1)
    async def on_withdrawn(_: PostApprovalWithdrawnV1) -> None:
        return

    return made


@pytest.mark.parametrize("away", [Way.stand_still, Way.go])
async def test_a_service_stops_within_seconds_while_its_database_is_away(
    bus: Bus, running: Running, way_to_database: tuple[Way, ServiceSettings], away: Away
):
    way, settings = way_to_database
    service = Service("scheduler", replace(settings, database_connections_max=2))
    begun, go_on = asyncio.Event(), asyncio.Event()
    subscriptions = [subscription(service.database, begun, go_on)]

    async def look() -> float:
        async with service.database.transaction(Scope.worker()) as transaction:
            await transaction.execute("SELECT true")
        return 0

    async with running(service.app(subscriptions=subscriptions, loops=[Loop("looks", look)])):
        for _ in range(20):
            await bus.publish(PostDeletedV1(workspace_id=new_id(), post_id=new_id()))
        await begun.wait()
        away(way)
        go_on.set()
        started = time.monotonic()
    assert time.monotonic() - started + server.GRACEFUL_SECONDS < STOP_SECONDS


@pytest.mark.parametrize("away", [Way.stand_still, Way.go])
async def test_a_service_stops_within_seconds_while_nats_is_away(
    bus: Bus, running: Running, way_to_nats: tuple[Way, ServiceSettings], away: Away
):
    way, settings = way_to_nats
    service = Service("scheduler", settings)
    async with running(service.app()):
        away(way)
        # More than the buffers between us and NATS hold.
        for _ in range(16):
            with suppress(Exception):
                await service.nats.publish("tests", bytes(500_000))
        started = time.monotonic()
    assert time.monotonic() - started + server.GRACEFUL_SECONDS < STOP_SECONDS
