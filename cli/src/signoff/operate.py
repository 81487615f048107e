"""What operators run beside a system: migrations, the topology of NATS, the movable clock."""

from __future__ import annotations

import asyncio
import os
import re
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from kit.embedded import DataDirectory, EmbeddedError, EmbeddedNats, EmbeddedPostgres
from kit.embedded.data_directory import VERSION_FILE
from kit.embedded.ports import LOOPBACK
from kit.identities import OPERATOR
from kit.secret import Secret
from kit.settings import Environment, SettingError
from kit.topology import Change, reconcile
from nats.aio.client import Client

from signoff.backing import bus_users, operator_connection
from signoff.databases import bring_to_head, migrate, services_behind
from signoff.installation import DATABASES, Installation

ADVANCE_MAX = timedelta(days=3650)
"""Longer than every retention period; further on, the certificates of the machine itself have expired."""

_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}


def migrate_databases(data: Path) -> int:
    """Bring the databases to the newest revision and say which ones were behind."""
    urls = _owner_urls(os.environ)
    behind = asyncio.run(_migrate_external(urls) if urls else _migrate_embedded(data))
    print("migrated: " + ", ".join(behind) if behind else "every database is up to date")
    return 0


def apply_topology(data: Path, *, replicas: int) -> int:
    """Make NATS hold what the contracts say and print what that took."""
    changes = asyncio.run(_reconcile(data, replicas=replicas, dry=False))
    for change in changes:
        print(f"{change.what}: {change.action}")
    print(f"{len(changes)} changes" if changes else "NATS holds what the contracts say")
    return 0


def check_topology(data: Path, *, replicas: int) -> int:
    """Print what differs; code 1 if anything does."""
    changes = asyncio.run(_reconcile(data, replicas=replicas, dry=True))
    for change in changes:
        print(f"{change.what}: {'is missing' if change.action == 'created' else 'differs'}")
    print("run: signoff topology apply" if changes else "NATS holds what the contracts say")
    return 1 if changes else 0


def show_clock(data: Path) -> int:
    print(_existing(data).clock.now().isoformat(timespec="seconds"))
    return 0


def advance_clock(data: Path, by: str) -> int:
    """Move the clock of every process of the installation, running or not."""
    duration = read_duration(by)
    print(_existing(data).clock.advance(duration).isoformat(timespec="seconds"))
    return 0


def read_duration(text: str) -> timedelta:
    """30d, 12h, 90m, 45s, or several of them: 1d12h."""
    parts = re.findall(r"(\d{1,9})([dhms])", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise SettingError(f"{text!r} is no duration: write it as 30d, 12h, 90m or 45s")
    duration = timedelta()
    for number, unit in parts:
        duration += timedelta(**{_UNITS[unit]: int(number)})
    if duration > ADVANCE_MAX:
        raise SettingError(f"{text} is too far: at most {ADVANCE_MAX.days}d at a time")
    return duration


def _owner_urls(environment: Mapping[str, str]) -> dict[str, Secret]:
    names = {service: f"DATABASE_OWNER_URL_{service.upper()}" for service in DATABASES}
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


async def _reconcile(data: Path, *, replicas: int, dry: bool) -> list[Change]:
    async with operator_bus(data) as client:
        return await reconcile(client.jetstream(), replicas=replicas, dry=dry)


@asynccontextmanager
async def operator_bus(data: Path) -> AsyncIterator[Client]:
    """NATS as the operator: the one at NATS_URL, the embedded one that runs, or the embedded one started for this."""
    url = os.environ.get("NATS_URL")
    if url:
        async with operator_connection(url, os.environ.get("NATS_SEED_FILE_OPERATOR")) as client:
            yield client
        return
    installation = _existing(data)
    seed = str(installation.bus_seed(OPERATOR))
    running = _running_url(installation)
    if running:
        async with operator_connection(running, seed) as client:
            yield client
        return
    with DataDirectory(data) as directory:
        opened = Installation.open(directory)
        async with (
            EmbeddedNats(opened.path, users=bus_users(opened)) as server,
            operator_connection(server.url, seed) as client,
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


def _existing(data: Path) -> Installation:
    if not (data / VERSION_FILE).is_file():
        raise EmbeddedError(f"{data} holds no installation: run signoff up first, or name its folder with --data")
    return Installation(data.absolute())
