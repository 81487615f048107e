"""Fixtures to run one service, or several, on the real servers: keys, migrated databases, a fresh bus, passports."""

from __future__ import annotations

import asyncio
import base64
import os
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
    suppress,
)
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx
import nats
import psycopg
import pytest
from contracts import topology
from contracts.access import Role
from contracts.event import Event
from litestar import Litestar
from nats.aio.client import Client
from nats.js.api import RawStreamMsg
from nats.js.errors import NotFoundError
from opentelemetry import propagate
from psycopg import sql

from kit import codec, migrations
from kit.calls import InProcess
from kit.clock import MovableClock, SystemClock
from kit.embedded.postgres import EmbeddedPostgres
from kit.ids import new_id
from kit.key_files import generate_keys
from kit.keys import SigningKey, TrustedKeys, write_private
from kit.passport import Caller, KeyLimits, Passports
from kit.provision import provision
from kit.secret import Secret
from kit.testing.plugin import CreateDatabase
from kit.testing.waiting import wait_for
from kit.topology import reconcile

SERVICES = ("auth", "content", "scheduler", "publisher", "metrics", "retention", "gateway")

_STORES = {"auth": ("auth", "auth_keys"), "gateway": ()}
"""The databases of a service, where it has not exactly one of its own name."""

_PASSWORD = "only-in-tests"  # noqa: S105


@pytest.fixture(scope="session")
def keys_folder(server_folder: Path) -> Path:
    """The keys of every service, as `signoff up` makes them."""
    folder = server_folder / "keys"
    generate_keys(folder, SERVICES)
    for name in ("vault.key", "api-key.pepper"):
        write_private(folder / name, base64.b64encode(os.urandom(32)))
    return folder


@pytest.fixture
def clock(tmp_path: Path) -> MovableClock:
    """The clock that `service_environment` gives to services; `clock.advance` moves all of them."""
    return MovableClock(tmp_path / "clock")


@pytest.fixture(scope="session")
def template_of(
    postgres_server: EmbeddedPostgres, database_administrator: psycopg.Connection
) -> Iterator[Callable[[str], str]]:
    """The name of a database that a service's migrations have been run on, made once a session."""
    made: dict[str, str] = {}

    def template(service: str) -> str:
        if service not in made:
            name = f"template_{service}_{uuid.uuid4().hex[:8]}"
            superuser, password = Secret(postgres_server.superuser_url), Secret(_PASSWORD)
            provision(superuser, service, login_password=password, owner_password=password, database_name=name)
            owner_url = postgres_server.url(role=f"{service}_owner", password=_PASSWORD, database=name)
            migrations.upgrade(service, Secret(owner_url))
            made[service] = name
        return made[service]

    yield template
    for name in made.values():
        database_administrator.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


MigrateOld = Callable[[str, str], AbstractContextManager[tuple[psycopg.Connection[Any], Callable[[], None]]]]


@pytest.fixture
def old_database(postgres_server: EmbeddedPostgres, database_administrator: psycopg.Connection) -> MigrateOld:
    """A service's database as an older release left it: fill it as the superuser, then bring it up to date.

    `with old_database("auth", "0005") as (superuser, upgrade):`
    """

    @contextmanager
    def old(service: str, revision: str) -> Iterator[tuple[psycopg.Connection[Any], Callable[[], None]]]:
        name = f"old_{service}_{uuid.uuid4().hex[:8]}"
        superuser, password = Secret(postgres_server.superuser_url), Secret(_PASSWORD)
        provision(superuser, service, login_password=password, owner_password=password, database_name=name)
        owner_url = Secret(postgres_server.url(role=f"{service}_owner", password=_PASSWORD, database=name))
        migrations.upgrade(service, owner_url, to=revision)
        superuser_url = urlunsplit(urlsplit(postgres_server.superuser_url)._replace(path=f"/{name}"))
        try:
            with psycopg.connect(superuser_url, autocommit=True) as connection:
                yield connection, lambda: migrations.upgrade(service, owner_url)
        finally:
            database_administrator.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    return old


ServiceEnvironment = Callable[[str], dict[str, str]]


@pytest.fixture
def service_environment(
    create_database: CreateDatabase,
    template_of: Callable[[str], str],
    keys_folder: Path,
    nats_url: str,
    tmp_path: Path,
) -> ServiceEnvironment:
    """The environment variables of one service with fresh, migrated databases of its own."""

    def environment(service: str) -> dict[str, str]:
        return {
            "SIGNOFF_STAGE": "development",
            "NATS_URL": nats_url,
            "TRUSTED_KEYS_FILE": str(keys_folder / "trusted.jwks.json"),
            "CLOCK_FILE": str(tmp_path / "clock"),
            f"SIGNING_KEY_FILE_{service.upper()}": str(keys_folder / f"{service}.signing.pem"),
            f"SEALING_KEY_FILE_{service.upper()}": str(keys_folder / f"{service}.sealing.pem"),
            "OBJECT_STORE_URL": f"file://{tmp_path}/objects",
            "VAULT_KEY_FILE": str(keys_folder / "vault.key"),
            "MAIL_FOLDER": f"{tmp_path}/mail",
            "API_KEY_PEPPER_FILE": str(keys_folder / "api-key.pepper"),
        } | {name: value for store in _STORES.get(service, (service,)) for name, value in _database(store).items()}

    def _database(service: str) -> dict[str, str]:
        superuser_url = create_database(service, template=template_of(service))
        name = urlsplit(superuser_url).path.removeprefix("/")
        return {
            f"DATABASE_URL_{service.upper()}": _as_role(superuser_url, service),
            f"DATABASE_SUPERUSER_URL_{service.upper()}": superuser_url,
            f"DATABASE_NAME_{service.upper()}": name,
        }

    return environment


def _as_role(superuser_url: str, role: str) -> str:
    parts = urlsplit(superuser_url)
    return urlunsplit(parts._replace(netloc=f"{role}:{_PASSWORD}@{parts.netloc.rpartition('@')[2]}"))


class Bus:
    """The event bus as a test sees it: tell an event, read what was told."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.jetstream = client.jetstream()

    async def publish(self, event: Event, *, event_id: uuid.UUID | None = None) -> uuid.UUID:
        """Publish as the outbox would; the same id twice is a repetition."""
        event_id = event_id or new_id()
        headers = codec.headers_of(event, event_id, source="test", at=SystemClock().now())
        stream = topology.stream_of(type(event)).name
        # Without its message id the server stores a repetition too, as it would after its window.
        del headers["Nats-Msg-Id"]
        propagate.inject(headers)
        await self.jetstream.publish(event.subject(), codec.encode(event), stream=stream, headers=headers, timeout=5)
        return event_id

    async def told(self, event: type[Event]) -> list[Event]:
        """Every event of one type that its stream holds, oldest first."""
        return [codec.decode(message.headers or {}, message.data or b"") for message in await self.messages(event)]

    async def messages(self, event: type[Event]) -> list[RawStreamMsg]:
        """The same as they are stored."""
        stream = topology.stream_of(event).name
        found: list[RawStreamMsg] = []
        sequence = 1
        while True:
            try:
                message = await self.jetstream.get_msg(
                    stream, sequence, subject=event.filter_subject(), next=True, direct=True
                )
            except NotFoundError:
                return found
            found.append(message)
            assert message.seq is not None
            sequence = message.seq + 1

    async def wait_told(self, event: type[Event], count: int = 1, *, timeout_seconds: float = 10) -> list[Event]:
        """The events of one type once there are `count` of them."""

        async def enough() -> list[Event]:
            found = await self.told(event)
            return found if len(found) >= count else []

        return await wait_for(enough, timeout_seconds, what=f"{count} × {event.name()}")

    async def settled(self, consumer: str) -> bool:
        """Whether a consumer has nothing left to take and nothing unacknowledged."""
        watched = topology.CONSUMERS[consumer]
        last = max([await self._last_sequence(watched.stream, subject) for subject in watched.filter_subjects])
        info = await self.jetstream.consumer_info(watched.stream, consumer)
        # The server counts a new message as pending only some time after it has acknowledged it to its sender.
        reached = info.delivered is not None and info.delivered.stream_seq >= last
        return reached and not info.num_pending and not info.num_ack_pending

    async def _last_sequence(self, stream: str, subject: str) -> int:
        try:
            return (await self.jetstream.get_last_msg(stream, subject, direct=True)).seq or 0
        except NotFoundError:
            return 0


@pytest.fixture
async def bus(nats_url: str) -> AsyncIterator[Bus]:
    """A bus with empty streams and fresh consumers."""
    client = await nats.connect(nats_url, max_reconnect_attempts=-1, reconnect_time_wait=0.1)
    jetstream = client.jetstream()
    # Emptied, not deleted: a stream made again under its name can meet its own folder still being removed.
    for consumer in topology.CONSUMERS.values():
        with suppress(NotFoundError):
            await jetstream.delete_consumer(consumer.stream, consumer.name)
    await reconcile(jetstream)
    for stream in topology.STREAMS:
        await jetstream.purge_stream(stream)
    yield Bus(client)
    await client.close()


MakePassport = Callable[..., dict[str, str]]


@pytest.fixture
def passport(keys_folder: Path, clock: MovableClock) -> MakePassport:
    """Headers of a caller: `passport(account_id=…, workspace_id=…, role="editor")` or `passport(service="auth")`."""

    def make(
        *,
        account_id: uuid.UUID | None = None,
        workspace_id: uuid.UUID | None = None,
        role: str = "owner",
        service: str | None = None,
        key: KeyLimits | None = None,
    ) -> dict[str, str]:
        issuer = service or "auth"
        signing_key = SigningKey.load(issuer, keys_folder / f"{issuer}.signing.pem")
        passports = Passports(signing_key, TrustedKeys.load(keys_folder / "trusted.jwks.json"), clock)
        if service:
            return {"Authorization": f"Bearer {passports.issue_own()}"}
        caller = Caller(
            account_id=account_id or new_id(),
            workspace_id=workspace_id,
            role=Role(role) if workspace_id else None,
            key=key,
        )
        return {"Authorization": f"Bearer {passports.issue(caller)}"}

    return make


Running = Callable[[Litestar], AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture
def running() -> Running:
    """Run an application's lifespan and talk HTTP to it in process: `async with running(app) as client`."""

    @asynccontextmanager
    async def run(app: Litestar) -> AsyncIterator[httpx.AsyncClient]:
        started, ended = asyncio.Event(), asyncio.Event()

        async def host() -> None:
            async with app.lifespan():
                started.set()
                await ended.wait()

        # A lifespan must end in the task that began it, which a fixture's two halves do not share.
        hosting = asyncio.ensure_future(host())
        waiting = asyncio.ensure_future(started.wait())
        await asyncio.wait([hosting, waiting], return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if hosting.done():
            await hosting
        try:
            transport = InProcess({"app": app}, "app")
            async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
                yield client
        finally:
            ended.set()
            await hosting

    return run
