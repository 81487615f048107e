"""A connected Instagram account at the sandbox, and deliveries of every kind whose files have addresses."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from kit.clock import FixedClock
from kit.secret import Secret
from litestar.types import Receive, Scope, Send
from platforms.errors import RateLimited
from platforms.platform import Platform
from platforms.shape import Call, ClientCredentials, Delivery, Grant, Journal, Media, MediaKind, Outcome, PlatformName
from sandbox.consent import callback_parameters, give_consent
from sandbox.instagram.platform import InstagramSandbox
from sandbox.server import Sandbox
from sandbox.serving import LoopbackServer
from sandbox.testing import BytesSource

REDIRECT_URI = "http://127.0.0.1:8000/callback"


class AddressedSource(BytesSource):
    """Bytes that can be fetched from an address, as the media store's can."""

    def __init__(self, media: Media, address: str) -> None:
        assert isinstance(media.source, BytesSource)
        super().__init__(b"")
        self.media: Media = media
        self.bytes: BytesSource = media.source
        self.place: str = address

    async def address(self) -> str:
        return self.place


class Shelf:
    """Serves the files of deliveries; what is taken off answers 404."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self.files: dict[str, AddressedSource] = {}

    def put(self, media: Media) -> Media:
        path = f"/media/{len(self.files)}"
        self.files[path] = AddressedSource(media, self._base_url + path)
        return replace(media, source=self.files[path])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        file = self.files.get(scope["path"])
        status, kind = (200, file.media.content_type) if file else (404, "text/plain")
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", kind.encode())]})
        if file is not None:
            async for piece in file.bytes.read(0, file.media.size_bytes):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


@pytest.fixture
async def sandbox(clock: FixedClock) -> AsyncIterator[Sandbox]:
    async with Sandbox(clock=clock, only=("instagram",)) as running:
        yield running


@pytest.fixture
async def shelf() -> AsyncIterator[Shelf]:
    server = LoopbackServer()
    shelf = Shelf(server.base_url)
    await server.start(shelf)
    yield shelf
    await server.stop()


@pytest.fixture
def files(shelf: Shelf) -> dict[str, AddressedSource]:
    """What can be fetched by now, by path; to be taken away and put back."""
    return shelf.files


@pytest.fixture
def instagram(platforms: Mapping[PlatformName, Platform]) -> Platform:
    return platforms[PlatformName.INSTAGRAM]


@pytest.fixture
def imitated(sandbox: Sandbox) -> InstagramSandbox:
    return sandbox.of(InstagramSandbox)


@pytest.fixture
def client() -> ClientCredentials:
    return ClientCredentials("sandbox-client-id", Secret("sandbox-client-secret"), REDIRECT_URI)


@pytest.fixture
def connect(
    instagram: Platform, http: httpx.AsyncClient, client: ClientCredentials, clock: FixedClock
) -> Callable[..., Awaitable[Grant]]:
    """Go through the dialog as a person would; `choices` are what they press there."""

    async def go(**choices: Any) -> Grant:
        started = await instagram.authorise(http, client, state="state-1", handle=None, clock=clock)
        callback = callback_parameters(await give_consent(http, started.url, **choices))
        assert callback.pop("state") == "state-1"
        return await instagram.exchange(http, client, callback=callback, kept=started.kept, clock=clock)

    return go


@pytest.fixture
async def call(http: httpx.AsyncClient, clock: FixedClock, connect: Callable[..., Awaitable[Grant]]) -> Call:
    return Call(http, clock, await connect())


@pytest.fixture
def image(make_media: Callable[..., Media], shelf: Shelf) -> Callable[..., Media]:
    return lambda size=40_000, **fields: shelf.put(
        make_media(MediaKind.IMAGE, size, **({"width": 1080, "height": 1350} | fields))
    )


@pytest.fixture
def video(make_media: Callable[..., Media], shelf: Shelf) -> Callable[..., Media]:
    return lambda size=150_000, **fields: shelf.put(make_media(MediaKind.VIDEO, size, **fields))


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
