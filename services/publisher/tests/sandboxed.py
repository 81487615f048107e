"""The publisher with the real clients, and the imitated platforms behind them."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest
from kit.calls import Transports
from kit.clock import MovableClock
from kit.secret import Secret
from kit.testing.services import Running
from platforms.environment import OfferedPlatforms
from platforms.http import create_http_client
from platforms.registry import register
from platforms.shape import ClientCredentials, Grant, PlatformName
from publisher.main import create_app
from sandbox.consent import callback_parameters, give_consent
from sandbox.server import Sandbox

from services.publisher.tests.conftest import Plan, World
from services.publisher.tests.neighbours import store_media

REDIRECT_URI = "http://127.0.0.1:8000/callback"
CLIENTS = {
    PlatformName.TIKTOK: ClientCredentials("sandbox-client-key", Secret("sandbox-client-secret"), REDIRECT_URI),
    PlatformName.BLUESKY: ClientCredentials(
        "http://localhost?redirect_uri=http%3A%2F%2F127.0.0.1%3A8000%2Fcallback&scope=atproto", None, REDIRECT_URI
    ),
    PlatformName.X: ClientCredentials("sandbox-client-id", Secret("sandbox-client-secret"), REDIRECT_URI),
}


@dataclass
class Platforms:
    """The sandbox, and a publisher whose platforms are in it."""

    world: World
    sandbox: Sandbox
    offered: OfferedPlatforms
    client: httpx.AsyncClient

    async def grant(self, name: PlatformName) -> Grant:
        platform, credentials = self.offered.platforms[name], CLIENTS[name]
        handle = "brand.test" if name is PlatformName.BLUESKY else None
        async with create_http_client(self.offered.allowed_hosts) as http:
            started = await platform.authorise(
                http, credentials, state="state-1", handle=handle, clock=self.world.clock
            )
            callback = callback_parameters(await give_consent(http, started.url))
            return await platform.exchange(
                http, credentials, callback=callback, kept=started.kept, clock=self.world.clock
            )

    async def plan(self, name: PlatformName, *, size: int = 1_000_000, **approved: Any) -> Plan:
        connection_id: UUID = self.world.auth.connect(self.world.workspace_id, await self.grant(name))
        content = random.Random(size).randbytes(size)
        kind = "video" if name is PlatformName.TIKTOK else "image"
        media = store_media(self.world.environment["OBJECT_STORE_URL"], content, kind=kind)
        settings = {"privacy_level": "PUBLIC_TO_EVERYONE"} if name is PlatformName.TIKTOK else {}
        revision = self.world.content.approve(
            self.world.workspace_id,
            (connection_id,),
            text="Fresh paint #door",
            platform=name.value,
            media=(media,),
            settings=settings,
            **approved,
        )
        return self.world.plan_for(revision)

    def check_truth(self, name: PlatformName, plan: Plan) -> None:
        """Exactly one post, written once, with the approved text and bytes."""
        (post,) = self.sandbox.truth.posts(name.value)
        (variant,) = plan.revision.variants
        assert post.writes == 1
        assert post.text == variant.text
        assert [media.sha256 for media in post.media] == [media.sha256 for media in variant.media]


@pytest.fixture
async def platforms(
    world: World, clock: MovableClock, transports: Transports, environment: dict[str, str], running: Running
) -> AsyncIterator[Platforms]:
    async with Sandbox(clock=clock, only=CLIENTS) as sandbox:
        registered = register(sandbox.base_urls)
        offered = OfferedPlatforms(registered.platforms, CLIENTS, registered.allowed_hosts)
        async with running(create_app(environment, transports=transports, offered=offered)) as client:
            yield Platforms(world, sandbox, offered, client)
