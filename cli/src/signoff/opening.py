"""A service's database for an operator's command, whether the installation runs or not."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import psycopg
from kit.clock import Clock, SystemClock
from kit.database import Database
from kit.embedded import DataDirectory, EmbeddedPostgres
from kit.secret import Secret
from kit.settings import SettingError
from psycopg_pool import PoolTimeout

from signoff.databases import CONNECT_SECONDS, login_urls
from signoff.operate import existing

T = TypeVar("T")


def with_database(data: Path, service: str, work: Callable[[Database], Awaitable[T]]) -> T:
    """Do something with a service's database. What a person can put right becomes one line."""

    async def run() -> T:
        async with _opened(data, service) as database:
            return await work(database)

    try:
        return asyncio.run(run())
    except psycopg.errors.UndefinedTable:
        raise SettingError(f"{service}'s database is behind the code: run signoff migrate") from None
    except (psycopg.OperationalError, PoolTimeout) as error:
        reason = str(error).strip().partition(chr(10))[0]
        raise SettingError(f"{service}'s database does not answer: {reason}") from None


@asynccontextmanager
async def _opened(data: Path, service: str) -> AsyncIterator[Database]:
    """At DATABASE_URL_<SERVICE>, or that of the embedded installation, whether it runs or not."""
    named = os.environ.get(f"DATABASE_URL_{service.upper()}")
    if named:
        async with _database(service, Secret(named), SystemClock()) as database:
            yield database
        return
    installation = existing(data)
    url = login_urls(installation, EmbeddedPostgres(installation.path))[service]
    if await asyncio.to_thread(_answers, url):
        async with _database(service, url, installation.clock) as database:
            yield database
        return
    with DataDirectory(data):
        async with EmbeddedPostgres(installation.path), _database(service, url, installation.clock) as database:
            yield database


@asynccontextmanager
async def _database(service: str, url: Secret, clock: Clock) -> AsyncIterator[Database]:
    # The pool would try for ten seconds, and log each time.
    await asyncio.to_thread(lambda: psycopg.connect(url.reveal(), connect_timeout=CONNECT_SECONDS).close())
    database = Database(service, url, clock, connections_max=1)
    try:
        await database.open()
        yield database
    finally:
        await database.close()


def _answers(url: Secret) -> bool:
    try:
        psycopg.connect(url.reveal(), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True
