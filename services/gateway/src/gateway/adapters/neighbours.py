"""The services behind the edge, over HTTP or in process: requests and answers pass as they are."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from types import TracebackType
from typing import Self
from uuid import UUID

import httpx
from kit.calls import CallRefused, Neighbour, RefusedByNeighbour
from kit.problems import Unavailable
from kit.secret import Secret
from opentelemetry import propagate, trace

from gateway.domain.credentials import ApiKey, Credential
from gateway.ports import ForwardedRequest, OwnerAnswer

CONNECT_SECONDS = 2.0

_ANSWER_HEADERS = (
    "content-type",
    "retry-after",
    "www-authenticate",
    "location",
    "etag",
    "content-disposition",
    "accept-ranges",
    "content-range",
    "cache-control",
    "content-security-policy",
)
"""What an owner may tell the client in headers. Cookies are the edge's alone."""


class AuthSessions:
    """Passports from auth, asked for in the edge's own name."""

    def __init__(self, auth: Neighbour, own_passport: Callable[[], str]) -> None:
        self._auth = auth
        self._own_passport = own_passport

    async def passport(self, credential: Credential, *, workspace_id: UUID | None) -> Secret:
        if isinstance(credential, ApiKey):
            body = {"api_key": credential.key.reveal()}
        else:
            body = {"session_token": credential.token.reveal()}
        if workspace_id is not None:
            body["workspace_id"] = str(workspace_id)
        try:
            answer = await self._auth.call("POST", "/internal/passports", json=body)
        except CallRefused as refusal:
            raise RefusedByNeighbour(refusal) from None
        return Secret(str(answer["passport"]))

    def own_passport(self) -> Secret:
        return Secret(self._own_passport())


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
            if request.browser is not None:
                headers["X-Signoff-Browser"] = request.browser.reveal()
            propagate.inject(headers)
            try:
                response = await self._ask(owner, request, headers)
            except httpx.TransportError as error:
                raise Unavailable(f"{owner} does not answer") from error
        passed = {name: response.headers[name] for name in _ANSWER_HEADERS if name in response.headers}
        # Where nothing is counted by us: a body in pieces, or the one that a HEAD only tells of.
        if (request.method == "HEAD" or not response.is_closed) and "content-length" in response.headers:
            passed["content-length"] = response.headers["content-length"]
        if response.is_closed:
            return OwnerAnswer(response.status_code, response.content, passed)
        return OwnerAnswer(response.status_code, b"", passed, stream=_Streamed(response))

    async def _ask(self, owner: str, request: ForwardedRequest, headers: Mapping[str, str]) -> httpx.Response:
        """The answer: open if it streams, else read."""
        client = self._clients[owner]
        response = await client.send(
            client.build_request(
                request.method,
                httpx.URL(path=request.path, query=request.query.encode()),
                headers=headers,
                content=request.body or None,
                timeout=httpx.Timeout(request.answer_seconds, connect=CONNECT_SECONDS),
            ),
            stream=True,
        )
        if request.answer_streams and response.is_success:
            return response
        try:
            await response.aread()
        finally:
            await response.aclose()
        return response

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace_: TracebackType | None
    ) -> None:
        for client in self._clients.values():
            await client.aclose()


class _Streamed:
    """Satisfies `ports.StreamedBody`."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._response.aiter_raw()

    async def aclose(self) -> None:
        await self._response.aclose()
