"""The services' databases: where they are, and how they are brought to what the code needs."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping

import psycopg
from kit import migrations
from kit.embedded import EmbeddedError, EmbeddedPostgres
from kit.embedded.processes import child_environment
from kit.provision import provision
from kit.secret import Secret
from kit.settings import Environment, SettingError

from signoff.installation import STORES, Installation

CONNECT_SECONDS = 5


def external_database_urls(environment: Mapping[str, str]) -> dict[str, Secret]:
    """Every DATABASE_URL_<SERVICE>, and that of auth's keys, or none. Some of them only is a mistake."""
    names = {service: f"DATABASE_URL_{service.upper()}" for service in STORES}
    if not any(environment.get(name) for name in names.values()):
        return {}
    reader = Environment(environment)
    return {service: reader.secret(name) for service, name in names.items()}


def check_answers(urls: Mapping[str, Secret]) -> None:
    """Raise `SettingError` for the first database that lets nobody in. Blocking."""
    for service, url in urls.items():
        try:
            psycopg.connect(url.reveal(), connect_timeout=CONNECT_SECONDS).close()
        except psycopg.OperationalError as error:
            reason = str(error).strip().partition("\n")[0]
            raise SettingError(f"DATABASE_URL_{service.upper()} leads to no database: {reason}") from None


def login_urls(installation: Installation, postgres: EmbeddedPostgres | None) -> dict[str, Secret]:
    assert postgres is not None
    return {
        service: Secret(postgres.url(role=service, password=passwords.login.reveal(), database=service))
        for service, passwords in installation.passwords.items()
    }


def owner_urls(installation: Installation, postgres: EmbeddedPostgres) -> dict[str, Secret]:
    return {
        service: Secret(postgres.url(role=f"{service}_owner", password=passwords.owner.reveal(), database=service))
        for service, passwords in installation.passwords.items()
    }


async def bring_to_head(postgres: EmbeddedPostgres, installation: Installation) -> list[str]:
    """Make what is missing of databases, roles and tables; returns the services that were changed."""
    urls = owner_urls(installation, postgres)
    behind = await asyncio.to_thread(services_behind, urls)
    if behind:
        await asyncio.to_thread(_provision, postgres, installation, behind)
        await migrate({service: urls[service] for service in behind})
    return behind


def services_behind(urls: Mapping[str, Secret]) -> list[str]:
    """The services whose database is not where the code needs it, a missing one included."""
    return [service for service, url in urls.items() if _revision(url) != migrations.head(service)]


def _revision(url: Secret) -> str | None:
    try:
        with psycopg.connect(url.reveal(), connect_timeout=CONNECT_SECONDS) as connection:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except (psycopg.OperationalError, psycopg.errors.UndefinedTable):
        return None
    return str(row[0]) if row else None


def _provision(postgres: EmbeddedPostgres, installation: Installation, services: list[str]) -> None:
    for service in services:
        passwords = installation.passwords[service]
        provision(
            Secret(postgres.superuser_url), service, login_password=passwords.login, owner_password=passwords.owner
        )


async def migrate(urls: Mapping[str, Secret]) -> None:
    """Run the migrations in a process of their own, so that Alembic's import and memory are not ours."""
    environment = {f"DATABASE_OWNER_URL_{service.upper()}": url.reveal() for service, url in urls.items()}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "kit.migrations", *urls),
        env=child_environment(environment),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        _, complaint = await process.communicate()
    except asyncio.CancelledError:
        # Each database migrates in one transaction: ended here, it is as it was.
        process.kill()
        await process.wait()
        raise
    if process.returncode != 0:
        last = (complaint.decode(errors="replace").strip().splitlines() or ["no reason given"])[-1]
        raise EmbeddedError(f"the databases could not be migrated: {last}")
