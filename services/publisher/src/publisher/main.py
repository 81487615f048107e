"""The publisher, put together."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager

from contracts.leases import Purpose
from kit import server
from kit.calls import Transports
from kit.database import Scope, Units
from kit.erasure import Eraser
from kit.links import LinkIssuer
from kit.objects import Objects
from kit.service import Service
from kit.settings import Environment
from litestar import Litestar
from opentelemetry.sdk.trace import TracerProvider
from platforms.environment import OfferedPlatforms
from platforms.http import create_http_client
from platforms.leasing import Leases

from publisher import api, ports, subscribers
from publisher.adapters.audit_rows import AuditRows
from publisher.adapters.grants import SharedGrants
from publisher.adapters.journal import PostgresJournals, Seals
from publisher.adapters.media import ObjectMedia
from publisher.adapters.neighbours import ContentRevisions
from publisher.adapters.platform_calls import HttpPlatforms
from publisher.adapters.platform_looks import PlatformLooks
from publisher.adapters.scheduler_plans import SchedulerPlans
from publisher.adapters.settlements import GatheredSettlements
from publisher.adapters.store import Store
from publisher.data_map import DATA_MAP
from publisher.jobs.audits import auditing
from publisher.jobs.call_slots import CallSlots
from publisher.jobs.forgetting import forgetting
from publisher.jobs.lanes import Lanes
from publisher.jobs.removals import Removals
from publisher.ports.auditing import AuditMeans, AuditStore
from publisher.settings import Settings


def create_app(
    environment: Mapping[str, str],
    *,
    transports: Transports | None = None,
    tracer_provider: TracerProvider | None = None,
    offered: OfferedPlatforms | None = None,
) -> Litestar:
    """The publisher. `offered` are the platforms of this installation, if they are not read from the environment."""
    variables = Environment(environment)
    settings = Settings.read(variables)
    offered = offered or OfferedPlatforms.read(variables)
    service = Service("publisher", settings.base, transports=transports, tracer_provider=tracer_provider)
    units: Units[ports.Store] = Units(service.database, Store)
    http = create_http_client(offered.allowed_hosts, service.tracer)
    eraser = Eraser(service.database, DATA_MAP)
    seals = Seals(service.trusted_keys, service.sealing_key)
    auth = service.neighbour("auth")
    grants = SharedGrants(Leases(auth, service.sealing_key, Purpose.PUBLISH), service.clock)

    def work() -> AbstractAsyncContextManager[ports.Store]:
        return units(Scope.worker())

    platforms = HttpPlatforms(offered.platforms, http, service.clock)
    revisions = ContentRevisions(service.neighbour("content"), service.trusted_keys)
    means = ports.Means(
        work=work,
        settlements=GatheredSettlements(work, service.clock),
        clock=service.clock,
        revisions=revisions,
        media=ObjectMedia(
            Objects(settings.object_store_url), LinkIssuer(service.signing_key, service.clock), settings.media_url
        ),
        grants=grants,
        journals=PostgresJournals(service.database, seals, offered.platforms),
        platforms=platforms,
        removing=platforms,
        call_slots=CallSlots(),
    )
    lanes = Lanes(means, service.tracer)
    removals = Removals(means)
    leases = Leases(auth, service.sealing_key, Purpose.READ_METRICS)
    audits = _audits(service, PlatformLooks(offered.platforms, leases, http, service.clock), revisions)
    return service.app(
        routes=api.routes(
            units, platforms, platforms, clock=service.clock, wake=lanes.wake, wake_removals=removals.wake
        ),
        subscriptions=[
            *subscribers.subscriptions(units, service.clock, wake=lanes.wake, forget=grants.forget),
            eraser.subscription(),
        ],
        loops=[
            *lanes.loops(),
            removals.loop(),
            auditing(audits, every=settings.audit_every),
            forgetting(means),
            eraser.loop(),
        ],
        resources=[lambda: http, grants.open],
    )


def _audits(service: Service, accounts: PlatformLooks, texts: ContentRevisions) -> AuditMeans:
    """The auditor has rows of its own."""
    units: Units[AuditStore] = Units(service.database, AuditRows)
    return AuditMeans(
        work=lambda: units(Scope.worker()),
        clock=service.clock,
        plans=SchedulerPlans(service.neighbour("scheduler")),
        accounts=accounts,
        texts=texts,
    )


def run() -> None:
    server.run("publisher", create_app)
