"""Each service as a process of its own, as in a cluster: `signoff up --split`. Who dies is started again."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from signal import SIGTERM

import httpx
from kit.embedded import ChildProcess, ChildSpec, EmbeddedError

from signoff.backing import Report
from signoff.installation import SERVICES, Installation
from signoff.listening import Listener, listen
from signoff.system import System

READY_SECONDS = 90.0
"""Seven interpreters that start at once on one core take a third of this."""

CALL_SECONDS = 10.0

STOP_SECONDS = 35.0
"""Requests may finish for 10 seconds, handlers for 20; see `kit.server` and `kit.consuming`."""

BACKOFF_FIRST_SECONDS = 0.5
BACKOFF_LONGEST_SECONDS = 30.0
STEADY_SECONDS = 60.0
"""Who lived this long died of something new, and is started again at once."""

EXIT_SETTINGS = 78
"""How a service says that starting again is useless (`kit.server.EXIT_SETTINGS`)."""


class Worker:
    """One service's process."""

    def __init__(self, spec: ChildSpec, *, url: str, report: Report, give_up: Callable[[Exception], None]) -> None:
        self._spec = spec
        self.url = url
        self._report = report
        self._give_up = give_up
        self._child = ChildProcess(spec)
        self._wanted = asyncio.Event()
        self._wanted.set()
        self._task = asyncio.ensure_future(self._keep())

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def alive(self) -> bool:
        return self._child.running

    async def kill(self, *, hold: bool) -> None:
        """End the process as a crash would. `hold`: it stays down until `restart`."""
        if hold:
            self._wanted.clear()
        await asyncio.to_thread(self._child.kill_blocking)

    async def restart(self) -> None:
        """Let a process that was held down come back, and wait until it can serve."""
        self._wanted.set()
        await self.ready()

    async def ready(self) -> None:
        """Return once the service answers that it can serve; raises `EmbeddedError` after `READY_SECONDS`."""
        async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
            deadline = time.monotonic() + READY_SECONDS
            while time.monotonic() < deadline:
                try:
                    if (await client.get(f"{self.url}/health/ready")).status_code == 200:
                        return
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.05)
        raise EmbeddedError(f"{self._spec.name} is not ready after {READY_SECONDS:g} s, see {self._spec.log_file}")

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await asyncio.to_thread(self._child.stop_blocking)

    async def _keep(self) -> None:
        pause_seconds = BACKOFF_FIRST_SECONDS
        while True:
            started = time.monotonic()
            ended = await self._child.exited()
            if ended.code == EXIT_SETTINGS:
                self._give_up(EmbeddedError(self._child.log_tail(1)))
                return
            if time.monotonic() - started > STEADY_SECONDS:
                pause_seconds = BACKOFF_FIRST_SECONDS
            if self._wanted.is_set():
                self._report(f"{ended.name} ended (code {ended.code}); started again in {pause_seconds:g} s")
                await asyncio.sleep(pause_seconds)
                pause_seconds = min(pause_seconds * 2, BACKOFF_LONGEST_SECONDS)
            await self._wanted.wait()
            self._child = await asyncio.to_thread(ChildProcess, self._spec)


class Split(System):
    """The system with a process for each service."""

    async def kill(self, service: str) -> None:
        """End a service's process as a crash would; it stays down until `restart`."""
        await self.workers[service].kill(hold=True)

    async def restart(self, service: str) -> None:
        """Bring a killed service back and wait until it can serve."""
        await self.workers[service].restart()

    async def replicate(self, service: str) -> str:
        """Start one more process of a service; returns the name it goes by. Neighbours go on calling the first one."""
        name = f"{service}-{sum(each.startswith(service) for each in self.workers) + 1}"
        place = self._replicas.enter_context(listen(None))
        self.workers[name] = Worker(
            self._spec(service, place, name), url=place.url, report=self._report, give_up=self.fail
        )
        await self.workers[name].ready()
        return name

    async def crash(self, service: str) -> None:
        """End a service's process as a crash would; it comes back by itself."""
        await self.workers[service].kill(hold=False)

    def client(self, service: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.workers[service].url, trust_env=False, timeout=CALL_SECONDS)

    async def dead_services(self) -> list[str]:
        return [name for name, worker in self.workers.items() if not worker.alive]

    @asynccontextmanager
    async def _services(self, installation: Installation) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            # Bound here and inherited by each process: nobody else can take a port between two starts.
            places = {name: stack.enter_context(listen(self._port if name == "gateway" else None)) for name in SERVICES}
            urls = {name: place.url for name, place in places.items()}
            self.gateway_url = urls["gateway"]
            addresses = await stack.enter_async_context(self._backing(installation))
            await self._surround(stack, installation, addresses, urls)
            await stack.enter_async_context(self._working(places))
            yield

    @asynccontextmanager
    async def _working(self, places: Mapping[str, Listener]) -> AsyncIterator[None]:
        self.workers: dict[str, Worker] = {}
        try:
            for name, place in places.items():
                self.workers[name] = Worker(
                    self._spec(name, place), url=place.url, report=self._report, give_up=self.fail
                )
            await self._all_ready()
            with ExitStack() as self._replicas:
                yield
        finally:
            await asyncio.gather(*(worker.stop() for worker in self.workers.values()))

    async def _all_ready(self) -> None:
        ready = asyncio.ensure_future(self._wait_ready())
        given_up = asyncio.ensure_future(self._wait_given_up())
        try:
            done, _ = await asyncio.wait({ready, given_up}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                await task
        finally:
            for task in (ready, given_up):
                task.cancel()
            await asyncio.gather(ready, given_up, return_exceptions=True)

    async def _wait_ready(self) -> None:
        await asyncio.gather(*(worker.ready() for worker in self.workers.values()))

    async def _wait_given_up(self) -> None:
        await self._ended.wait()
        if self._failure is not None:
            raise self._failure

    def _spec(self, service: str, place: Listener, name: str | None = None) -> ChildSpec:
        folder, name = self.surroundings.installation.path, name or service
        return ChildSpec(
            name=name,
            command=[sys.executable, "-c", f"from {service}.main import run; run()"],
            directory=folder,
            log_file=folder / "logs" / f"{name}.jsonl",
            stop_signal=SIGTERM,
            stop_seconds=STOP_SECONDS,
            environment=self.surroundings.of(service) | {"LISTEN_DESCRIPTOR": str(place.descriptor)},
            inherited=(place.descriptor,),
        )
