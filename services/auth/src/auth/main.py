"""Where auth is put together: the only module that knows every other."""

from __future__ import annotations

from collections.abc import Mapping

from kit.calls import Transports
from kit.database import Units
from kit.erasure import Eraser
from kit.server import run as serve
from kit.service import Service
from kit.settings import Environment
from litestar import Litestar
from opentelemetry.sdk.trace import TracerProvider

from auth.adapters.passwords import Argon2Hashes
from auth.adapters.store import PostgresStore
from auth.api.accounts import account_routes, session_routes
from auth.api.workspaces import workspace_routes
from auth.data_map import DATA_MAP
from auth.ports.store import Store, Transactions
from auth.settings import Settings


def create_app(
    environment: Mapping[str, str],
    *,
    transports: Transports | None = None,
    tracer_provider: TracerProvider | None = None,
) -> Litestar:
    settings = Settings.read(Environment(environment))
    service = Service("auth", settings.base, transports=transports, tracer_provider=tracer_provider)
    transactions: Transactions = Units[Store](service.database, PostgresStore)
    hashes = Argon2Hashes()
    eraser = Eraser(service.database, DATA_MAP)
    return service.app(
        routes=[
            *account_routes(transactions, hashes),
            *session_routes(transactions, hashes, service.passports),
            *workspace_routes(transactions),
        ],
        subscriptions=[eraser.subscription()],
        loops=[eraser.loop()],
    )


def run() -> None:
    serve("auth", create_app)
