"""All imitated platforms as one thing: start it, point the clients at its addresses, read the truth."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

from kit.clock import Clock, SystemClock

from sandbox.bluesky.platform import BlueskySandbox
from sandbox.facebook.platform import FacebookSandbox
from sandbox.faults import Arrival, Fault, FaultyApp
from sandbox.instagram.platform import InstagramSandbox
from sandbox.linkedin.platform import LinkedInSandbox
from sandbox.pinterest.platform import PinterestSandbox
from sandbox.serving import LoopbackServer
from sandbox.shape import ImitatedPlatform
from sandbox.threads.platform import ThreadsSandbox
from sandbox.tiktok.platform import TikTokSandbox
from sandbox.truth import Truth
from sandbox.tuning import Tuning
from sandbox.x.platform import XSandbox
from sandbox.youtube.platform import YouTubeSandbox

IMITATED: tuple[type[ImitatedPlatform], ...] = (
    TikTokSandbox,
    InstagramSandbox,
    FacebookSandbox,
    ThreadsSandbox,
    XSandbox,
    LinkedInSandbox,
    BlueskySandbox,
    PinterestSandbox,
    YouTubeSandbox,
)
"""Every imitated platform; a new one is a folder and its line here."""

P = TypeVar("P", bound=ImitatedPlatform)


class Sandbox:
    """`async with Sandbox() as sandbox:` serves every platform, or `only` some, on a free loopback port of its own."""

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        tuning: Tuning | None = None,
        ports: Mapping[str, int] | None = None,
        only: Collection[str] | None = None,
    ) -> None:
        self.clock = clock or SystemClock()
        self.tuning = tuning or Tuning()
        self.truth = Truth(self.clock)
        self.base_urls: dict[str, str] = {}
        self._ports = dict(ports or {})
        self._imitated = [kind for kind in IMITATED if only is None or kind.name in only]
        self._servers: list[LoopbackServer] = []
        self._platforms: dict[str, ImitatedPlatform] = {}

    @property
    def tiktok(self) -> TikTokSandbox:
        return self.of(TikTokSandbox)

    @property
    def bluesky(self) -> BlueskySandbox:
        return self.of(BlueskySandbox)

    def of(self, kind: type[P]) -> P:
        """One imitated platform, to look at and to change from the same process."""
        return next(platform for platform in self._platforms.values() if isinstance(platform, kind))

    def add_fault(self, platform: str, route: str, kind: Any, **details: Any) -> None:
        """Plan a fault; see `sandbox.faults.Fault` for the details."""
        self._platforms[platform].faults.add(Fault(route, kind, **details))

    def faults_left(self, platform: str) -> int:
        """How many planned faults have not happened."""
        return self._platforms[platform].faults.left

    def clear_faults(self, platform: str) -> None:
        """Drop what is planned and has not happened."""
        self._platforms[platform].faults.clear()

    def requests(self, platform: str, route: str) -> int:
        """How often a platform was asked this ("METHOD /path"), faults included."""
        return self._platforms[platform].faults.requests[route]

    def arrivals(self, platform: str) -> Sequence[Arrival]:
        """The last requests of a platform, oldest first, faults included."""
        return tuple(self._platforms[platform].faults.arrivals)

    async def __aenter__(self) -> Self:
        try:
            for create in self._imitated:
                server = LoopbackServer(self._ports.get(create.name, 0))
                self._servers.append(server)
                platform = create(base_url=server.base_url, clock=self.clock, truth=self.truth, tuning=self.tuning)
                self._platforms[platform.name] = platform
                self.base_urls[platform.name] = server.base_url
                await server.start(FaultyApp(platform.create_app(), platform.faults))
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()

    async def _stop(self) -> None:
        for platform in self._platforms.values():
            await platform.stop()
        await asyncio.gather(*(server.stop() for server in self._servers))
        self._servers.clear()
