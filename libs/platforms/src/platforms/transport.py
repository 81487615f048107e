"""HTTP requests of httpx, sent by aiohttp as they were written, with an honest word about what failed.

httpx's own pool takes six times the processor time with 50 calls under way; aiohttp's is used directly, and nothing is
done to a request on the way that a platform call does not need.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Mapping
from functools import cache

import aiohttp
import httpx
from multidict import CIMultiDict
from yarl import URL

CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
POOL_SECONDS = 10.0
CONNECTIONS_MAX = 600
"""Of a process, within the 1,024 files that most systems let one open."""

CONNECTIONS_TO_ONE_MAX = 100
"""To one host: a platform that hangs leaves the others theirs."""

IDLE_SECONDS = 30.0

TIMEOUT: Mapping[str, float | None] = httpx.Timeout(
    connect=CONNECT_SECONDS, read=READ_SECONDS, write=READ_SECONDS, pool=POOL_SECONDS
).as_dict()
"""Seconds for each part of a request that names none of its own."""

_STANDING = {"User-Agent": "Signoff/1", "Accept": "*/*", "Accept-Encoding": "identity"}


class AiohttpTransport(httpx.AsyncBaseTransport):
    """Sends requests. Redirects are answers, cookies are not kept, nothing is repeated but what only asks."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send it, and say truly whether it can have arrived.

        Whether a request can have arrived decides if it may be repeated: `ConnectError` means it was never sent,
        `ReadError` and `ReadTimeout` that nobody knows.
        """
        session = self._session or self._open()
        timeout = request.extensions.get("timeout", TIMEOUT)
        body = _body(request)
        try:
            answer = await session.request(
                request.method,
                # aiohttp decodes what need not be encoded, but some platforms need it so, and a signed address is no
                # longer the same.
                URL(str(request.url), encoded=True),
                headers=CIMultiDict([(name.decode(), value.decode()) for name, value in request.headers.raw]),
                data=body,
                allow_redirects=False,
                timeout=_timeout(timeout["connect"], timeout["read"], timeout["pool"]),
                middlewares=_WRITING if request.method in _REPEATED else (),
            )
        except (aiohttp.ClientError, OSError) as error:
            raise _honest(error) from error
        return httpx.Response(answer.status, headers=answer.raw_headers, stream=_Body(answer))

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=CONNECTIONS_MAX,
                limit_per_host=CONNECTIONS_TO_ONE_MAX,
                keepalive_timeout=IDLE_SECONDS,
                ssl=_trusted(),
                ttl_dns_cache=60,
            ),
            headers=_STANDING,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        )
        return self._session


class _Body(httpx.AsyncByteStream):
    """An answer's body as it comes."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for part in self._answer.content.iter_any():
                yield part
        except (aiohttp.ClientError, OSError) as error:
            raise _honest(error) from error

    async def aclose(self) -> None:
        self._answer.release()
        await self._answer.wait_for_close()


def _body(request: httpx.Request) -> bytes | httpx.AsyncByteStream | None:
    try:
        return request.content or None
    except httpx.RequestNotRead:
        request.headers.pop("transfer-encoding", None)  # aiohttp says it itself
        assert isinstance(request.stream, httpx.AsyncByteStream)
        return request.stream


@cache
def _timeout(connect: float | None, read: float | None, pool: float | None) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(sock_connect=connect, sock_read=read, connect=pool)


@cache
def _trusted() -> ssl.SSLContext:
    """Whom we believe who they are. Reading the authorities takes 40 ms, so it is done once a process."""
    return httpx.create_ssl_context(trust_env=False)


class _Lost(aiohttp.ClientError):
    """A connection that ended under a request which may have had its effect."""


async def _never_written_twice(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Keep aiohttp from repeating a change by itself when its connection is lost."""
    try:
        return await handler(request)
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _Lost(type(error).__name__) from error


_REPEATED = ("PUT", "DELETE")
"""Changes that aiohttp sends a second time, because HTTP calls them idempotent. A question it may ask again."""

_WRITING = (_never_written_twice,)


def _honest(cause: Exception) -> httpx.TransportError:
    kind = type(cause).__name__
    if isinstance(cause, (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)):
        return httpx.ConnectError(kind)
    return httpx.ReadTimeout(kind) if isinstance(cause, aiohttp.SocketTimeoutError) else httpx.ReadError(kind)
