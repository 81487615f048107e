"""Several NATS servers on this machine that hold every stream together: for tests of what a cluster survives."""

from __future__ import annotations

import asyncio
import http.client
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from kit.embedded.errors import EmbeddedError
from kit.embedded.nats_server import ClusterPlace, EmbeddedNats, NatsTls, NatsUser
from kit.embedded.ports import LOOPBACK, free_ports

HEALTHY_SECONDS = 60.0
"""A leader is elected within seconds; a server that comes back also has to catch up with the others."""


class EmbeddedNatsCluster:
    """`nodes` servers over `<folder>/node-<number>`, counted from 0. An odd number, as for every quorum."""

    def __init__(
        self,
        folder: Path,
        *,
        nodes: int = 3,
        users: Sequence[NatsUser] | None = None,
        tls: NatsTls | None = None,
        name: str = "signoff",
    ) -> None:
        ports = free_ports(2 * nodes)
        self._monitor_ports, routes = ports[:nodes], ports[nodes:]
        self._nodes = [
            EmbeddedNats(
                folder / f"node-{number}",
                users=users,
                tls=tls,
                # Replicas stand in for syncing each message: what one server loses, the others have.
                durable=False,
                place=ClusterPlace(name, routes[number], [port for port in routes if port != routes[number]], monitor),
            )
            for number, monitor in enumerate(self._monitor_ports)
        ]

    @property
    def urls(self) -> list[str]:
        return [node.url for node in self._nodes]

    @property
    def url(self) -> str:
        """All of them, as NATS_URL takes them."""
        return ",".join(self.urls)

    async def start(self, *numbers: int) -> None:
        """Start these servers, or all, and return once each is part of a cluster with a leader. See `EmbeddedError`."""
        await asyncio.to_thread(self.start_blocking, *numbers)

    async def stop(self, *numbers: int) -> None:
        """Stop these servers, or all, and keep their data."""
        await asyncio.to_thread(self.stop_blocking, *numbers)

    async def kill(self, number: int) -> None:
        """End one server as a crash would. `start(number)` brings it back."""
        await self._nodes[number].kill()

    def number_of(self, server_name: str) -> int:
        """Which one a name is that the cluster gives, for example as the leader of a stream."""
        return [node.server_name for node in self._nodes].index(server_name)

    def start_blocking(self, *numbers: int) -> None:
        chosen = numbers or range(len(self._nodes))
        try:
            self._together(EmbeddedNats.start_blocking, chosen)
            deadline = time.monotonic() + HEALTHY_SECONDS
            for number in chosen:
                self._wait_healthy(number, deadline)
        except BaseException:
            self.stop_blocking(*chosen)
            raise

    def stop_blocking(self, *numbers: int) -> None:
        self._together(EmbeddedNats.stop_blocking, numbers or range(len(self._nodes)))

    def _together(self, action: Callable[[EmbeddedNats], None], numbers: Iterable[int]) -> None:
        with ThreadPoolExecutor(len(self._nodes)) as threads:
            list(threads.map(action, [self._nodes[number] for number in numbers]))

    def _wait_healthy(self, number: int, deadline: float) -> None:
        while not self._is_healthy(number):
            if time.monotonic() > deadline:
                raise EmbeddedError(f"NATS node {number} found no leader within {HEALTHY_SECONDS:.0f} s")
            time.sleep(0.02)

    def _is_healthy(self, number: int) -> bool:
        """What the server says of itself: it knows a leader, and its streams are up to date."""
        connection = http.client.HTTPConnection(LOOPBACK, self._monitor_ports[number], timeout=2)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == http.HTTPStatus.OK
        except OSError:
            return False
        finally:
            connection.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
