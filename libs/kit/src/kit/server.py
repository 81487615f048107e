"""Runs a service as a process of its own: settings from the environment, uvicorn, one worker, clean stops."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager

import uvicorn
import uvloop
from litestar import Litestar

from kit import heap, logs
from kit.settings import Environment, SettingError
from kit.topology import Drift

GRACEFUL_SECONDS = 5
"""How long open requests may finish after SIGTERM. With what follows, a process ends within ten seconds even if all of
them wait for a server that is away."""

EXIT_SETTINGS = 78
"""EX_CONFIG of sysexits.h: starting again without changing a setting is useless."""


def configuration(app: Litestar, host: str, port: int) -> uvicorn.Config:
    """uvicorn with every option that matters, in one place.

    The lifespan is opened by us (see `serve`), so that what goes wrong in it is told by us, in one line.
    """
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        loop="uvloop",
        http="httptools",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACEFUL_SECONDS,
        timeout_keep_alive=30,
    )


class Server(uvicorn.Server):
    """uvicorn that leaves signals to its starter.

    Left to itself it ends the process by the signal as soon as it has stopped listening, and so before the
    lifespan around it is closed: handlers would be cut off and connections left open. `ready` is set once it listens.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.ready.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def opened(app: Litestar) -> AsyncIterator[None]:
    """The application's lifespan. What goes wrong in it comes out as it is, not in the groups that Litestar adds."""
    try:
        async with app.lifespan():
            yield
    except BaseExceptionGroup as group:
        error: BaseException = group
        while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
            error = error.exceptions[0]
        raise error from None


async def serve(app: Litestar, host: str, port: int, *, listening: socket.socket | None = None) -> None:
    """Open the application, serve until SIGTERM or SIGINT comes, close it. A second SIGINT does not wait.

    `listening`: a socket that is bound already, which then counts instead of host and port.
    """
    server = Server(configuration(app, host, port))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, server.handle_exit, number, None)
    async with opened(app):
        heap.settle()
        await server.serve(sockets=[listening] if listening else None)


def run(service: str, create_app: Callable[[Mapping[str, str]], Litestar]) -> None:
    """Serve one service until SIGTERM or SIGINT. A wrong setting ends it with one line and code 78."""
    logs.configure()
    complaints: list[BaseException] = []
    try:
        environment = Environment(os.environ)
        host = environment.text("HOST", "127.0.0.1")
        port = environment.integer("PORT", 8000, minimum=1, maximum=65_535)
        # Whoever starts us may have bound our address, so that nobody else can take it meanwhile.
        descriptor = environment.optional("LISTEN_DESCRIPTOR")
        listening = socket.socket(fileno=int(descriptor)) if descriptor else None
        app = create_app(os.environ)
        uvloop.run(serve(app, host, port, listening=listening))
    except* (SettingError, Drift) as group:
        # What a lifespan raises comes in groups within groups.
        complaints += _leaves(group)
    if complaints:
        print(f"{service}: {complaints[0]}", file=sys.stderr)  # noqa: T201
        sys.exit(EXIT_SETTINGS)


def _leaves(error: BaseException) -> list[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        return [leaf for member in error.exceptions for leaf in _leaves(member)]
    return [error]
