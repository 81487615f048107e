"""The clients against the sandbox over real HTTP, under a clock that only the test moves."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest
from kit.clock import FixedClock
from kit.secret import Secret
from platforms.http import create_http_client
from platforms.platform import Platform
from platforms.registry import Registered, register
from platforms.shape import Call, ClientCredentials, Delivery, Media, MediaKind, PlatformName
from sandbox.server import Sandbox
from sandbox.testing import BytesSource, MemoryJournal

from libs.platforms.tests.connecting import REDIRECT_URI, walk_through


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 11, 22, 10, 0, tzinfo=UTC))


@pytest.fixture
async def sandbox(clock: FixedClock) -> AsyncIterator[Sandbox]:
    async with Sandbox(clock=clock) as running:
        yield running


@pytest.fixture
def registered(sandbox: Sandbox) -> Registered:
    """Every platform's client, at the sandbox."""
    return register(sandbox.base_urls)


@pytest.fixture
async def http(registered: Registered) -> AsyncIterator[httpx.AsyncClient]:
    async with create_http_client(registered.allowed_hosts) as client:
        yield client


@pytest.fixture
def platforms(registered: Registered) -> Mapping[PlatformName, Platform]:
    return registered.platforms


@pytest.fixture
def tiktok(platforms: Mapping[PlatformName, Platform]) -> Platform:
    return platforms[PlatformName.TIKTOK]


@pytest.fixture
def bluesky(platforms: Mapping[PlatformName, Platform]) -> Platform:
    return platforms[PlatformName.BLUESKY]


@pytest.fixture
def client() -> ClientCredentials:
    """What every sandbox but TikTok's and Bluesky's knows our application by."""
    return ClientCredentials("sandbox-client-id", Secret("sandbox-client-secret"), REDIRECT_URI)


@pytest.fixture
def tiktok_client() -> ClientCredentials:
    return ClientCredentials("sandbox-client-key", Secret("sandbox-client-secret"), REDIRECT_URI)


@pytest.fixture
def bluesky_client() -> ClientCredentials:
    client_id = "http://localhost?redirect_uri=http%3A%2F%2F127.0.0.1%3A8000%2Fcallback&scope=atproto"
    return ClientCredentials(client_id, None, REDIRECT_URI)


@pytest.fixture
async def tiktok_call(
    tiktok: Platform, http: httpx.AsyncClient, tiktok_client: ClientCredentials, clock: FixedClock
) -> Call:
    return await walk_through(tiktok, http, tiktok_client, clock)


@pytest.fixture
async def bluesky_call(
    bluesky: Platform, http: httpx.AsyncClient, bluesky_client: ClientCredentials, clock: FixedClock
) -> Call:
    return await walk_through(bluesky, http, bluesky_client, clock, handle="brand.test")


@pytest.fixture
def make_media() -> Callable[..., Media]:
    """Media over real bytes; any field can be given another value."""

    def make(kind: MediaKind = MediaKind.VIDEO, size: int = 3_000_000, **fields: Any) -> Media:
        data = hashlib.sha256(str(size).encode()).digest() * (size // 32 + 1)
        data = data[:size]
        video = kind is MediaKind.VIDEO
        defaults: dict[str, Any] = {
            "kind": kind,
            "content_type": "video/mp4" if video else "image/jpeg",
            "size_bytes": size,
            "sha256": hashlib.sha256(data).hexdigest(),
            "width": 1080,
            "height": 1920,
            "duration_seconds": 12.5 if video else None,
            "alt_text": "A red door in a white wall",
            "source": BytesSource(data),
        }
        return Media(**(defaults | fields))

    return make


@pytest.fixture
def make_delivery(make_media: Callable[..., Media], clock: FixedClock) -> Callable[..., Delivery]:
    """A delivery whose planned time stays what it was when the test began."""
    planned_at = clock.now()

    def make(text: str = "Fresh paint", **fields: Any) -> Delivery:
        defaults: dict[str, Any] = {
            "publication_id": UUID("0199aaaa-0000-7000-8000-000000000001"),
            "planned_at": planned_at,
            "text": text,
            "media": (),
            "settings": {},
        }
        return Delivery(**(defaults | fields))

    return make


@pytest.fixture
def delivery(make_delivery: Callable[..., Delivery], make_media: Callable[..., Media]) -> Delivery:
    """One video for TikTok, small enough for a single chunk."""
    settings = {"privacy_level": "PUBLIC_TO_EVERYONE"}
    return make_delivery("Fresh paint #door", media=(make_media(),), settings=settings)


@pytest.fixture
def journal() -> MemoryJournal:
    return MemoryJournal()
