"""Pinterest's tests: only its server runs, and every call is held against Pinterest's OpenAPI description."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial
from typing import Any

import httpx
import pytest
from kit.clock import FixedClock
from platforms.platform import Platform
from platforms.shape import Call, ClientCredentials, Delivery, Media, MediaKind, PlatformName
from sandbox.pinterest.platform import PinterestSandbox
from sandbox.pinterest.state import number_of
from sandbox.server import Sandbox

from libs.platforms.tests.conformance import checked
from libs.platforms.tests.connecting import walk_through

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
def connect(
    pinterest: Platform, http: httpx.AsyncClient, client: ClientCredentials, clock: FixedClock
) -> Callable[..., Any]:
    """Walk through the consent; what the person chooses there can be said."""
    return partial(walk_through, pinterest, http, client, clock)


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
