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
            await self._surround(stack, installation, addresses, {})
            self._apps = self._create_apps()
            for app in self._apps.values():
                await stack.enter_async_context(app.lifespan())
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

    async def dead_services(self) -> list[str]:
        import httpx  # noqa: PLC0415
        from kit.calls import InProcess  # noqa: PLC0415

        dead = []
        for name in self._apps:
            async with httpx.AsyncClient(transport=InProcess(self._apps, name), base_url=f"http://{name}") as client:
                if (await client.get("/health/live")).status_code != 200:
                    dead.append(name)
        return dead


def _import_services() -> None:
    for name in SERVICES:
        importlib.import_module(f"{name}.main")
