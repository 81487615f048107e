"""What operators run beside a system: migrations, the topology of NATS, the movable clock."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType

import nats.errors
import nats.js.errors
from kit.differences import Difference, Kind
from kit.embedded import DataDirectory, EmbeddedError, EmbeddedNats, EmbeddedPostgres
from kit.embedded.data_directory import VERSION_FILE
from kit.embedded.ports import LOOPBACK
from kit.secret import Secret
from kit.settings import Environment, SettingError, read_duration
from kit.streams import TopologySettings
from kit.topology import Refused, differences, obsolete, reconcile
from nats.aio.client import Client

from signoff.backing import bus_users, embedded_bus, external_bus, operator_connection
from signoff.databases import bring_to_head, migrate, services_behind
from signoff.installation import STORES, Installation


def migrate_databases(data: Path) -> int:
    """Bring the databases to the newest revision and say which ones were behind."""
    urls = _owner_urls(os.environ)
    behind = asyncio.run(_migrate_external(urls) if urls else _migrate_embedded(data))
    print("migrated: " + ", ".join(behind) if behind else "every database is up to date")
    return 0


def apply_topology(data: Path, choices: Mapping[str, str], *, prune: bool) -> int:
    """Make NATS hold what the contracts say, print what that took, and what only a person may remove."""
    try:
        mended, left = asyncio.run(_apply(data, _chosen(choices), prune=prune))
    except Refused as refused:
        _print(refused.mended, _DONE)
        raise
    _print(mended, _DONE)
    _print(left)
    if any(each.what.startswith("consumer ") for each in left):
        print("run: signoff topology apply --prune, to delete the consumers")
    print("NATS holds what the contracts say")
    return 0


def diff_topology(data: Path, choices: Mapping[str, str], *, as_json: bool) -> int:
    """Print what differs; code 1 if anything does."""
    found = asyncio.run(_differences(data, _chosen(choices)))
    if as_json:
        print(json.dumps([dataclasses.asdict(each) for each in found], indent=2, ensure_ascii=False))
    else:
        _print(found)
        print("run: signoff topology apply" if found else "NATS holds what the contracts say")
    return 1 if found else 0


_DONE = {Kind.MISSING: "created", Kind.OBSOLETE: "deleted"}


def _print(found: Sequence[Difference], done: Mapping[Kind, str] = MappingProxyType({})) -> None:
    for each in found:
        print(f"{each.what}: {done[each.kind]}" if each.kind in done else each)


def _chosen(choices: Mapping[str, str]) -> TopologySettings:
    return TopologySettings.read(Environment({**os.environ, **choices}))


def show_clock(data: Path) -> int:
    print(existing(data).clock.now().isoformat(timespec="seconds"))
    return 0


def advance_clock(data: Path, by: str) -> int:
    """Move the clock of every process of the installation, running or not."""
    duration = read_duration(by)
    print(existing(data).clock.advance(duration).isoformat(timespec="seconds"))
    return 0


def _owner_urls(environment: Mapping[str, str]) -> dict[str, Secret]:
    names = {service: f"DATABASE_OWNER_URL_{service.upper()}" for service in STORES}
    if not any(environment.get(name) for name in names.values()):
        return {}
    reader = Environment(environment)
    return {service: reader.secret(name) for service, name in names.items()}


async def _migrate_external(urls: Mapping[str, Secret]) -> list[str]:
    behind = await asyncio.to_thread(services_behind, urls)
    if behind:
        await migrate({service: urls[service] for service in behind})
    return behind


async def _migrate_embedded(data: Path) -> list[str]:
    with DataDirectory(data) as directory:
        installation = Installation.open(directory)
        async with EmbeddedPostgres(installation.path) as postgres:
            return await bring_to_head(postgres, installation)


async def _apply(
    data: Path, settings: TopologySettings, *, prune: bool
) -> tuple[Sequence[Difference], Sequence[Difference]]:
    async with _answering(), operator_bus(data) as client:
        jetstream = client.jetstream()
        return await reconcile(jetstream, settings, prune=prune), await obsolete(jetstream)


async def _differences(data: Path, settings: TopologySettings) -> Sequence[Difference]:
    async with _answering(), operator_bus(data) as client:
        return await differences(client.jetstream(), settings)


@asynccontextmanager
async def _answering() -> AsyncIterator[None]:
    """What a cluster without a leader, or a user without rights, looks like, in one line."""
    try:
        yield
    except (nats.errors.Error, nats.js.errors.Error) as error:
        raise SettingError(
            f"NATS does not answer as it should ({type(error).__name__}): has it JetStream, a leader, rights for us?"
        ) from error


@asynccontextmanager
async def operator_bus(data: Path) -> AsyncIterator[Client]:
    """NATS as the operator: the one at NATS_URL, the embedded one that runs, or the embedded one started for this."""
    named = external_bus(os.environ)
    if named:
        async with operator_connection(named) as client:
            yield client
        return
    installation = existing(data)
    running = _running_url(installation)
    if running:
        async with operator_connection(embedded_bus(installation, running)) as client:
            yield client
        return
    with DataDirectory(data) as directory:
        opened = Installation.open(directory)
        async with (
            EmbeddedNats(opened.path, users=bus_users(opened)) as server,
            operator_connection(embedded_bus(opened, server.url)) as client,
        ):
            yield client


def _running_url(installation: Installation) -> str | None:
    port_file = installation.path / "nats" / "port"
    if not port_file.exists():
        return None
    port = int(port_file.read_text())
    try:
        socket.create_connection((LOOPBACK, port), timeout=1).close()
    except OSError:
        return None
    return f"nats://{LOOPBACK}:{port}"


def existing(data: Path) -> Installation:
    """The installation in a folder, whether it runs or not. Raises `EmbeddedError` if there is none."""
    if not (data / VERSION_FILE).is_file():
        raise EmbeddedError(f"{data} holds no installation: run signoff up first, or name its folder with --data")
    return Installation(data.absolute())
