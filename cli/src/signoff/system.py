"""What the two ways to run the system have in common: an installation, its servers, perhaps the sandbox."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from kit.clock import MovableClock
from kit.embedded import DataDirectory

from signoff.backing import Addresses, Report, backing
from signoff.environment import Surroundings, passed_on, sandbox_platforms
from signoff.hosting import Hosted
from signoff.installation import Installation

if TYPE_CHECKING:
    import httpx
    from sandbox.server import Sandbox


def say_nothing(_: str) -> None:
    """For those who look at the system, not at its words."""


def leave_logs(_: Installation) -> None:
    """For those who keep the logging of their process as it is."""


class System(Hosted):
    """A whole Signoff on one data folder, from entering the block to leaving it.

    `environment` holds what a person may set (`signoff.environment.PASSED_ON`, DATABASE_URL_*, NATS_URL); `sandbox`
    runs the imitated platforms beside it. `opened` is told when the folder is known to be ours, before anything is
    started. `gateway_url`, `surroundings` and `sandbox` are there once it runs.
    """

    def __init__(
        self,
        data: Path,
        *,
        port: int | None = None,
        sandbox: bool = False,
        environment: Mapping[str, str] | None = None,
        report: Report = say_nothing,
        opened: Callable[[Installation], None] = leave_logs,
    ) -> None:
        super().__init__()
        self._data = data
        self._port = port
        self._wants_sandbox = sandbox
        self._environment = dict(environment or {})
        self._report = report
        self._opened = opened
        self.sandbox: Sandbox | None = None
        self.gateway_url = ""
        self.surroundings: Surroundings

    @property
    def clock(self) -> MovableClock:
        """The clock of every service and of the sandbox; `advance` moves all of them."""
        return self.surroundings.installation.clock

    def environment_of(self, service: str) -> dict[str, str]:
        """What the service was told at its start."""
        return self.surroundings.of(service)

    @abstractmethod
    def client(self, service: str) -> httpx.AsyncClient:
        """A client of one service itself, past the gateway, for who has a passport. Close it."""

    @abstractmethod
    async def dead_services(self) -> list[str]:
        """The services that do not live any more; the log says why."""

    @asynccontextmanager
    async def _running(self) -> AsyncIterator[None]:
        with DataDirectory(self._data) as directory:
            installation = Installation.open(directory)
            self._opened(installation)
            async with self._services(installation):
                yield

    @abstractmethod
    def _services(self, installation: Installation) -> AbstractAsyncContextManager[None]:
        """Start the servers and every service on them, and stop them in reverse."""

    def _backing(self, installation: Installation) -> AbstractAsyncContextManager[Addresses]:
        return backing(installation, self._environment, report=self._report, give_up=self.fail)

    async def _surround(
        self,
        stack: AsyncExitStack,
        installation: Installation,
        addresses: Addresses,
        service_urls: Mapping[str, str],
    ) -> None:
        self.surroundings = Surroundings(
            installation,
            addresses,
            public_url=self._environment.get("PUBLIC_URL", self.gateway_url),
            service_urls=service_urls,
            platforms=await self._start_sandbox(stack, installation),
            overrides=passed_on(self._environment),
        )

    async def _start_sandbox(self, stack: AsyncExitStack, installation: Installation) -> dict[str, str]:
        if not self._wants_sandbox:
            return {}
        from sandbox.server import Sandbox  # noqa: PLC0415  # only who wants it pays for its import

        self.sandbox = await stack.enter_async_context(Sandbox(clock=installation.clock))
        return sandbox_platforms(self.sandbox.base_urls, self.gateway_url)
