"""Pinterest's tests: only its server runs, and every call is held against Pinterest's OpenAPI description."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import httpx
import pytest
from kit.clock import FixedClock
from kit.secret import Secret
from platforms.platform import Platform
from platforms.shape import Call, ClientCredentials, Delivery, Media, MediaKind, PlatformName
from sandbox.consent import callback_parameters, give_consent
from sandbox.pinterest.platform import PinterestSandbox
from sandbox.pinterest.state import number_of
from sandbox.server import Sandbox

from libs.platforms.tests.conformance import checked

BOARD = number_of("board", "brand_one")

http, recorder = checked("pinterest")


@pytest.fixture
async def sandbox(clock: FixedClock) -> AsyncIterator[Sandbox]:
    async with Sandbox(clock=clock, only=["pinterest"]) as running:
        yield running


@pytest.fixture
def server(sandbox: Sandbox) -> PinterestSandbox:
    return sandbox.of(PinterestSandbox)


@pytest.fixture
def pinterest(platforms: Mapping[PlatformName, Platform]) -> Platform:
    return platforms[PlatformName.PINTEREST]


@pytest.fixture
def client() -> ClientCredentials:
    secret = Secret("sandbox-client-secret")
    return ClientCredentials("sandbox-client-id", secret, "http://127.0.0.1:8000/callback")


@pytest.fixture
def connect(
    pinterest: Platform, http: httpx.AsyncClient, client: ClientCredentials, clock: FixedClock
) -> Callable[..., Any]:
    """Walk through the consent; what the person chooses there can be said."""

    async def walk(**choice: Any) -> Call:
        started = await pinterest.authorise(http, client, state="state-1", handle=None, clock=clock)
        callback = callback_parameters(await give_consent(http, started.url, **choice))
        grant = await pinterest.exchange(http, client, callback=callback, kept=started.kept, clock=clock)
        return Call(http, clock, grant)

    return walk


@pytest.fixture
async def call(connect: Callable[..., Any]) -> Call:
    connected: Call = await connect()
    return connected


@pytest.fixture
def make_pin(make_delivery: Callable[..., Delivery], make_media: Callable[..., Media]) -> Callable[..., Delivery]:
    """One pin with one image; other media and settings can be given."""

    def make(*media: Media, text: str = "Fresh paint", **settings: Any) -> Delivery:
        files = media or (make_media(MediaKind.IMAGE, size=40_001),)
        return make_delivery(text, media=files, settings={"board_id": BOARD, "title": "A red door", **settings})

    return make
