"""X's tests: every call is held against X's published OpenAPI document."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import httpx
import pytest
from kit.clock import FixedClock
from kit.secret import Secret
from platforms.platform import Platform
from platforms.shape import Call, ClientCredentials, Media, MediaKind, PlatformName
from sandbox.consent import callback_parameters, give_consent
from sandbox.server import Sandbox

from libs.platforms.tests.conformance import checked

http, recorder = checked("x")


@pytest.fixture
async def sandbox(clock: FixedClock) -> AsyncIterator[Sandbox]:
    async with Sandbox(clock=clock, only=("x",)) as running:
        yield running


@pytest.fixture
def x(platforms: Mapping[PlatformName, Platform]) -> Platform:
    return platforms[PlatformName.X]


@pytest.fixture
def x_client() -> ClientCredentials:
    return ClientCredentials(
        "sandbox-client-id", Secret("sandbox-client-secret"), "http://127.0.0.1:8000/callback", Secret("consumer")
    )


@pytest.fixture
async def call(x: Platform, http: httpx.AsyncClient, x_client: ClientCredentials, clock: FixedClock) -> Call:
    started = await x.authorise(http, x_client, state="state-1", handle=None, clock=clock)
    callback = callback_parameters(await give_consent(http, started.url))
    return Call(http, clock, await x.exchange(http, x_client, callback=callback, kept=started.kept, clock=clock))


@pytest.fixture
def image(make_media: Callable[..., Media]) -> Callable[..., Media]:
    def make(size: int = 20_000, **fields: Any) -> Media:
        return make_media(MediaKind.IMAGE, size, **fields)

    return make
