"""The one HTTP client that every platform is called with: bounded in time, connections and destinations.

A service makes it once at start-up and hands it to the platforms. Some addresses come from outside (a
Bluesky user names their own server, TikTok names the upload host), so the transport itself refuses
every host that is not on the list, whatever code above it built the request. Each call is a span of ours, and
no header tells the platform of it: a third party gets no identifier of ours.
"""

from __future__ import annotations

import ipaddress
import logging
import ssl
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport
from kit.telemetry import mark_failed, opened_span
from opentelemetry import trace
from yarl import URL

from platforms.errors import Misconfigured

CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
POOL_SECONDS = 10.0
CONNECTIONS_MAX = 100
IDLE_CONNECTIONS_MAX = 40
IDLE_SECONDS = 30.0


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
    logging.getLogger("httpx").addFilter(_drop_request_line)
    return httpx.AsyncClient(
        transport=GuardedTransport(allowed_hosts, tracer or trace.NoOpTracer()),
        timeout=httpx.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS, write=READ_SECONDS, pool=POOL_SECONDS),
        follow_redirects=False,
        trust_env=False,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        headers={"User-Agent": "Signoff/1", "Accept-Encoding": "identity"},
    )


class GuardedTransport(AiohttpTransport):
    """aiohttp underneath, with an allow-list in front and honest connection errors behind."""

    def __init__(self, allowed_hosts: Mapping[str, str], tracer: trace.Tracer) -> None:
        self._platforms = {pattern.lower(): platform for pattern, platform in allowed_hosts.items()}
        self._tracer = tracer
        limits = httpx.Limits(
            max_connections=CONNECTIONS_MAX,
            max_keepalive_connections=IDLE_CONNECTIONS_MAX,
            keepalive_expiry=IDLE_SECONDS,
        )
        super().__init__(verify=_trusted(), limits=limits, trust_env=False, client=self._open_session)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request in a span, or refuse it before a socket is opened.

        The span has the platform and the host, never the address: paths and queries carry ids and tokens.
        """
        refuse_unlisted(request.url, self._platforms)
        refuse_late_requests()
        name = f"{request.method} {self._platform_of(request.url)}"
        attributes = {"http.request.method": request.method, "server.address": request.url.host}
        with opened_span(self._tracer, name, kind=trace.SpanKind.CLIENT, attributes=attributes) as span:
            response = await self._send(request)
            span.set_attribute("http.response.status_code", response.status_code)
            if response.is_error:
                mark_failed(span, str(response.status_code))
            return response

    async def _send(self, request: httpx.Request) -> httpx.Response:
        """Send it, and say truly whether it can have arrived.

        The transport's own mapping reports a connection lost *after* sending as a connect time-out.
        Whether a request can have arrived decides if it may be repeated, so the cause is looked at:
        `ConnectError` means it was never sent, `ReadError` that nobody knows.
        """
        _address.set(str(request.url))
        try:
            return await super().handle_async_request(request)
        except httpx.ReadTimeout:
            raise
        except httpx.TransportError as error:
            raise _honest(error.__cause__ or error) from error.__cause__
        except (aiohttp.ClientError, OSError) as error:
            raise _honest(error) from error

    def _platform_of(self, listed: httpx.URL) -> str:
        host, port = _place(listed)
        return next(platform for pattern, platform in self._platforms.items() if _matches(pattern, host, port))

    def _open_session(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            limit=CONNECTIONS_MAX, keepalive_timeout=IDLE_SECONDS, ssl=self.ssl_context, ttl_dns_cache=60
        )
        return aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), middlewares=(_as_written, _never_written_twice)
        )


@cache
def _trusted() -> ssl.SSLContext:
    """Whom we believe who they are. Reading the authorities takes 40 ms, so it is done once a process."""
    return httpx.create_ssl_context(trust_env=False)


def refuse_unlisted(url: httpx.URL, allowed: Iterable[str]) -> None:
    """Raise `Misconfigured` unless the URL is https (or http to this machine) to a listed host."""
    host, port = _place(url)
    if url.scheme != "https" and not (url.scheme == "http" and is_loopback(host)):
        raise Misconfigured("scheme_refused", f"{url.scheme} to {host} is refused: only https leaves this machine")
    if url.userinfo:
        raise Misconfigured("host_refused", f"an address with a user name in it is refused (host {host})")
    if not any(_matches(pattern, host, port) for pattern in allowed):
        raise Misconfigured("host_refused", f"{host} is not on the list of hosts that may be called")


def is_loopback(host: str) -> bool:
    """True for this machine by name or address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


_address: ContextVar[str] = ContextVar("address")


async def _as_written(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Send the address as its client wrote it. aiohttp decodes what need not be encoded, but some platforms need it so,
    and a signed address is no longer the same."""
    request.url = URL(_address.get(), encoded=True)
    return await handler(request)


class _Lost(aiohttp.ClientError):
    """A connection that ended under a request which may have had its effect."""


async def _never_written_twice(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Keep aiohttp from repeating PUT and DELETE by itself when a connection is lost; a question it may ask again."""
    try:
        return await handler(request)
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        if request.method in ("GET", "HEAD"):
            raise
        raise _Lost(type(error).__name__) from error


def _drop_request_line(record: logging.LogRecord) -> bool:
    """httpx logs every address it calls, query included, and an upload address is a credential."""
    return record.levelno > logging.INFO


def _place(url: httpx.URL) -> tuple[str, int]:
    return url.host.lower(), url.port or (443 if url.scheme == "https" else 80)


def _matches(pattern: str, host: str, port: int) -> bool:
    if pattern.startswith("*."):
        return host.endswith(pattern[1:]) and len(host) > len(pattern) - 1
    return pattern in (host, f"{host}:{port}")


def _honest(cause: BaseException) -> httpx.TransportError:
    never_sent = isinstance(cause, (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, httpx.PoolTimeout))
    kind = type(cause).__name__
    return httpx.ConnectError(kind) if never_sent else httpx.ReadError(kind)
