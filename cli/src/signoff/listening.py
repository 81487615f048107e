"""A place on the network that is ours before anything is started on it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

from kit.embedded import EmbeddedError
from kit.embedded.ports import LOOPBACK

if TYPE_CHECKING:
    from litestar import Litestar


class Listener:
    """A bound socket on the loopback interface."""

    def __init__(self, bound: socket.socket) -> None:
        self._socket = bound
        self.port: int = bound.getsockname()[1]
        self.url = f"http://{LOOPBACK}:{self.port}"

    @property
    def descriptor(self) -> int:
        """What a child process inherits to listen here."""
        return self._socket.fileno()

    @asynccontextmanager
    async def serving(self, app: Litestar) -> AsyncIterator[None]:
        """Answer requests with `app`, whose lifespan is open, until the end of the block."""
        from kit.server import Server, configuration  # noqa: PLC0415  # uvicorn is imported beside the servers' start

        server = Server(configuration(app, LOOPBACK, self.port))
        task = asyncio.ensure_future(server.serve(sockets=[self._socket]))
        try:
            await server.ready.wait()
            yield
        finally:
            server.should_exit = True
            await task


@contextmanager
def listen(port: int | None) -> Iterator[Listener]:
    """Take `port`, or a free one; raises `EmbeddedError` if it is taken."""
    # Only a socket that knows its protocol is freed from Nagle's delay by asyncio.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((LOOPBACK, port or 0))
            bound.listen(128)
        except OSError as error:
            raise EmbeddedError(
                f"port {port} cannot be used ({error.strerror}): stop what uses it, or name another with --port"
            ) from error
        yield Listener(bound)
