"""The system in this process, as tests of whole journeys use it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest
from kit.embedded import EmbeddedError
from kit.settings import SettingError
from kit.testing.services import Bus, ServiceEnvironment
from kit.topology import Drift
from signoff.installation import DATABASES, SERVICES
from signoff.one_process import OneProcess

from .conftest import running

SIGN_UP = {
    "email": "owner@example.com",
    "password": "seven hills before breakfast",
    "time_zone": "Europe/Berlin",
    "age_attested": True,
}


async def sign_up(url: str) -> int:
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        return (await client.post("/api/accounts", json=SIGN_UP)).status_code


def servers() -> list[psutil.Process]:
    children = running(psutil.Process().children())
    return [child.process for child in children if child.name in ("postgres", "nats-server")]


@pytest.fixture
def external(service_environment: ServiceEnvironment, nats_url: str) -> dict[str, str]:
    """Databases and NATS of somebody else: those of the test session."""
    every: dict[str, str] = {"NATS_URL": nats_url}
    for service in DATABASES:
        own = service_environment(service)
        every |= {name: value for name, value in own.items() if name.startswith("DATABASE_")}
    return every


async def test_external_servers_are_used_and_nothing_is_embedded(bus: Bus, external: dict[str, str], tmp_path: Path):
    before = servers()
    async with OneProcess(tmp_path / "data", environment=external) as system:
        assert servers() == before
        assert system.surroundings.addresses.postgres is None
        assert await sign_up(system.gateway_url) == 202
    with psycopg.connect(external["DATABASE_SUPERUSER_URL_AUTH"]) as connection:
        assert connection.execute("SELECT email FROM account").fetchall() == [(SIGN_UP["email"],)]


async def test_a_bus_without_its_consumers_says_what_to_run(bus: Bus, external: dict[str, str], tmp_path: Path):
    await bus.jetstream.delete_consumer("AUTH", "publisher-auth")
    with pytest.raises(Drift, match=r"consumer publisher-auth: missing\. Run: signoff topology apply"):
        async with OneProcess(tmp_path / "data", environment=external):
            pass


async def test_every_service_is_told_its_own_secrets_only(bus: Bus, external: dict[str, str], tmp_path: Path):
    async with OneProcess(tmp_path / "data", environment=external) as system:
        for service in SERVICES:
            told = system.environment_of(service)
            for other in set(SERVICES) - {service}:
                foreign = [name for name in told if name.endswith(f"_{other.upper()}") and "PLATFORM" not in name]
                assert foreign == [], service
            assert ("VAULT_KEY_FILE" in told) == (service == "auth")


async def test_a_start_that_fails_leaves_nothing_behind(tmp_path: Path):
    before = servers()
    with pytest.raises(SettingError, match="ATTEMPTS_BURST"):
        async with OneProcess(tmp_path / "data", environment={"ATTEMPTS_BURST": "none"}):
            pass
    assert servers() == before
    # The folder is free again, and what was begun is taken up.
    async with OneProcess(tmp_path / "data") as system:
        assert await sign_up(system.gateway_url) == 202
        with pytest.raises(EmbeddedError, match="in use"):
            async with OneProcess(tmp_path / "data"):
                pass
    assert servers() == before


async def test_a_cancelled_start_leaves_nothing_behind(tmp_path: Path):
    before = servers()
    system = OneProcess(tmp_path / "data")
    starting = asyncio.ensure_future(system.__aenter__())
    while len(servers()) == len(before):
        await asyncio.sleep(0.001)
        assert not starting.done()
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    assert starting.cancelled()
    assert servers() == before
