"""TikTok's tests: TikTok alone is imitated, and its images are fetched from a shelf on this machine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest
from kit.clock import FixedClock
from platforms.shape import Delivery, Media, MediaKind
from sandbox.server import Sandbox
from sandbox.testing import MediaServer

PUBLIC = {"privacy_level": "PUBLIC_TO_EVERYONE"}


@pytest.fixture
async def sandbox(clock: FixedClock) -> AsyncIterator[Sandbox]:
    async with Sandbox(clock=clock, only={"tiktok"}) as running:
        yield running


@pytest.fixture
async def shelf() -> AsyncIterator[MediaServer]:
    async with MediaServer() as server:
        yield server


@pytest.fixture
def photos(
    make_delivery: Callable[..., Delivery], make_media: Callable[..., Media], shelf: MediaServer
) -> Callable[..., Delivery]:
    """A photo post of so many images, all different, at addresses of their own."""

    def make(count: int = 2, text: str = "Two doors #door", **settings: object) -> Delivery:
        images = [make_media(MediaKind.IMAGE, 20_000 + n, height=1350) for n in range(count)]
        return make_delivery(text, media=tuple(map(shelf.offer, images)), settings=PUBLIC | settings)

    return make
