"""The platforms this installation offers, called with our credentials over one guarded HTTP client."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date

import httpx
from kit.clock import Clock
from kit.secret import Secret
from opentelemetry.trace import Tracer
from platforms.access import Access
from platforms.environment import OfferedPlatforms
from platforms.errors import Misconfigured
from platforms.http import create_http_client
from platforms.platform import Platform
from platforms.registry import ACCESS
from platforms.shape import Authorisation, Call, ClientCredentials, Grant, PlatformName, Profile


class CalledPlatforms:
    """Implements `auth.ports.vault.Platforms` between `open` and its end."""

    def __init__(self, offered: OfferedPlatforms, clock: Clock, tracer: Tracer | None = None) -> None:
        self._offered = offered
        self._clock = clock
        self._tracer = tracer
        self._client: httpx.AsyncClient | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        async with create_http_client(self._offered.allowed_hosts, self._tracer) as client:
            self._client = client
            yield

    def offers(self, name: PlatformName) -> bool:
        return name in self._offered.platforms

    def needed_scopes(self, name: PlatformName) -> frozenset[str]:
        return frozenset(self._find(name)[0].scopes)

    def access(self, name: PlatformName) -> Access:
        return ACCESS[name]

    def ends_on(self, name: PlatformName) -> date | None:
        platform = self._offered.platforms.get(name)
        return platform.limits.sunset if platform else None

    async def authorise(self, name: PlatformName, *, state: str, handle: str | None) -> Authorisation:
        platform, credentials = self._find(name)
        return await platform.authorise(self._http, credentials, state=state, handle=handle, clock=self._clock)

    async def exchange(self, name: PlatformName, *, callback: Mapping[str, str], kept: Mapping[str, Secret]) -> Grant:
        platform, credentials = self._find(name)
        return await platform.exchange(self._http, credentials, callback=callback, kept=kept, clock=self._clock)

    async def accounts(self, name: PlatformName, grant: Grant) -> Sequence[Profile]:
        return await self._find(name)[0].accounts(Call(self._http, self._clock, grant))

    async def act_for(self, name: PlatformName, grant: Grant, account_id: str) -> Grant:
        return await self._find(name)[0].act_for(Call(self._http, self._clock, grant), account_id)

    async def refresh(self, name: PlatformName, grant: Grant) -> Grant:
        platform, credentials = self._find(name)
        return await platform.refresh(self._http, credentials, grant, clock=self._clock)

    async def revoke(self, name: PlatformName, grant: Grant) -> None:
        platform, credentials = self._find(name)
        await platform.revoke(self._http, credentials, grant, clock=self._clock)

    @property
    def _http(self) -> httpx.AsyncClient:
        assert self._client is not None, "the platforms are called within `open` only"
        return self._client

    def _find(self, name: PlatformName) -> tuple[Platform, ClientCredentials]:
        try:
            return self._offered.platforms[name], self._offered.credentials[name]
        except KeyError:
            raise Misconfigured("not_offered", f"{name} is not offered by this installation (any more)") from None
