"""The platforms of this installation, each called with the shared HTTP client and one grant."""

from __future__ import annotations

from collections.abc import Mapping

import httpx
from kit.clock import Clock
from platforms.errors import Misconfigured
from platforms.platform import Platform
from platforms.removal import Removal as RemovalRules
from platforms.shape import (
    Call,
    Delivery,
    Finding,
    Grant,
    Journal,
    NotThere,
    Outcome,
    PlatformName,
    Receipt,
    Removed,
)


class HttpPlatforms:
    """Satisfies `ports.PlatformCalls` and `ports.Removing`."""

    def __init__(self, platforms: Mapping[PlatformName, Platform], http: httpx.AsyncClient, clock: Clock) -> None:
        self._platforms = {name.value: platform for name, platform in platforms.items()}
        self._http = http
        self._clock = clock

    async def stage(self, platform: str, grant: Grant, delivery: Delivery, journal: Journal) -> None:
        await self.find(platform).stage(self._call(grant), delivery, journal)

    async def publish(self, platform: str, grant: Grant, delivery: Delivery, journal: Journal) -> Outcome:
        return await self.find(platform).publish(self._call(grant), delivery, journal)

    async def status(self, platform: str, grant: Grant, delivery: Delivery, journal: Journal) -> Outcome:
        return await self.find(platform).status(self._call(grant), delivery, journal)

    async def reconcile(self, platform: str, grant: Grant, delivery: Delivery, journal: Journal) -> Finding:
        return await self.find(platform).reconcile(self._call(grant), delivery, journal)

    def rules(self, platform: str | None) -> RemovalRules | None:
        found = self._platforms.get(platform or "")
        return found.removal if found else None

    async def remove(self, platform: str | None, grant: Grant, receipt: Receipt) -> Removed | NotThere:
        return await self.find(platform or "").remove(self._call(grant), receipt)

    def find(self, platform: str) -> Platform:
        try:
            return self._platforms[platform]
        except KeyError:
            raise Misconfigured("platform_not_offered", f"this installation does not offer {platform}") from None

    def _call(self, grant: Grant) -> Call:
        return Call(http=self._http, clock=self._clock, grant=grant)
