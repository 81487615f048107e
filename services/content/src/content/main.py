"""Puts content together and runs it."""

from __future__ import annotations

from collections.abc import Mapping

import kit.server
from kit.calls import Transports
from kit.database import Units
from kit.erasure import Eraser
from kit.links import LinkReader
from kit.objects import Objects
from kit.service import Service
from kit.settings import Environment
from litestar import Litestar
from opentelemetry.sdk.trace import TracerProvider
from platforms.registry import register

from content import api, jobs, subscribers
from content.adapters.connections import AuthConnections
from content.adapters.examiner import MediaExaminer
from content.adapters.media_objects import MediaObjects
from content.adapters.store import Store
from content.api.desk import Desk
from content.data_map import data_map
from content.ports import Store as StorePort
from content.settings import Settings


def create_app(
    environment: Mapping[str, str],
    *,
    transports: Transports | None = None,
    tracer_provider: TracerProvider | None = None,
) -> Litestar:
    """The service, ready to be served."""
    settings = Settings.read(Environment(environment))
    service = Service("content", settings.base, transports=transports, tracer_provider=tracer_provider)
    units: Units[StorePort] = Units(service.database, Store)
    objects = Objects(settings.object_store_url)
    stored = MediaObjects(objects)
    eraser = Eraser(service.database, data_map(erase_objects=stored.erase, count_objects=stored.count))
    desk = Desk(
        units=units,
        connections=AuthConnections(service.neighbour("auth")),
        # Asked for their rules only, which are the same wherever a platform is reached.
        platforms=register().platforms,
        sign=service.signing_key.sign,
        clock=service.clock,
    )
    # Only publisher shows media to platforms, so only its links open anything.
    links = LinkReader("publisher", service.trusted_keys, service.clock)
    return service.app(
        routes=api.routes(desk, examiner=MediaExaminer(), objects=objects, links=links),
        subscriptions=[subscribers.publications(units, service.clock), eraser.subscription()],
        loops=[jobs.orphans(units, objects, service.clock), eraser.loop()],
    )


def run() -> None:
    """The command `content`."""
    kit.server.run("content", create_app)
