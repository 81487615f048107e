"""YouTube's tests: only its server runs, and every call is held against Google's discovery documents."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import httpx
import pytest
from kit.clock import FixedClock
from platforms.platform import Platform
from platforms.shape import Call, ClientCredentials, Delivery, Media, MediaKind, PlatformName
from sandbox.server import Sandbox
from sandbox.youtube.platform import YouTubeSandbox

from libs.platforms.tests.conformance import checked
from libs.platforms.tests.connecting import walk_through

SETTINGS: Mapping[str, Any] = {"title": "A red door", "visibility": "public", "made_for_kids": False}

http, recorder = checked("youtube")


@pytest.fixture
async def sandbox(clock: FixedClock) -> AsyncIterator[Sandbox]:
    async with Sandbox(clock=clock, only=["youtube"]) as running:
        yield running


@pytest.fixture
def server(sandbox: Sandbox) -> YouTubeSandbox:
    return sandbox.of(YouTubeSandbox)


@pytest.fixture
def youtube(platforms: Mapping[PlatformName, Platform]) -> Platform:
    return platforms[PlatformName.YOUTUBE]


@pytest.fixture
def connect(
    youtube: Platform, http: httpx.AsyncClient, client: ClientCredentials, clock: FixedClock
) -> Callable[..., Any]:
    """Walk through the consent; what the person chooses there can be said."""
    return partial(walk_through, youtube, http, client, clock)


@pytest.fixture
async def call(connect: Callable[..., Any]) -> Call:
    connected: Call = await connect()
    return connected


@pytest.fixture
def later(youtube: Platform, call: Call, client: ClientCredentials, clock: FixedClock) -> Callable[..., Any]:
    """Let time pass and renew the grant, as its keeper does."""

    async def passed(**span: float) -> Call:
        clock.advance(timedelta(**span))
        return Call(call.http, clock, await youtube.refresh(call.http, client, call.grant, clock=clock))

    return passed


@pytest.fixture
def make_video(make_delivery: Callable[..., Delivery], make_media: Callable[..., Media]) -> Callable[..., Delivery]:
    """One landscape video in one chunk; settings can be changed by name, media added."""

    def make(*more: Media, text: str = "Fresh paint", size: int = 1_000_000, **settings: Any) -> Delivery:
        video = make_media(size=size, width=1920, height=1080)
        return make_delivery(text, media=(video, *more), settings={**SETTINGS, **settings})

    return make


@pytest.fixture
def delivery(make_video: Callable[..., Delivery]) -> Delivery:
    return make_video()


@pytest.fixture
def thumbnail(make_media: Callable[..., Media]) -> Media:
    return make_media(MediaKind.IMAGE, size=50_000)


@pytest.fixture
def as_short() -> Callable[[Delivery], Delivery]:
    """The same delivery with an upright video."""

    def turned(delivery: Delivery) -> Delivery:
        video = replace(delivery.media[0], width=1080, height=1920)
        return replace(delivery, media=(video, *delivery.media[1:]))

    return turned
