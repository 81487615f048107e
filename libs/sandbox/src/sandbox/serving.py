"""One platform's HTTP server on a loopback port, started and stopped inside the caller's event loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from litestar.types import ASGIApp


class LoopbackServer:
    """Binds at once, so that the address is known before the application is built."""

    def __init__(self, port: int = 0) -> None:
        # With the protocol named, asyncio switches Nagle's delay off; without, every answer takes 40 ms more.
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", port))
        self._server: _Server | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    async def start(self, app: ASGIApp) -> None:
        """Serve until `stop`. Returns when requests are answered; raises if the server cannot start."""
        config = uvicorn.Config(
            app,
            http="httptools",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            # The fault plan needs the request's own `send`, not a wrapper's.
            proxy_headers=False,
            date_header=False,
            server_header=False,
            # As platforms' front servers have it: longer than our client keeps an idle connection, so that no request
            # meets the end of one.
            timeout_keep_alive=75,
        )
        self._server = _Server(config)
        self._task = asyncio.create_task(self._server.serve([self._socket]), name="sandbox-server")
        started = asyncio.create_task(self._server.ready.wait())
        await asyncio.wait([started, self._task], return_when=asyncio.FIRST_COMPLETED)
        started.cancel()
        if self._task.done():
            await self._task
            raise RuntimeError("the sandbox server ended while starting")

    async def stop(self) -> None:
        if self._server is not None and self._task is not None:
            self._server.ended.set()
            await self._task
        self._socket.close()


class _Server(uvicorn.Server):
    """uvicorn without signal handlers of its own and without a tick: events start and end it."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()
        self.ended = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.ready.set()

    async def main_loop(self) -> None:
        await self.ended.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End at once: nobody waits for the answers of a sandbox that is going away."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        tasks = list(self.server_state.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
