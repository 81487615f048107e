"""The edge: one handler for every row of the route table, and the headers that every answer carries."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from kit.addresses import network_of
from kit.clock import Clock
from kit.problems import Problem
from kit.secret import Secret
from litestar import MediaType, Request, Response, get, route
from litestar.datastructures import Headers, MutableScopeHeaders, State
from litestar.handlers import HTTPRouteHandler
from litestar.response import Stream
from litestar.types import ControllerRouterHandler, Message, Receive, Scope, Send

from gateway.domain import cookies, limits, origins
from gateway.domain.credentials import ApiKey, Credential, credential
from gateway.domain.routes import ROUTES, Access, BrowserMark, Route
from gateway.ports import ForwardedRequest, OwnerAnswer, Owners, Sessions, StreamedBody
from gateway.use_cases.forward_request import forward_request
from gateway.use_cases.settle_session import settle_session

AnyRequest = Request[Any, Any, State]

_FORWARDED_HEADERS = ("content-type", "content-length", "accept", "accept-language", "if-match", "user-agent", "range")
"""What an owner gets to see of a client's headers. Everything else ends here, cookies and passports first."""

_SIGNATURE_HEADERS = (
    "tiktok-signature",
    "x-hub-signature",
    "x-hub-signature-256",
    "x-li-signature",
    "x-twitter-webhooks-signature",
)
"""What goes on besides where a platform signs."""

_SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
}

_WELCOME = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Signoff</title>
<h1>Signoff</h1><p>The API is described at <a href="/openapi/openapi.json">/openapi/openapi.json</a>;
its paths start with <code>/api</code>.</p></html>"""


@dataclass(frozen=True)
class Edge:
    """What every handler needs. `trusted_proxies`: how many of our own proxies stand before us."""

    sessions: Sessions
    owners: Owners
    clock: Clock
    rate_limit: limits.RateLimit
    key_limit: limits.RateLimit
    webhook_limit: limits.RateLimit
    secure_cookies: bool
    trusted_proxies: int
    monotonic: Callable[[], float] = time.monotonic


def routes(edge: Edge) -> list[ControllerRouterHandler]:
    @get("/", include_in_schema=False, media_type=MediaType.HTML, sync_to_thread=False)
    def welcome() -> str:
        return _WELCOME

    return [welcome, *(_handler(edge, row) for row in ROUTES)]


def _handler(edge: Edge, row: Route) -> HTTPRouteHandler:
    @route(
        row.typed_path,
        http_method=row.method,  # type: ignore[arg-type]  # the table's methods are plain words
        status_code=200,
        request_max_body_size=row.body_bytes_max,
        operation_id=row.name,
        tags=[row.owner],
        summary=f"Answered by {row.owner}; needs: {row.access}",
    )
    async def pass_on(request: AnyRequest) -> Response[Any]:
        shown = None if row.access is Access.OPEN else _shown(edge, request)
        key = shown if isinstance(shown, ApiKey) else None
        _check(edge, row, request, key)
        forwarded = await _forwarded(edge, row, request)
        with _counting_refusals(edge, request, key):
            answer = await forward_request(
                forwarded,
                route=row,
                credential=shown,
                workspace_id=request.path_params.get("workspace_id"),
                sessions=edge.sessions,
                owners=edge.owners,
            )
        return _answer(edge, row, answer, marked=forwarded.browser if row.browser_mark is BrowserMark.MADE else None)

    return pass_on


def _shown(edge: Edge, request: AnyRequest) -> Credential | None:
    headers = request.headers
    return credential(headers.get("cookie", ""), headers.get("authorization", ""), secure=edge.secure_cookies)


def _check(edge: Edge, row: Route, request: AnyRequest, key: ApiKey | None) -> None:
    headers = request.headers
    # A page of another site cannot send a key along as it can a cookie.
    if key is None:
        origins.check_origin(
            row.method,
            host=headers.get("host", ""),
            origin=headers.get("origin"),
            fetch_site=headers.get("sec-fetch-site"),
        )
    if not row.streams and not row.by_platform:
        origins.check_json(headers.get("content-type"), has_body=_has_body(headers))
    if row.rate_limited:
        edge.rate_limit.take(_network(edge, request), now=edge.monotonic())
    if row.by_platform:
        edge.webhook_limit.take(_network(edge, request), now=edge.monotonic())
    if key is not None:
        edge.rate_limit.check(_network(edge, request), now=edge.monotonic())
        edge.key_limit.take(key.bucket, now=edge.monotonic())


@contextmanager
def _counting_refusals(edge: Edge, request: AnyRequest, key: ApiKey | None) -> Iterator[None]:
    """Count a key that was refused as an attempt of its address, so that nobody tries many."""
    try:
        if key is not None:
            key.check()
        yield
    except Problem as problem:
        if key is not None and problem.body()["status"] == HTTPStatus.UNAUTHORIZED:
            edge.rate_limit.take(_network(edge, request), now=edge.monotonic())
        raise


async def _forwarded(edge: Edge, row: Route, request: AnyRequest) -> ForwardedRequest:
    wanted = _FORWARDED_HEADERS + (_SIGNATURE_HEADERS if row.by_platform else ())
    headers = {name: request.headers[name] for name in wanted if name in request.headers}
    headers["x-forwarded-for"] = _address(edge, request)
    return ForwardedRequest(
        method=row.method,
        path=row.path_for(request.path_params),
        query=request.scope["query_string"].decode("latin-1"),
        headers=headers,
        answer_seconds=row.answer_seconds,
        body=request.stream() if row.streams else await request.body(),
        answer_streams=row.answer_streams,
        browser=_browser(edge, row, request),
    )


def _browser(edge: Edge, row: Route, request: AnyRequest) -> Secret | None:
    if row.browser_mark is BrowserMark.MADE:
        # A new one each time: one that was there could be known to whoever put it there.
        return cookies.new_browser_token()
    if row.browser_mark is BrowserMark.SHOWN:
        return cookies.browser_token(request.headers.get("cookie", ""), secure=edge.secure_cookies)
    return None


def _answer(edge: Edge, row: Route, answer: OwnerAnswer, *, marked: Secret | None) -> Response[Any]:
    settled, cookie = settle_session(answer, effect=row.session_effect, clock=edge.clock, secure=edge.secure_cookies)
    if marked is not None and 200 <= answer.status < 300:
        cookie = cookies.marking(marked, secure=edge.secure_cookies)
    # Named as a header and not only as a media type: of an answer to HEAD the framework tells no type.
    media_type = settled.headers.get("content-type", "application/octet-stream")
    headers = {**settled.headers, "content-type": media_type}
    if cookie is not None:
        headers["Set-Cookie"] = cookie
    if settled.stream is not None:
        return _PassedOn(settled.stream, status_code=settled.status, media_type=media_type, headers=headers)
    return Response(settled.body, status_code=settled.status, media_type=media_type, headers=headers)


class _PassedOn(Stream):
    """A streamed answer whose source is closed whatever ends it: a client can go away before the first piece."""

    def __init__(self, source: StreamedBody, **options: Any) -> None:
        super().__init__(source, **options)
        self._source = source

    def to_asgi_response(self, app: Any, request: Any, **options: Any) -> Any:
        answer = super().to_asgi_response(app, request, **options)

        async def pass_on(scope: Scope, receive: Receive, send: Send) -> None:
            try:
                await answer(scope, receive, send)
            finally:
                await self._source.aclose()

        return pass_on


def _has_body(headers: Headers) -> bool:
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


def _network(edge: Edge, request: AnyRequest) -> str:
    return network_of(_address(edge, request))


def _address(edge: Edge, request: AnyRequest) -> str:
    peer = request.client.host if request.client else "unknown"
    return limits.client_address(peer, request.headers.get("x-forwarded-for"), trusted_proxies=edge.trusted_proxies)


def secure_headers(*, https: bool) -> Callable[[Message, Scope], Any]:
    """A hook that gives every answer, problems too, the headers that keep browsers careful."""

    async def add(message: Message, scope: Scope) -> None:
        if message["type"] != "http.response.start":
            return
        headers = MutableScopeHeaders.from_message(message)
        for name, value in _SECURITY_HEADERS.items():
            # A page of an owner's may say what it needs; nothing else does.
            headers.setdefault(name, value)
        if https:
            headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
        if scope["path"].startswith("/api"):
            headers["Cache-Control"] = "no-store"

    return add
