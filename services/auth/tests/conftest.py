"""auth on real servers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import psycopg
import pytest
from auth.main import create_app
from kit.testing.services import Bus, MakePassport, Running, ServiceEnvironment

from services.auth.tests.client import Auth


@pytest.fixture
def environment(service_environment: ServiceEnvironment) -> dict[str, str]:
    return service_environment("auth")


StartAuth = Any


@pytest.fixture
def start(bus: Bus, environment: dict[str, str], running: Running, passport: MakePassport) -> StartAuth:
    """Run auth for a block: `async with start() as auth`."""

    @asynccontextmanager
    async def run(**changes: str) -> AsyncIterator[Auth]:
        async with running(create_app(environment | changes)) as http:
            yield Auth(http, passport)

    return run


@pytest.fixture
async def auth(start: StartAuth) -> AsyncIterator[Auth]:
    context: AbstractAsyncContextManager[Auth] = start()
    async with context as running_auth:
        yield running_auth


@pytest.fixture
def superuser(environment: dict[str, str]) -> Iterator[psycopg.Connection[Any]]:
    """Sees every row whatever the policies say."""
    with psycopg.connect(environment["DATABASE_SUPERUSER_URL_AUTH"], autocommit=True) as connection:
        yield connection
