"""The servers that the services stand on: embedded ones, or those that the environment names.

Embedded servers are brought to where the code needs them: databases, roles, migrations, streams. Servers of
somebody else are taken as they are; a service that misses something there says which command mends it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import nats.errors
from kit import bus
from kit.embedded import EmbeddedError, EmbeddedNats, EmbeddedPostgres, NatsUser
from kit.embedded.ports import LOOPBACK
from kit.embedded.server import EmbeddedServer
from kit.identities import OPERATOR, permissions_of, public_key
from kit.secret import Secret
from kit.settings import BusSettings, Environment, SettingError, Stage
from nats.aio.client import Client

from signoff.databases import bring_to_head, check_answers, external_database_urls, login_urls
from signoff.installation import DATABASES, Installation

Report = Callable[[str], None]
"""Takes one line for people."""

NATS_PORT = 4222
"""Where NATS listens if an address does not say it."""

RESTARTS_MAX = 5
"""A server that ends this often on its own has a cause that a restart does not mend."""


@dataclass(frozen=True)
class Addresses:
    """Where the servers are, as the services are told. `nats_seeds`: whether NATS asks for a service's own key.

    `operator`: how we ourselves are let in to NATS.
    """

    operator: BusSettings
    nats_seeds: bool
    database_urls: Mapping[str, Secret]
    postgres: EmbeddedPostgres | None

    @property
    def nats_url(self) -> str:
        return self.operator.url


@asynccontextmanager
async def backing(
    installation: Installation,
    environment: Mapping[str, str],
    *,
    report: Report,
    give_up: Callable[[Exception], None],
) -> AsyncIterator[Addresses]:
    """NATS and PostgreSQL, ready for the services, until the end of the block."""
    external = external_database_urls(environment)
    named_bus = external_bus(environment)
    postgres = None if external else EmbeddedPostgres(installation.path)
    nats_server = None if named_bus else EmbeddedNats(installation.path, users=bus_users(installation))
    keepers = [_Keeper(server, report, give_up) for server in (postgres, nats_server) if server is not None]
    try:
        await asyncio.to_thread(check_answers, external)
        if named_bus:
            await check_nats(named_bus)
        await _together(
            *([_start_postgres(postgres, installation)] if postgres else []),
            *([_start_nats(nats_server, installation, environment)] if nats_server else []),
        )
        for keeper in keepers:
            keeper.watch()
        yield Addresses(
            operator=named_bus or embedded_bus(installation, nats_server.url if nats_server else ""),
            nats_seeds=nats_server is not None,
            database_urls=external or login_urls(installation, postgres),
            postgres=postgres,
        )
    finally:
        for keeper in keepers:
            await keeper.release()


def external_bus(environment: Mapping[str, str]) -> BusSettings | None:
    """The NATS that the environment names, as the operator; without a stage, who is at hand is developing."""
    if not environment.get("NATS_URL"):
        return None
    return BusSettings.read(Environment({"SIGNOFF_STAGE": Stage.DEVELOPMENT, **environment}), OPERATOR)


def embedded_bus(installation: Installation, url: str) -> BusSettings:
    """The embedded NATS, as the operator."""
    return BusSettings(url, seed_file=installation.bus_seed(OPERATOR))


async def check_nats(settings: BusSettings) -> None:
    """Raise `SettingError` if none of the servers takes connections: a service would wait for one without a word."""
    for url in settings.urls:
        parts = urlsplit(url)
        try:
            async with asyncio.timeout(5):
                _, writer = await asyncio.open_connection(parts.hostname or LOOPBACK, parts.port or NATS_PORT)
            writer.close()
        except (OSError, ValueError):
            continue
        return
    raise SettingError("NATS_URL leads to no server that takes connections")


def bus_users(installation: Installation) -> list[NatsUser]:
    """Each service and the operator, by public key, with what the contracts allow it."""
    users = []
    for name in (*DATABASES, OPERATOR):
        allowed = permissions_of(name)
        key = public_key(installation.bus_seed(name))
        users.append(NatsUser(name, key, publish=list(allowed.publish), subscribe=list(allowed.subscribe)))
    return users


@asynccontextmanager
async def operator_connection(settings: BusSettings) -> AsyncIterator[Client]:
    """NATS as the operator. One attempt: who runs a command wants to know now."""
    try:
        client = await bus.connect(settings, OPERATOR, keep_trying=False)
    except (nats.errors.Error, OSError) as error:
        reason = str(error) or type(error).__name__
        raise SettingError(f"NATS at {settings.url} does not let us in: {reason}") from error
    try:
        yield client
    finally:
        await client.close()


async def _together(*starts: Coroutine[Any, Any, None]) -> None:
    """All of them at once; the first that fails ends the others, and its error is the one that counts."""
    tasks = [asyncio.ensure_future(start) for start in starts]
    try:
        await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


async def _start_postgres(postgres: EmbeddedPostgres, installation: Installation) -> None:
    await postgres.start()
    await bring_to_head(postgres, installation)


async def _start_nats(server: EmbeddedNats, installation: Installation, environment: Mapping[str, str]) -> None:
    # Imported beside the start of the servers, not before it: this is most of a second.
    from kit.streams import TopologySettings  # noqa: PLC0415
    from kit.topology import reconcile  # noqa: PLC0415

    settings = TopologySettings.read(Environment(environment))
    await server.start()
    async with operator_connection(embedded_bus(installation, server.url)) as client:
        await reconcile(client.jetstream(), settings)


class _Keeper:
    """Starts an embedded server again when it ends on its own, and stops it in the end."""

    def __init__(self, server: EmbeddedServer, report: Report, give_up: Callable[[Exception], None]) -> None:
        self._server = server
        self._report = report
        self._give_up = give_up
        self._task: asyncio.Task[None] | None = None

    def watch(self) -> None:
        self._task = asyncio.ensure_future(self._keep())

    async def _keep(self) -> None:
        for _ in range(RESTARTS_MAX):
            ended = await self._server.exited()
            if ended.expected:
                return
            self._report(f"{ended.name} ended on its own (code {ended.code}) and is started again")
            try:
                await self._server.start()
            except EmbeddedError as error:
                self._give_up(error)
                return
        self._give_up(
            EmbeddedError(f"{ended.name} ended on its own {RESTARTS_MAX} times: see its log in the data folder")
        )

    async def release(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._server.stop()
