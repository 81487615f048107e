"""HTTP calls between services: in process or over the network, always with a passport, a time-out and a trace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
from opentelemetry import propagate, trace

from kit.problems import Problem, Unavailable

TIMEOUT = httpx.Timeout(10.0, connect=2.0)
"""A neighbour answers in milliseconds; ten seconds covers its own wait for a platform."""

Transports = Mapping[str, httpx.AsyncBaseTransport]
"""Where services run in one process: how each is reached without a socket, by name."""


class CallRefused(Exception):
    """A neighbour answered with a problem. `code` is the last part of its type."""

    def __init__(self, service: str, status: int, code: str, document: Mapping[str, Any]) -> None:
        super().__init__(f"{service} answered {status} {code}")
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
            propagate.inject(headers)
            try:
                response = await self._client.request(method, path, json=json, headers=headers)
            except httpx.TransportError as error:
                raise Unavailable(f"{self._name} does not answer") from error
        if response.status_code >= 500:
            raise Unavailable(f"{self._name} is not able to answer")
        if response.status_code >= 400:
            raise _refusal(self._name, response)
        return response.json() if response.content else None

    async def close(self) -> None:
        await self._client.aclose()


def _refusal(name: str, response: httpx.Response) -> CallRefused:
    try:
        document = response.json()
        code = str(document["type"]).rpartition(":")[2]
    except (ValueError, KeyError, TypeError):
        document, code = {}, "unknown"
    return CallRefused(name, response.status_code, code, document)


class RefusedByNeighbour(Problem):
    """A neighbour's problem, passed on to the person as it was told to us."""

    def __init__(self, refusal: CallRefused) -> None:
        super().__init__(str(refusal.document.get("detail", "")), errors=refusal.document.get("errors", ()))
        self._refusal = refusal

    def body(self) -> dict[str, Any]:
        return super().body() | dict(self._refusal.document) | {"status": self._refusal.status}


class InProcess(httpx.AsyncBaseTransport):
    """Reaches a service that runs in the same process, found when it is called."""

    def __init__(self, apps: Mapping[str, Any], name: str) -> None:
        self._apps = apps
        self._name = name

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        transport = httpx.ASGITransport(self._apps[self._name], raise_app_exceptions=False)
        return await transport.handle_async_request(request)


def create_client(base_url: str, transport: httpx.AsyncBaseTransport | None) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=base_url,
        transport=transport,
        timeout=TIMEOUT,
        limits=httpx.Limits(max_connections=100, max_keepalive_connections=20),
        follow_redirects=False,
        trust_env=False,
    )
