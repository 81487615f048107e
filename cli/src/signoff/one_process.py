"""Every service in this process, on one event loop; only the gateway listens. The default of `signoff up`.

Also what the tests of whole journeys run on: `async with OneProcess(folder) as system`.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from signoff.installation import SERVICES, Installation
from signoff.listening import listen
from signoff.system import System

if TYPE_CHECKING:
    import httpx
    from litestar import Litestar


class OneProcess(System):
    """The system as one process. `apps` are the services' applications by name."""

    @property
    def apps(self) -> dict[str, Litestar]:
        return self._apps

    @asynccontextmanager
    async def _services(self, installation: Installation) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            place = stack.enter_context(listen(self._port))
            self.gateway_url = place.url
            # The servers' start is mostly waiting, the imports are mostly work.
            importing = asyncio.ensure_future(asyncio.to_thread(_import_services))
            addresses = await stack.enter_async_context(self._backing(installation))
            await importing
            from kit.server import opened  # noqa: PLC0415  # imported by now, beside the servers' start

            await self._surround(stack, installation, addresses, {})
            self._apps = self._create_apps()
            for app in self._apps.values():
                await stack.enter_async_context(opened(app))
            await stack.enter_async_context(place.serving(self._apps["gateway"]))
            yield

    def _create_apps(self) -> dict[str, Litestar]:
        from kit.calls import InProcess  # noqa: PLC0415  # imported by now, beside the servers' start

        apps: dict[str, Litestar] = {}
        for name in SERVICES:
            transports = {other: InProcess(apps, other) for other in SERVICES if other != name}
            create_app = importlib.import_module(f"{name}.main").create_app
            apps[name] = create_app(self.surroundings.of(name), transports=transports)
        return apps

    def client(self, service: str) -> httpx.AsyncClient:
        from kit.calls import InProcess, create_client  # noqa: PLC0415

        return create_client(f"http://{service}", InProcess(self._apps, service))

    async def dead_services(self) -> list[str]:
        dead = []
        for name in self._apps:
            async with self.client(name) as client:
                if (await client.get("/health/live")).status_code != 200:
                    dead.append(name)
        return dead


def _import_services() -> None:
    for name in SERVICES:
        importlib.import_module(f"{name}.main")
