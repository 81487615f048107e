"""Puts retention together and runs it."""

from __future__ import annotations

from collections.abc import Mapping

import kit.server
from kit.background import Loop
from kit.calls import Transports
from kit.certificates import sign_certificate
from kit.database import Units
from kit.objects import Objects
from kit.service import Service
from kit.settings import Environment
from litestar import Litestar
from opentelemetry.sdk.trace import TracerProvider

from retention.adapters.archive import ObjectArchive
from retention.adapters.ledger import ObjectLedger
from retention.adapters.pg_dump import PgDump
from retention.adapters.store import PostgresStore
from retention.adapters.streams import JetStreams
from retention.api import routes
from retention.jobs import BackupJobs, BackupPlace, ErasureJobs
from retention.ports import Store
from retention.settings import BackupSettings, Settings
from retention.subscribers import subscriptions


def create_app(
    environment: Mapping[str, str],
    *,
    transports: Transports | None = None,
    tracer_provider: TracerProvider | None = None,
) -> Litestar:
    """retention as an ASGI application."""
    settings = Settings.read(Environment(environment))
    service = Service("retention", settings.base, transports=transports, tracer_provider=tracer_provider)
    units: Units[Store] = Units(service.database, PostgresStore)
    erasures = ErasureJobs(
        units,
        JetStreams(lambda: service.nats),
        service.clock,
        lambda document: sign_certificate(document, service.signing_key),
        ledger=ObjectLedger(Objects(settings.backups.store_url)) if settings.backups else None,
    )
    return service.app(
        routes=routes(units, lambda: service.trusted_keys.lasting_jwks("retention")),
        subscriptions=subscriptions(units, service.clock),
        loops=[*erasures.loops(), *_backup_loops(service, units, settings.backups)],
    )


def _backup_loops(service: Service, units: Units[Store], settings: BackupSettings | None) -> list[Loop]:
    if settings is None:
        return []
    place = BackupPlace(
        dumper=PgDump(settings.pg_dump, settings.database_urls),
        archive=ObjectArchive(Objects(settings.store_url)),
    )
    return BackupJobs(units, place, service.clock).loops()


def run() -> None:
    kit.server.run("retention", create_app)
