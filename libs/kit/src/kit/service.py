"""How every service is put together: Litestar hosts the process; database, broker and loops live in its lifespan.

They open in that order and close in reverse, so that a handler never outlives what it needs.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import cached_property
from typing import Any

import psycopg
import psycopg_pool
import structlog
from litestar import Litestar, Response, get
from litestar.connection import Request
from litestar.datastructures import State
from litestar.di import Provide
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.types import ControllerRouterHandler, ExceptionHandlersMap
from nats.aio.client import Client
from opentelemetry.metrics import Meter
from opentelemetry.sdk.trace import TracerProvider

from kit import migrations
from kit.background import Loop, Supervisor
from kit.calls import Neighbour, Transports, create_client
from kit.clock import Clock, MovableClock, SystemClock
from kit.database import Database
from kit.keys import SealingKey, SigningKey, TrustedKeys
from kit.messaging import Messaging
from kit.metrics import create_meter
from kit.passport import Caller, Passports, caller_of
from kit.problems import EXCEPTION_HANDLERS, Unavailable, on_problem
from kit.publishing import Unavailable as BusUnavailable
from kit.settings import ServiceSettings, SettingError
from kit.settle import RetryPolicy
from kit.subscription import Subscription
from kit.telemetry import TraceRequests, create_tracer_provider

log = structlog.get_logger("service")

BODY_BYTES_MAX = 1024 * 1024
"""A JSON body is small; routes that take media set their own limit."""


class Service:
    """What one service has in common with all others, built from its settings."""

    def __init__(
        self,
        name: str,
        settings: ServiceSettings,
        *,
        transports: Transports | None = None,
        tracer_provider: TracerProvider | None = None,
        retry_policy: RetryPolicy | None = None,
    ) -> None:
        self.name = name
        self.settings = settings
        self.clock: Clock = MovableClock(settings.clock_file) if settings.clock_file else SystemClock()
        self.signing_key = SigningKey.load(name, settings.signing_key_file)
        self.trusted_keys = TrustedKeys.load(settings.trusted_keys_file)
        self.passports = Passports(self.signing_key, self.trusted_keys, self.clock)
        self._ends_tracing = tracer_provider is None
        self._tracing = tracer_provider or create_tracer_provider(name, settings.otlp_endpoint, settings.traces_share)
        self.tracer = self._tracing.get_tracer("signoff")
        self._send_counts: Callable[[], None] | None = None
        self._transports = transports or {}
        self._retry_policy = retry_policy or RetryPolicy()
        self._neighbours: list[Neighbour] = []
        self._messaging: Messaging | None = None
        self._supervisor: Supervisor | None = None

    @cached_property
    def database(self) -> Database:
        if self.settings.database_url is None:
            raise SettingError(f"{self.name} has no database")
        return Database(
            self.name,
            self.settings.database_url,
            self.clock,
            connections_max=self.settings.database_connections_max,
        )

    @cached_property
    def sealing_key(self) -> SealingKey:
        """Opens what is sealed for this service."""
        if self.settings.sealing_key_file is None:
            raise SettingError(f"SEALING_KEY_FILE_{self.name.upper()} is not set")
        return SealingKey.load(self.settings.sealing_key_file)

    @cached_property
    def meter(self) -> Meter:
        """What the service counts with. To be asked for before it runs, so that the last counts are sent at its end."""
        meter, self._send_counts = create_meter(self.name, self.settings.otlp_endpoint)
        return meter

    @property
    def nats(self) -> Client:
        """The connection to NATS; raises `kit.publishing.Unavailable` as long as there never was one."""
        if self._messaging is None:
            raise BusUnavailable("the service does not run")
        return self._messaging.client

    def neighbour(self, name: str) -> Neighbour:
        """Another service: in process if a transport was given for it, else at SERVICE_URL_<NAME>."""
        transport = self._transports.get(name)
        url = self.settings.neighbours.get(name) or (f"http://{name}" if transport else None)
        if url is None:
            raise SettingError(f"SERVICE_URL_{name.upper()} is not set")
        neighbour = Neighbour(name, create_client(url, transport), self.passports.issue_own, self.tracer)
        self._neighbours.append(neighbour)
        return neighbour

    def app(
        self,
        *,
        routes: Sequence[ControllerRouterHandler] = (),
        subscriptions: Sequence[Subscription] = (),
        loops: Sequence[Loop] = (),
        resources: Sequence[Callable[[], AbstractAsyncContextManager[Any]]] = (),
        body_bytes_max: int = BODY_BYTES_MAX,
    ) -> Litestar:
        """The service as an ASGI application. `resources` are opened first and closed last, while neighbours answer."""

        @asynccontextmanager
        async def lifespan(_: Litestar) -> AsyncIterator[None]:
            async with AsyncExitStack() as stack:
                if self._ends_tracing:
                    # What was recorded last goes out too; telemetry bounds how long that may take.
                    stack.push_async_callback(asyncio.to_thread, self._tracing.shutdown)
                if self._send_counts is not None:
                    stack.push_async_callback(asyncio.to_thread, self._send_counts)
                await stack.enter_async_context(self._closing_neighbours())
                for resource in resources:
                    await stack.enter_async_context(resource())
                runs = [(loop.name, loop.run) for loop in loops]
                if self.settings.database_url is not None:
                    await stack.enter_async_context(self._connected_database())
                    messaging = self._messaging = self._create_messaging(subscriptions)
                    await stack.enter_async_context(messaging.opened())
                    runs.append(("messaging", messaging.run))
                self._supervisor = Supervisor(self.name, runs)
                await stack.enter_async_context(self._supervisor.running())
                if self._messaging is not None:
                    stack.push_async_callback(self._messaging.drain)
                yield

        return Litestar(
            route_handlers=[*routes, *self._probes()],
            lifespan=[lifespan],
            dependencies={"caller": Provide(_provide_caller, sync_to_thread=False)},
            exception_handlers={**EXCEPTION_HANDLERS, **_OUTAGE_HANDLERS},
            middleware=[lambda app: TraceRequests(app, self.tracer)],
            request_max_body_size=body_bytes_max,
            openapi_config=OpenAPIConfig(
                title=f"Signoff {self.name}", version="1", path="/openapi", render_plugins=[JsonRenderPlugin()]
            ),
            state=State({"passports": self.passports}),
            logging_config=None,
        )

    @asynccontextmanager
    async def _closing_neighbours(self) -> AsyncIterator[None]:
        try:
            yield
        finally:
            for neighbour in self._neighbours:
                await neighbour.close()

    @asynccontextmanager
    async def _connected_database(self) -> AsyncIterator[None]:
        await self.database.open()
        try:
            at, needed = await self.database.migrated_to(), migrations.head(self.name)
            # A newer schema fits the code before it: old pods must start again while a release rolls out.
            if at is None or at < needed:
                raise SettingError(f"{self.name}'s database is at {at}, the code needs {needed}: run signoff migrate")
            yield
        finally:
            await self.database.close()

    def _create_messaging(self, subscriptions: Sequence[Subscription]) -> Messaging:
        if self.settings.bus is None:
            raise SettingError("NATS_URL is not set")
        return Messaging(self.settings.bus, self.database, subscriptions, policy=self._retry_policy, tracer=self.tracer)

    def _probes(self) -> list[ControllerRouterHandler]:
        @get("/health/live", include_in_schema=False)
        async def live() -> Response[dict[str, str]]:
            """The event loop answers and every loop lives. Never a dependency: a restart mends none."""
            alive = self._supervisor is not None and self._supervisor.alive
            return Response({"status": "live" if alive else "a loop died"}, status_code=200 if alive else 503)

        @get("/health/ready", include_in_schema=False)
        async def ready() -> Response[dict[str, str]]:
            """Requests can be served. Not NATS: with an outbox they can while it is away."""
            if self.settings.database_url is None:
                return Response({"status": "ready"})
            try:
                await self.database.check()
            except (psycopg.OperationalError, psycopg_pool.PoolTimeout):
                return Response({"status": "the database does not answer"}, status_code=503)
            told = self._messaging is not None and self._messaging.is_connected
            return Response({"status": "ready", "nats": "up" if told else "down"})

        @get("/internal/jwks", include_in_schema=False)
        async def jwks() -> Response[dict[str, Any]]:
            """The public keys that this process trusts now: whether a new one has reached it."""
            return Response(self.trusted_keys.jwks())

        return [live, ready, jwks]


def _on_outage(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    log.warning("database_away", error=type(error).__name__)
    return on_problem(request, Unavailable("The database does not answer."))


def _on_crossing(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    log.warning("requests_crossed", error=type(error).__name__)
    return on_problem(request, Unavailable("Somebody changed the same things at the same moment. Nothing was changed."))


_OUTAGE_HANDLERS: ExceptionHandlersMap = {
    psycopg.errors.DeadlockDetected: _on_crossing,
    psycopg.OperationalError: _on_outage,
    psycopg_pool.PoolTimeout: _on_outage,
}


def _provide_caller(request: Request[Any, Any, Any]) -> Caller:
    return caller_of(request)
