"""Puts metrics together and runs it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import kit.server
from contracts.leases import Purpose
from kit.calls import Transports
from kit.database import Units
from kit.erasure import Eraser
from kit.service import Service
from kit.settings import Environment
from litestar import Litestar
from opentelemetry.sdk.trace import TracerProvider
from platforms.environment import OfferedPlatforms
from platforms.http import create_http_client
from platforms.leasing import Leases

from metrics.adapters.insights import PlatformInsights
from metrics.adapters.store import PostgresStore
from metrics.api import routes
from metrics.data_map import DATA_MAP
from metrics.jobs import loops
from metrics.ports import Store
from metrics.settings import Settings
from metrics.subscribers import subscriptions


def create_app(
    environment: Mapping[str, str],
    *,
    transports: Transports | None = None,
    tracer_provider: TracerProvider | None = None,
    offered: OfferedPlatforms | None = None,
) -> Litestar:
    """metrics as an ASGI application. `offered` replaces the platforms that the environment names."""
    settings = Settings.read(Environment(environment))
    offered = offered or settings.offered
    service = Service("metrics", settings.base, transports=transports, tracer_provider=tracer_provider)
    units: Units[Store] = Units(service.database, PostgresStore)
    http = create_http_client(offered.allowed_hosts, service.tracer)
    leases = Leases(service.neighbour("auth"), service.sealing_key, Purpose.READ_METRICS)
    insights = PlatformInsights(offered, leases, http, service.clock)
    eraser = Eraser(service.database, DATA_MAP)

    @asynccontextmanager
    async def closing_http() -> AsyncIterator[None]:
        async with http:
            yield

    return service.app(
        routes=routes(units),
        subscriptions=[*subscriptions(units, service.clock), eraser.subscription()],
        loops=[*loops(units, insights, service.clock), eraser.loop()],
        resources=[closing_http],
    )


def run() -> None:
    kit.server.run("metrics", create_app)
