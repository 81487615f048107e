"""Faults on demand: answers that lie, delays, and connections cut before, during or after the effect.

The plan sits in front of a platform's whole application, so that a fault is what a caller would see on
the network and the application knows nothing of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import fnmatch
import json
import socket
import struct
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

Kind = Literal[
    "answer", "answer_after", "delay", "delay_after", "reset_before", "reset_during", "reset_after", "expire_token"
]
CONTROL_PREFIX = "/_sandbox"
ARRIVALS_MAX = 10_000
"""Enough for a test under load; a sandbox that runs for weeks keeps no more."""

PLANNED = "x-sandbox-planned"
"""The header by which an answer shows that it was planned, and is not what the platform would say."""


@dataclass
class Fault:
    """One planned misbehaviour.

    `route` is a pattern over "METHOD /path", such as "POST /v2/post/publish/video/init/" or "PUT /video/*".
    `answer` replaces the effect, `answer_after` only the answer; `delay` waits before the effect, `delay_after`
    before the answer. The first `skip` matching requests pass,
    the next `times` are hit.
    """

    route: str
    kind: Kind
    status: int = 503
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    delay_seconds: float = 0.0
    after_bytes: int = 1
    times: int = 1
    skip: int = 0


@dataclass(frozen=True)
class Arrival:
    """When a request began to arrive, by the monotonic clock of this machine, and what it asked."""

    at: float
    route: str


class FaultPlan:
    """The faults to come of one platform, and what was asked of it: how often, and the last of it with its times."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self.requests: Counter[str] = Counter()
        self.arrivals: deque[Arrival] = deque(maxlen=ARRIVALS_MAX)
        self.expire_tokens: Callable[[], None] = lambda: None

    def add(self, fault: Fault) -> None:
        self._faults.append(fault)

    def clear(self) -> None:
        self._faults.clear()

    @property
    def left(self) -> int:
        return sum(fault.times for fault in self._faults)

    def take(self, method: str, path: str) -> Fault | None:
        """Count a request and return the fault that hits it, if any."""
        route = f"{method} {path}"
        self.requests[route] += 1
        self.arrivals.append(Arrival(time.monotonic(), route))
        for fault in self._faults:
            if fault.times > 0 and fnmatch.fnmatchcase(route, fault.route):
                if fault.skip > 0:
                    fault.skip -= 1
                    return None
                fault.times -= 1
                return fault
        return None


class FaultyApp:
    """ASGI wrapper that carries the plan out; a platform's control routes pass untouched."""

    def __init__(self, app: ASGIApp, plan: FaultPlan) -> None:
        self._app = app
        self._plan = plan

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP or scope["path"].startswith(CONTROL_PREFIX):
            await self._app(scope, receive, send)
            return
        fault = self._plan.take(scope["method"], scope["path"])
        try:
            await self._serve(fault, scope, receive, send)
        except asyncio.CancelledError:
            # The server is stopping; the caller sees what it would see of a machine that goes away.
            await cut_connection(send)

    async def _serve(self, fault: Fault | None, scope: Scope, receive: Receive, send: Send) -> None:
        if fault is None:
            await self._app(scope, receive, send)
            return
        match fault.kind:
            case "delay":
                await asyncio.sleep(fault.delay_seconds)
                await self._app(scope, receive, send)
            case "delay_after":
                await self._app(scope, receive, _held_back(send, fault.delay_seconds))
            case "expire_token":
                self._plan.expire_tokens()
                await self._app(scope, receive, send)
            case "reset_before":
                await cut_connection(send)
            case "reset_during":
                await _drain(receive, at_least=fault.after_bytes)
                await cut_connection(send)
            case "reset_after":
                await self._app(scope, receive, _swallow)
                await cut_connection(send)
            case "answer":
                await _drain(receive)
                await _answer(fault, send)
            case "answer_after":
                await self._app(scope, receive, _swallow)
                await _answer(fault, send)


async def cut_connection(send: Send) -> None:
    """Reset the TCP connection under a request, with nothing answered.

    ASGI has no word for it. uvicorn hands every application the bound `send` of the request, whose owner
    holds the transport; no linger time makes the kernel send a reset instead of an orderly end.
    """
    transport: asyncio.Transport = send.__self__.transport  # type: ignore[attr-defined]
    connection = transport.get_extra_info("socket")
    with contextlib.suppress(OSError, AttributeError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    # One turn of the loop, so that uvicorn has seen the loss before it misses an answer.
    await asyncio.sleep(0)


def _held_back(send: Send, delay_seconds: float) -> Send:
    """An answer that comes late, to something that was done at once."""

    async def late(message: Message) -> None:
        if message["type"] == "http.response.start":
            await asyncio.sleep(delay_seconds)
        await send(message)

    return late


async def _swallow(message: Message) -> None:
    """Take an answer that nobody will see."""


async def _drain(receive: Receive, at_least: int | None = None) -> None:
    size = 0
    while at_least is None or size < at_least:
        message = await receive()
        if message["type"] != "http.request":
            return
        size += len(message["body"])
        if not message["more_body"]:
            return


async def _answer(fault: Fault, send: Send) -> None:
    body = b"" if fault.body is None else json.dumps(fault.body).encode()
    headers = {
        "content-type": "application/json",
        "content-length": str(len(body)),
        PLANNED: fault.kind,
    } | fault.headers
    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": fault.status, "headers": encoded})
    await send({"type": "http.response.body", "body": body, "more_body": False})
