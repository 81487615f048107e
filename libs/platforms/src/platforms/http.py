"""The one HTTP client that every platform is called with: bounded in time, connections and destinations.

A service makes it once at start-up and hands it to the platforms. Some addresses come from outside (a
Bluesky user names their own server, TikTok names the upload host), so the transport itself refuses
every host that is not on the list, whatever code above it built the request. Each call is a span of ours, and
no header tells the platform of it: a third party gets no identifier of ours.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

import httpx
from kit.telemetry import mark_failed, opened_span
from opentelemetry import trace

from platforms.errors import Misconfigured
from platforms.transport import AiohttpTransport

_until: ContextVar[float | None] = ContextVar("until", default=None)


@contextmanager
def no_requests_after(until: float) -> Iterator[None]:
    """Within the block no request begins after this time (`time.monotonic`); one that has begun goes on.

    A block within another one cannot allow more. What comes too late fails as a connection that was never made, because
    nothing was sent.
    """
    outer = _until.get()
    token = _until.set(until if outer is None else min(until, outer))
    try:
        yield
    finally:
        _until.reset(token)


def refuse_late_requests() -> None:
    """Raise `httpx.ConnectError` where no request may begin any more."""
    until = _until.get()
    if until is not None and time.monotonic() >= until:
        raise httpx.ConnectError("the time to begin requests is over")


def create_http_client(allowed_hosts: Mapping[str, str], tracer: trace.Tracer | None = None) -> httpx.AsyncClient:
    """Build the shared client. Close it with `aclose()` or use it as a context manager.

    `allowed_hosts` holds host names, `*.suffix` patterns (which match below the suffix, not the suffix
    itself) and `host:port` pairs, each with the name of its platform. Redirects are answers here, never
    followed; cookies are not kept, because one client serves many accounts. Without a `tracer` calls leave no spans.
    """
    return _Client(GuardedTransport(allowed_hosts, tracer or trace.NoOpTracer()))


class _Client(httpx.AsyncClient):
    """httpx's requests and answers, without what its client does around each: redirects, cookies, authentication, a log
    line with the address. None of that may happen here, and it took a third of a call's processor time."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        super().__init__(transport=transport, trust_env=False)
        self._guarded = transport

    def build_request(
        self,
        method: str,
        url: httpx.URL | str,
        *,
        timeout: Any = httpx.USE_CLIENT_DEFAULT,
        extensions: Mapping[str, Any] | None = None,
        **parts: Any,
    ) -> httpx.Request:
        if timeout is not httpx.USE_CLIENT_DEFAULT:
            extensions = {**(extensions or {}), "timeout": httpx.Timeout(timeout).as_dict()}
        if isinstance(url, str) and "?" not in url:
            url = _parsed(url)
        return httpx.Request(method, url, extensions=dict(extensions or {}), **parts)

    async def send(self, request: httpx.Request, *, stream: bool = False, **_: Any) -> httpx.Response:
        hooks = self.event_hooks
        for on_request in hooks["request"]:
            await on_request(request)
        response = await self._guarded.handle_async_request(request)
        response.request = request
        for on_response in hooks["response"]:
            await on_response(response)
        if not stream:
            await response.aread()
        return response


@lru_cache(maxsize=1024)
def _parsed(url: str) -> httpx.URL:
    """The same few addresses are called again and again: one for each connection, say."""
    return httpx.URL(url)


class GuardedTransport(AiohttpTransport):
    """Refuses what is not on the list, and makes each call a span."""

    def __init__(self, allowed_hosts: Mapping[str, str], tracer: trace.Tracer) -> None:
        super().__init__()
        self._platforms = {pattern.lower(): platform for pattern, platform in allowed_hosts.items()}
        self._tracer = tracer

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request in a span, or refuse it before a socket is opened.

        The span has the platform and the host, never the address: paths and queries carry ids and tokens.
        """
        platform = self._platforms[refuse_unlisted(request.url, self._platforms)]
        refuse_late_requests()
        name = f"{request.method} {platform}"
        attributes = {"http.request.method": request.method, "server.address": request.url.host}
        with opened_span(self._tracer, name, kind=trace.SpanKind.CLIENT, attributes=attributes) as span:
            response = await super().handle_async_request(request)
            span.set_attribute("http.response.status_code", response.status_code)
            if response.is_error:
                mark_failed(span, str(response.status_code))
            return response


def refuse_unlisted(url: httpx.URL, allowed: Iterable[str]) -> str:
    """The pattern that lists the URL's host; raises `Misconfigured` unless there is one and the URL is https (or http
    to this machine)."""
    host, port = url.host.lower(), url.port or (443 if url.scheme == "https" else 80)
    if url.scheme != "https" and not (url.scheme == "http" and is_loopback(host)):
        raise Misconfigured("scheme_refused", f"{url.scheme} to {host} is refused: only https leaves this machine")
    if url.userinfo:
        raise Misconfigured("host_refused", f"an address with a user name in it is refused (host {host})")
    for pattern in allowed:
        if _matches(pattern, host, port):
            return pattern
    raise Misconfigured("host_refused", f"{host} is not on the list of hosts that may be called")


@lru_cache(maxsize=256)
def is_loopback(host: str) -> bool:
    """True for this machine by name or address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _matches(pattern: str, host: str, port: int) -> bool:
    if pattern.startswith("*."):
        return host.endswith(pattern[1:]) and len(host) > len(pattern) - 1
    return pattern in (host, f"{host}:{port}")
