"""A connected Threads account at the sandbox, a client whose waiting moves the clock, files that have addresses."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from kit.clock import FixedClock
from platforms.errors import RateLimited
from platforms.platform import Platform
from platforms.shape import Call, ClientCredentials, Delivery, Grant, Journal, Media, MediaKind, Outcome
from platforms.threads.endpoints import ThreadsEndpoints
from platforms.threads.platform import create
from sandbox.server import Sandbox
from sandbox.testing import MediaServer
from sandbox.threads.platform import ThreadsSandbox

from libs.platforms.tests.connecting import walk_through


@pytest.fixture
async def sandbox(clock: FixedClock) -> AsyncIterator[Sandbox]:
    async with Sandbox(clock=clock, only=("threads",)) as running:
        yield running


@pytest.fixture
async def shelf() -> AsyncIterator[MediaServer]:
    async with MediaServer() as server:
        yield server


@pytest.fixture
def imitated(sandbox: Sandbox) -> ThreadsSandbox:
    return sandbox.of(ThreadsSandbox)


@pytest.fixture
def threads(sandbox: Sandbox, clock: FixedClock) -> Platform:
    base = sandbox.base_urls["threads"]

    async def pause(seconds: float) -> None:
        clock.advance(timedelta(seconds=seconds))

    return create(ThreadsEndpoints(base, base), pause=pause)


@pytest.fixture
def connect(
    threads: Platform, http: httpx.AsyncClient, client: ClientCredentials, clock: FixedClock
) -> Callable[..., Awaitable[Grant]]:
    """Go through the authorisation as a person would; `choices` are what they press there."""

    async def go(**choices: Any) -> Grant:
        return (await walk_through(threads, http, client, clock, **choices)).grant

    return go


@pytest.fixture
async def call(http: httpx.AsyncClient, clock: FixedClock, connect: Callable[..., Awaitable[Grant]]) -> Call:
    return Call(http, clock, await connect())


@pytest.fixture
def image(make_media: Callable[..., Media], shelf: MediaServer) -> Callable[..., Media]:
    return lambda size=40_000, **fields: shelf.offer(make_media(MediaKind.IMAGE, size, **fields))


@pytest.fixture
def video(make_media: Callable[..., Media], shelf: MediaServer) -> Callable[..., Media]:
    return lambda size=150_000, **fields: shelf.offer(make_media(MediaKind.VIDEO, size, **fields))


@pytest.fixture
def delivery(make_delivery: Callable[..., Delivery]) -> Delivery:
    return make_delivery("Fresh paint #door")


@pytest.fixture
def thread(
    make_delivery: Callable[..., Delivery], image: Callable[..., Media], video: Callable[..., Media]
) -> Delivery:
    """A post with an image, a reply with two files, one of text, and a first comment."""
    settings = {
        "thread": [{"text": "Two more doors", "media": [1, 2]}, {"text": "That is all"}],
        "first_comment": "Who painted them?",
    }
    return make_delivery("Three doors", media=(image(), image(50_000), video()), settings=settings)


@pytest.fixture
def bring(threads: Platform, call: Call, clock: FixedClock) -> Callable[..., Awaitable[None]]:
    """Stage until it is done, waiting as it is told to."""

    async def go(delivery: Delivery, journal: Journal) -> None:
        for _ in range(10):
            try:
                return await threads.stage(call, delivery, journal)
            except RateLimited as error:
                if error.code != "container_processing":
                    raise
                clock.advance(error.until - clock.now())
        raise AssertionError("it is never staged")

    return go


@pytest.fixture
def post(
    threads: Platform, call: Call, bring: Callable[..., Awaitable[None]], clock: FixedClock
) -> Callable[..., Awaitable[Outcome]]:
    """Stage and publish, some minutes apart."""

    async def go(delivery: Delivery, journal: Journal) -> Outcome:
        await bring(delivery, journal)
        clock.advance(timedelta(minutes=2))
        return await threads.publish(call, delivery, journal)

    return go
