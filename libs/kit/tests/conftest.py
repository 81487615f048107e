"""A service of the kit's own for its tests: messaging tables and one table of effects, no migrations."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
import structlog
from contracts.content import PostApprovalWithdrawnV1, PostDeletedV1
from contracts.topology import CONSUMERS
from kit import bus, erasure, held, inbox, leadership, logs, outbox
from kit.clock import SystemClock
from kit.consuming import Consumers
from kit.database import Database, Transaction, Units
from kit.embedded.postgres import EmbeddedPostgres
from kit.provision import provision
from kit.secret import Secret
from kit.settings import BusSettings, Environment, ServiceSettings
from kit.settle import RetryPolicy
from kit.subscription import Subscription
from kit.testing.plugin import CreateDatabase
from opentelemetry import trace

SERVICE = "scheduler"
_PASSWORD = "only-in-tests"

_TABLES = (
    outbox.TABLE,
    inbox.TABLE,
    held.TABLE,
    leadership.TABLE,
    leadership.FIRST,
    erasure.TABLE,
    "CREATE TABLE effect (id bigint GENERATED ALWAYS AS IDENTITY, workspace_id uuid NOT NULL, post_id uuid NOT NULL)",
    "ALTER TABLE effect ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE effect FORCE ROW LEVEL SECURITY",
    "CREATE POLICY tenant ON effect TO scheduler"
    " USING (workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid)",
    "CREATE POLICY worker ON effect TO scheduler_worker USING (true)",
    "GRANT ALL ON outbox, inbox, held_event, consumer_lead, erasure_task, effect TO scheduler, scheduler_worker",
    "GRANT USAGE ON SCHEMA public TO scheduler, scheduler_worker",
)


@pytest.fixture
def logged() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """Log as a process does; calling it gives the lines written since the start of the test."""
    root, stream = logging.getLogger(), io.StringIO()
    handlers, level = root.handlers[:], root.level
    logs.configure(stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def database_url(postgres_server: EmbeddedPostgres, create_database: CreateDatabase) -> str:
    """A fresh database with the tables above, as the login role sees it."""
    superuser_url = create_database("kit")
    name = urlsplit(superuser_url).path.removeprefix("/")
    password = Secret(_PASSWORD)
    provision(
        Secret(postgres_server.superuser_url),
        SERVICE,
        login_password=password,
        owner_password=password,
        database_name=name,
    )
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        for statement in _TABLES:
            connection.execute(statement)
    return postgres_server.url(role=SERVICE, password=_PASSWORD, database=name)


@pytest.fixture
def postgres_url_of(postgres_server: EmbeddedPostgres) -> Callable[[str], str]:
    """The superuser's URL of the database that a URL of another role names."""
    return lambda url: urlunsplit(urlsplit(postgres_server.superuser_url)._replace(path=urlsplit(url).path))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(SERVICE, Secret(database_url), SystemClock(), connections_max=8)
    await database.open()
    yield database
    await database.close()


@pytest.fixture
def units(database: Database) -> Units[Transaction]:
    return Units(database, lambda transaction: transaction)


@pytest.fixture
def recording(units: Units[Transaction]) -> Callable[..., Subscription]:
    """A subscription that writes one effect row for each `post.deleted`, after `before` was called with it."""

    def subscription(before: Callable[[PostDeletedV1], None] = lambda _: None) -> Subscription:
        made = Subscription(CONSUMERS["scheduler-content"])

        @made.on(PostDeletedV1)
        async def on_deleted(event: PostDeletedV1) -> None:
            await units.joined().execute(
                "INSERT INTO effect (workspace_id, post_id) VALUES (%s, %s)", (event.workspace_id, event.post_id)
            )
            before(event)

        @made.on(PostApprovalWithdrawnV1)
        async def on_withdrawn(_: PostApprovalWithdrawnV1) -> None:
            return

        return made

    return subscription


QUICK = RetryPolicy(delays_seconds=(0.02, 0.05, 0.05), jitter=0.1, outage_delay_seconds=0.05)


Consuming = Callable[..., AbstractAsyncContextManager[Consumers]]


@pytest.fixture
def consuming() -> Consuming:
    """Consume subscriptions as a service would, with quick retries."""

    @asynccontextmanager
    async def run(
        url: str,
        database: Database,
        *subscriptions: Subscription,
        seed_file: Path | None = None,
        policy: RetryPolicy = QUICK,
        tracer: trace.Tracer | None = None,
    ) -> AsyncIterator[Consumers]:
        async def on_reconnect() -> None:
            await consumers.reconnected()

        client = await bus.connect(BusSettings(url, seed_file), SERVICE, on_reconnect=on_reconnect)
        consumers = Consumers(client, database, subscriptions, policy=policy, tracer=tracer or trace.get_tracer("test"))
        task = asyncio.ensure_future(consumers.run())
        try:
            yield consumers
            await consumers.drain()
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            await client.close()

    return run


@pytest.fixture
def settings(database_url: str, keys_folder: Path, nats_url: str, tmp_path: Path) -> ServiceSettings:
    variables = {
        "SIGNOFF_STAGE": "development",
        "DATABASE_URL_SCHEDULER": database_url,
        "NATS_URL": nats_url,
        "SIGNING_KEY_FILE_SCHEDULER": str(keys_folder / "scheduler.signing.pem"),
        "TRUSTED_KEYS_FILE": str(keys_folder / "trusted.jwks.json"),
        "CLOCK_FILE": str(tmp_path / "clock"),
    }
    return ServiceSettings.read(Environment(variables), "scheduler")


@pytest.fixture
def at_revision(postgres_url_of: Callable[[str], str], database_url: str) -> Callable[[str], None]:
    """Say that the database was migrated to a revision."""

    def migrate(revision: str) -> None:
        with psycopg.connect(postgres_url_of(database_url), autocommit=True) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS alembic_version (version_num text)")
            connection.execute("GRANT SELECT ON alembic_version TO scheduler")
            connection.execute("DELETE FROM alembic_version")
            connection.execute("INSERT INTO alembic_version VALUES (%s)", (revision,))

    return migrate
