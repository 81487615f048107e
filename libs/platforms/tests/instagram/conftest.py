"""A connected Instagram account at the sandbox, and deliveries of every kind whose files have addresses."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

import httpx
import pytest
from kit.clock import FixedClock
from platforms.errors import RateLimited
from platforms.platform import Platform
from platforms.shape import Call, ClientCredentials, Delivery, Grant, Journal, Media, MediaKind, Outcome, PlatformName
from sandbox.instagram.platform import InstagramSandbox
from sandbox.server import Sandbox
from sandbox.testing import MediaServer

from libs.platforms.tests.connecting import walk_through


@pytest.fixture
async def sandbox(clock: FixedClock) -> AsyncIterator[Sandbox]:
    async with Sandbox(clock=clock, only=("instagram",)) as running:
        yield running


@pytest.fixture
async def shelf() -> AsyncIterator[MediaServer]:
    async with MediaServer() as server:
        yield server


@pytest.fixture
def files(shelf: MediaServer) -> dict[str, Media]:
    """What can be fetched by now, by path; to be taken away and put back."""
    return shelf.files


@pytest.fixture
def instagram(platforms: Mapping[PlatformName, Platform]) -> Platform:
    return platforms[PlatformName.INSTAGRAM]


@pytest.fixture
def imitated(sandbox: Sandbox) -> InstagramSandbox:
    return sandbox.of(InstagramSandbox)


@pytest.fixture
def connect(
    instagram: Platform, http: httpx.AsyncClient, client: ClientCredentials, clock: FixedClock
) -> Callable[..., Awaitable[Grant]]:
    """Go through the dialog as a person would; `choices` are what they press there."""

    async def go(**choices: Any) -> Grant:
        return (await walk_through(instagram, http, client, clock, **choices)).grant

    return go


@pytest.fixture
async def call(http: httpx.AsyncClient, clock: FixedClock, connect: Callable[..., Awaitable[Grant]]) -> Call:
    return Call(http, clock, await connect())


@pytest.fixture
def image(make_media: Callable[..., Media], shelf: MediaServer) -> Callable[..., Media]:
    return lambda size=40_000, **fields: shelf.offer(
        make_media(MediaKind.IMAGE, size, **({"width": 1080, "height": 1350} | fields))
    )


@pytest.fixture
def video(make_media: Callable[..., Media], shelf: MediaServer) -> Callable[..., Media]:
    return lambda size=150_000, **fields: shelf.offer(make_media(MediaKind.VIDEO, size, **fields))


@pytest.fixture
def kinds(
    make_delivery: Callable[..., Delivery], image: Callable[..., Media], video: Callable[..., Media]
) -> Mapping[str, Callable[..., Delivery]]:
    """A delivery of each kind, by its name; settings can be added."""

    def of(text: str, *makers: Callable[..., Media], **fixed: str) -> Callable[..., Delivery]:
        def make(**more: Any) -> Delivery:
            media = tuple(maker(size=50_000 + position) for position, maker in enumerate(makers))
            return make_delivery(text, media=media, settings=fixed | more)

        return make

    return {
        "image": of("One door\n#door", image),
        "carousel": of("A door, a door that opens, a door", image, video, image),
        "reel": of("A door opens", video),
        "named_reel": of("A door opens, upright", video, kind="reel"),
        "image_story": of("", image, kind="story"),
        "video_story": of("", video, kind="story"),
    }


@pytest.fixture
def delivery(kinds: Mapping[str, Callable[..., Delivery]]) -> Delivery:
    return kinds["image"]()


@pytest.fixture
def bring(instagram: Platform, call: Call, clock: FixedClock) -> Callable[..., Awaitable[None]]:
    """Stage until it is done, waiting as it is told to."""

    async def go(delivery: Delivery, journal: Journal) -> None:
        for _ in range(10):
            try:
                await instagram.stage(call, delivery, journal)
            except RateLimited as error:
                if error.code != "container_processing":
                    raise
                clock.advance(error.until - clock.now())
            else:
                return
        raise AssertionError("it is never staged")

    return go


@pytest.fixture
def post(
    instagram: Platform, call: Call, bring: Callable[..., Awaitable[None]], clock: FixedClock
) -> Callable[..., Awaitable[Outcome]]:
    """Stage and publish, some minutes apart."""

    async def go(delivery: Delivery, journal: Journal) -> Outcome:
        await bring(delivery, journal)
        clock.advance(timedelta(minutes=2))
        return await instagram.publish(call, delivery, journal)

    return go
