"""A connected Facebook Page at the sandbox, and deliveries of every kind."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

import httpx
import pytest
from kit.clock import FixedClock
from platforms.platform import Platform
from platforms.shape import Call, ClientCredentials, Delivery, Grant, Journal, Media, MediaKind, Outcome, PlatformName
from platforms.shape import Processing as Pending
from sandbox.facebook.platform import FacebookSandbox
from sandbox.server import Sandbox

from libs.platforms.tests.connecting import walk_through

CHUNK_BYTES = 100_000
VIDEO_BYTES = 250_000


@pytest.fixture
async def sandbox(clock: FixedClock) -> AsyncIterator[Sandbox]:
    """Facebook alone: the other platforms' servers would take most of these tests' time."""
    async with Sandbox(clock=clock, only=("facebook",)) as running:
        # A small video is cut as a large one is.
        running.of(FacebookSandbox).state.chunk_bytes = CHUNK_BYTES
        yield running


@pytest.fixture
def facebook(platforms: Mapping[PlatformName, Platform]) -> Platform:
    return platforms[PlatformName.FACEBOOK]


@pytest.fixture
def imitated(sandbox: Sandbox) -> FacebookSandbox:
    return sandbox.of(FacebookSandbox)


@pytest.fixture
def connect(
    facebook: Platform, http: httpx.AsyncClient, client: ClientCredentials, clock: FixedClock
) -> Callable[..., Awaitable[Grant]]:
    """Go through the dialog as a person would; `choices` are what they press there."""

    async def go(**choices: Any) -> Grant:
        return (await walk_through(facebook, http, client, clock, **choices)).grant

    return go


@pytest.fixture
async def call(http: httpx.AsyncClient, clock: FixedClock, connect: Callable[..., Awaitable[Grant]]) -> Call:
    return Call(http, clock, await connect())


@pytest.fixture
def kinds(
    make_delivery: Callable[..., Delivery], make_media: Callable[..., Media]
) -> Mapping[str, Callable[..., Delivery]]:
    """A delivery of each kind, by its name; settings can be added."""

    def images(count: int) -> tuple[Media, ...]:
        return tuple(make_media(MediaKind.IMAGE, size=40_000 + position) for position in range(count))

    def video() -> tuple[Media, ...]:
        return (make_media(size=VIDEO_BYTES),)

    def of(text: str, media: Callable[[], tuple[Media, ...]], **fixed: str) -> Callable[..., Delivery]:
        return lambda **more: make_delivery(text, media=media(), settings=fixed | more)

    return {
        "text": of("Fresh paint\non the door", tuple),
        "link": of("Look at this", tuple, link="https://example.com/door?a=1&b=é"),
        "image": of("One door", lambda: images(1)),
        "carousel": of("Three doors", lambda: images(3)),
        "video": of("A door opens", video, title="The door"),
        "reel": of("A door opens upright", video, kind="reel"),
        "image_story": of("", lambda: images(1), kind="story"),
        "video_story": of("", video, kind="story"),
    }


@pytest.fixture
def settle(facebook: Platform, call: Call, clock: FixedClock) -> Callable[..., Awaitable[Outcome]]:
    """Ask what became of a post, as long as it is being worked on, an outcome at a time."""

    async def go(delivery: Delivery, journal: Journal, outcome: Outcome | None = None) -> Outcome:
        for _ in range(10):
            if outcome is not None and not isinstance(outcome, Pending):
                return outcome
            clock.advance(timedelta(seconds=outcome.ask_again_seconds if outcome else 0))
            outcome = await facebook.status(call, delivery, journal)
        raise AssertionError("it is never settled")

    return go
