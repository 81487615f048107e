"""The services behind the edge, over HTTP or in process: requests and answers pass as they are."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Self
from uuid import UUID

import httpx
from kit.calls import CallRefused, Neighbour, RefusedByNeighbour
from kit.problems import Unavailable
from kit.secret import Secret
from opentelemetry import propagate, trace

from gateway.ports import ForwardedRequest, OwnerAnswer

CONNECT_SECONDS = 2.0

_ANSWER_HEADERS = ("content-type", "retry-after", "www-authenticate", "location", "etag", "content-disposition")
"""What an owner may tell the client in headers. Cookies are the edge's alone."""


class AuthSessions:
    """Passports from auth, asked for in the edge's own name."""

    def __init__(self, auth: Neighbour) -> None:
        self._auth = auth

    async def passport(self, session_token: Secret, *, workspace_id: UUID | None) -> Secret:
        body: dict[str, str] = {"session_token": session_token.reveal()}
        if workspace_id is not None:
            body["workspace_id"] = str(workspace_id)
        try:
            answer = await self._auth.call("POST", "/internal/passports", json=body)
        except CallRefused as refusal:
            raise RefusedByNeighbour(refusal) from None
        return Secret(str(answer["passport"]))


class HttpOwners:
    """One client for each service. A context manager that closes them."""

    def __init__(self, clients: Mapping[str, httpx.AsyncClient], tracer: trace.Tracer) -> None:
        self._clients = clients
        self._tracer = tracer

    async def send(self, owner: str, request: ForwardedRequest, *, passport: Secret | None) -> OwnerAnswer:
        with self._tracer.start_as_current_span(f"{request.method} {owner}", kind=trace.SpanKind.CLIENT):
            headers = dict(request.headers)
            if passport is not None:
                headers["Authorization"] = f"Bearer {passport.reveal()}"
            propagate.inject(headers)
            try:
                response = await self._clients[owner].request(
                    request.method,
                    httpx.URL(path=request.path, query=request.query.encode()),
                    headers=headers,
                    content=request.body or None,
                    timeout=httpx.Timeout(request.answer_seconds, connect=CONNECT_SECONDS),
                )
            except httpx.TransportError as error:
                raise Unavailable(f"{owner} does not answer") from error
        passed = {name: response.headers[name] for name in _ANSWER_HEADERS if name in response.headers}
        return OwnerAnswer(response.status_code, response.content, passed)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace_: TracebackType | None
    ) -> None:
        for client in self._clients.values():
            await client.aclose()
