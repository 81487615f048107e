"""HTTP calls between services: in process or over the network, always with a passport, a time-out and a trace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx
import msgspec
import structlog
from opentelemetry import propagate, trace

from kit.problems import Problem, Unavailable

log = structlog.get_logger("calls")

TIMEOUT = httpx.Timeout(10.0, connect=2.0)
"""A neighbour answers in milliseconds; ten seconds covers its own wait for a platform."""

Transports = Mapping[str, httpx.AsyncBaseTransport]
"""Where services run in one process: how each is reached without a socket, by name."""


class CallRefused(Exception):
    """A neighbour answered with a problem. `code` is the last part of its type, `headers` what a client must know."""

    def __init__(
        self,
        service: str,
        status: int,
        code: str,
        document: Mapping[str, Any],
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{service} answered {status} {code}")
        self.headers = dict(headers or {})
        self.service = service
        self.status = status
        self.code = code
        self.document = document


class Neighbour:
    """Another service, called in this service's name or with a person's passport."""

    def __init__(self, name: str, client: httpx.AsyncClient, own_passport: Any, tracer: trace.Tracer) -> None:
        self._name = name
        self._client = client
        self._own_passport = own_passport
        self._tracer = tracer

    async def call(self, method: str, path: str, *, json: Any = None, passport: str | None = None) -> Any:
        """The answer's JSON (None if it has no body).

        Raises `CallRefused` for an answer of 4xx, `kit.problems.Unavailable` if there was none or 5xx.
        """
        with self._tracer.start_as_current_span(f"{method} {self._name}", kind=trace.SpanKind.CLIENT):
            headers = {"Authorization": f"Bearer {passport or self._own_passport()}"}
            content = None
            if json is not None:
                headers["Content-Type"] = "application/json"
                content = msgspec.json.encode(json)
            propagate.inject(headers)
            try:
                response = await self._client.request(method, path, content=content, headers=headers)
            except httpx.TransportError as error:
                raise Unavailable(f"{self._name} does not answer") from error
        if response.status_code >= 500:
            raise Unavailable(f"{self._name} is not able to answer")
        if response.status_code >= 400:
            raise _refusal(self._name, response)
        return msgspec.json.decode(response.content) if response.content else None

    async def close(self) -> None:
        await self._client.aclose()


def _refusal(name: str, response: httpx.Response) -> CallRefused:
    try:
        document = response.json()
        code = str(document["type"]).rpartition(":")[2]
    except (ValueError, KeyError, TypeError):
        document, code = {}, "unknown"
    told = {each: response.headers[each] for each in _TOLD_HEADERS if each in response.headers}
    return CallRefused(name, response.status_code, code, document, told)


_TOLD_HEADERS = ("WWW-Authenticate", "Retry-After")
"""What a problem says in headers."""


class RefusedByNeighbour(Problem):
    """A neighbour's problem, passed on to the person as it was told to us."""

    def __init__(self, refusal: CallRefused) -> None:
        super().__init__(
            str(refusal.document.get("detail", "")),
            errors=refusal.document.get("errors", ()),
            headers=refusal.headers,
        )
        self._refusal = refusal

    def body(self) -> dict[str, Any]:
        return super().body() | dict(self._refusal.document) | {"status": self._refusal.status}


class InProcess(httpx.AsyncBaseTransport):
    """Reaches a service that runs in the same process, found when it is called. Answers stream, as over a socket."""

    def __init__(self, apps: Mapping[str, Any], name: str) -> None:
        self._apps = apps
        self._name = name

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        exchange = _Exchange(self._apps[self._name], request)
        try:
            status, headers = await exchange.started()
        except BaseException:
            await exchange.aclose()
            raise
        return httpx.Response(status, headers=headers, stream=exchange)


PIECES_AHEAD = 2
"""How many pieces of an answer wait for their reader: one on its way, one being made meanwhile."""


class _Exchange(httpx.AsyncByteStream):
    """One request to an application in process, which runs beside its reader and never far ahead of it.

    The stream is the answer's body. It raises `httpx.ReadError` if the application ends before its answer does;
    closing it early ends the application's work on the request.
    """

    def __init__(self, app: Any, request: httpx.Request) -> None:
        assert isinstance(request.stream, httpx.AsyncByteStream)
        self._request = request
        self._sent = aiter(request.stream)
        self._all_sent = self._whole = False
        self._start: asyncio.Future[tuple[int, list[tuple[bytes, bytes]]]] = asyncio.get_running_loop().create_future()
        self._room = asyncio.Semaphore(PIECES_AHEAD)
        self._pieces: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._ended = asyncio.Event()
        self._task = asyncio.create_task(self._run(app), name="in-process-request")

    async def started(self) -> tuple[int, list[tuple[bytes, bytes]]]:
        """Status and headers. 500 if the application failed before it said any."""
        return await self._start

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (piece := await self._pieces.get()) is not None:
            self._room.release()
            yield piece
        if not self._whole:
            raise httpx.ReadError("the answer was cut off", request=self._request)

    async def aclose(self) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _run(self, app: Any) -> None:
        try:
            await app(_scope(self._request), self._receive, self._send)
        except Exception as error:
            # Told to whoever asked, as a connection would tell it: by a status, or by the answer's early end.
            log.debug("in_process_request_failed", error=type(error).__name__)
        finally:
            if not self._start.done():
                self._whole = True
                self._start.set_result((500, []))
            self._ended.set()
            self._pieces.put_nowait(None)

    async def _receive(self) -> dict[str, Any]:
        if self._all_sent:
            await self._ended.wait()
            return {"type": "http.disconnect"}
        try:
            return {"type": "http.request", "body": await anext(self._sent), "more_body": True}
        except StopAsyncIteration:
            self._all_sent = True
            return {"type": "http.request", "body": b"", "more_body": False}

    async def _send(self, message: Mapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self._start.set_result((message["status"], list(message.get("headers", ()))))
        elif message["type"] == "http.response.body":
            if (piece := message.get("body", b"")) and self._request.method != "HEAD":
                await self._room.acquire()
                self._pieces.put_nowait(piece)
            if not message.get("more_body", False):
                self._whole = True
                self._ended.set()


def _scope(request: httpx.Request) -> dict[str, Any]:
    """The request as ASGI says it (HTTP connection scope, version 2.x)."""
    url = request.url
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "scheme": url.scheme,
        "path": url.path,
        "raw_path": url.raw_path.partition(b"?")[0],
        "query_string": url.query,
        "server": (url.host, url.port),
        "client": ("127.0.0.1", 0),
        "root_path": "",
    }


def create_client(base_url: str, transport: httpx.AsyncBaseTransport | None) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=base_url,
        transport=transport,
        timeout=TIMEOUT,
        limits=httpx.Limits(max_connections=100, max_keepalive_connections=20),
        follow_redirects=False,
        trust_env=False,
    )
