"""LinkedIn's tests: only its server runs, one person is connected, as themselves and as their organisation."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import httpx
import pytest
from kit.clock import FixedClock
from platforms.errors import RateLimited
from platforms.platform import Platform
from platforms.shape import Call, ClientCredentials, Delivery, Media, MediaKind, Outcome, PlatformName, Processing
from sandbox.linkedin.platform import LinkedInSandbox
from sandbox.linkedin.state import Organisation
from sandbox.server import Sandbox
from sandbox.testing import MemoryJournal

from libs.platforms.tests.connecting import walk_through

ORGANISATION = Organisation("brand-one", "Brand One").urn


@pytest.fixture
async def sandbox(clock: FixedClock) -> AsyncIterator[Sandbox]:
    async with Sandbox(clock=clock, only=["linkedin"]) as running:
        yield running


@pytest.fixture
def server(sandbox: Sandbox) -> LinkedInSandbox:
    return sandbox.of(LinkedInSandbox)


@pytest.fixture
def linkedin(platforms: Mapping[PlatformName, Platform]) -> Platform:
    return platforms[PlatformName.LINKEDIN]


@pytest.fixture
def connect(
    linkedin: Platform, http: httpx.AsyncClient, client: ClientCredentials, clock: FixedClock
) -> Callable[..., Any]:
    """Walk through the consent; what the person chooses there can be said."""
    return partial(walk_through, linkedin, http, client, clock)


@pytest.fixture
async def member(connect: Callable[..., Any]) -> Call:
    connected: Call = await connect()
    return connected


@pytest.fixture
async def organisation(linkedin: Platform, member: Call) -> Call:
    return replace(member, grant=await linkedin.act_for(member, ORGANISATION))


@pytest.fixture
def make_post(make_delivery: Callable[..., Delivery]) -> Callable[..., Delivery]:
    def make(*media: Media, text: str = "Fresh paint", **settings: Any) -> Delivery:
        return make_delivery(text, media=media, settings=settings)

    return make


@pytest.fixture
def image(make_media: Callable[..., Media]) -> Media:
    return make_media(MediaKind.IMAGE, size=40_001)


@pytest.fixture
def video(make_media: Callable[..., Media]) -> Media:
    """Two parts."""
    return make_media(MediaKind.VIDEO, size=5_000_000)


@pytest.fixture
def go(linkedin: Platform, clock: FixedClock) -> Callable[..., Any]:
    """The whole way of a post: staged, published and asked for until it is settled."""

    async def walk(call: Call, delivery: Delivery, journal: MemoryJournal) -> Outcome:
        await staged(linkedin, call, delivery, journal, clock)
        return await settled(linkedin, call, delivery, journal, clock)

    return walk


async def staged(linkedin: Platform, call: Call, delivery: Delivery, journal: MemoryJournal, clock: FixedClock) -> None:
    for _ in range(5):
        try:
            await linkedin.stage(call, delivery, journal)
            return
        except RateLimited as error:
            clock.advance(error.until - clock.now())
    raise AssertionError("never staged")


async def settled(
    linkedin: Platform, call: Call, delivery: Delivery, journal: MemoryJournal, clock: FixedClock
) -> Outcome:
    outcome = await linkedin.publish(call, delivery, journal)
    for _ in range(10):
        if not isinstance(outcome, Processing):
            return outcome
        clock.advance(timedelta(seconds=outcome.ask_again_seconds))
        outcome = await linkedin.status(call, delivery, journal)
    raise AssertionError("never settled")
