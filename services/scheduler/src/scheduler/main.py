"""The scheduler, put together."""

from __future__ import annotations

from collections.abc import Mapping

from kit import server
from kit.calls import Transports
from kit.database import Units
from kit.erasure import Eraser
from kit.service import Service
from kit.settings import Environment
from litestar import Litestar
from opentelemetry.sdk.trace import TracerProvider

from scheduler import ports, subscribers
from scheduler.adapters.connections import AuthConnections
from scheduler.adapters.revisions import ContentRevisions
from scheduler.adapters.store import Store
from scheduler.api import blackouts, calendar, forecast, internal, pausing, queues, schedules, series, spread
from scheduler.data_map import DATA_MAP
from scheduler.domain.zones import shipped
from scheduler.jobs.clockwork import Clockwork
from scheduler.jobs.series import Unfolding
from scheduler.jobs.zones import Renewing
from scheduler.settings import Settings


def create_app(
    environment: Mapping[str, str],
    *,
    transports: Transports | None = None,
    tracer_provider: TracerProvider | None = None,
) -> Litestar:
    settings = Settings.read(Environment(environment))
    service = Service("scheduler", settings.base, transports=transports, tracer_provider=tracer_provider)
    units: Units[ports.Store] = Units(service.database, Store)
    revisions = ContentRevisions(service.neighbour("content"))
    connections = AuthConnections(service.neighbour("auth"))
    eraser = Eraser(service.database, DATA_MAP)
    clockwork = Clockwork(units, service.clock, service.tracer)
    return service.app(
        routes=[
            *schedules.routes(units, revisions=revisions, clock=service.clock, wake=clockwork.wake),
            *calendar.routes(units),
            *pausing.routes(units, clock=service.clock, wake=clockwork.wake),
            *series.routes(units, revisions=revisions, clock=service.clock, wake=clockwork.wake),
            *queues.routes(
                units, revisions=revisions, connections=connections, clock=service.clock, wake=clockwork.wake
            ),
            *spread.routes(units),
            *blackouts.routes(units, connections=connections, clock=service.clock),
            *internal.routes(units),
            *forecast.routes(units, connections=connections, clock=service.clock),
        ],
        subscriptions=[*subscribers.subscriptions(units), eraser.subscription()],
        loops=[
            clockwork.loop(),
            Unfolding(units, service.clock, service.tracer).loop(),
            Renewing(units, shipped()).loop(),
            eraser.loop(),
        ],
    )


def run() -> None:
    server.run("scheduler", create_app)
