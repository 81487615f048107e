"""X's tests: every call is held against X's published OpenAPI document."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from typing import Any

import httpx
import pytest
from kit.clock import FixedClock
from kit.secret import Secret
from platforms.platform import Platform
from platforms.shape import Call, ClientCredentials, Media, MediaKind, PlatformName
from sandbox.server import Sandbox

from libs.platforms.tests.conformance import checked
from libs.platforms.tests.connecting import walk_through

http, recorder = checked("x")


@pytest.fixture
async def sandbox(clock: FixedClock) -> AsyncIterator[Sandbox]:
    async with Sandbox(clock=clock, only=("x",)) as running:
        yield running


@pytest.fixture
def x(platforms: Mapping[PlatformName, Platform]) -> Platform:
    return platforms[PlatformName.X]


@pytest.fixture
def x_client(client: ClientCredentials) -> ClientCredentials:
    return replace(client, webhook_secret=Secret("consumer"))


@pytest.fixture
async def call(x: Platform, http: httpx.AsyncClient, x_client: ClientCredentials, clock: FixedClock) -> Call:
    return await walk_through(x, http, x_client, clock)


@pytest.fixture
def image(make_media: Callable[..., Media]) -> Callable[..., Media]:
    def make(size: int = 20_000, **fields: Any) -> Media:
        return make_media(MediaKind.IMAGE, size, **fields)

    return make
