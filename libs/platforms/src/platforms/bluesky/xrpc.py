"""XRPC calls: signed ones to the account's own server, open ones to the AppView, lent ones to the video service."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
from kit.secret import Secret

from platforms.bluesky.dpop import Signer
from platforms.bluesky.errors import xrpc_error
from platforms.bluesky.servers import Servers
from platforms.errors import ReauthorisationNeeded
from platforms.shape import Call, Media
from platforms.wire import UPLOAD_SECONDS, Answer, send

T = TypeVar("T")
Query = Mapping[str, str] | Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Repository:
    """The account's own server, for one call."""

    call: Call
    servers: Servers

    @property
    def did(self) -> str:
        """The server's own identifier, which tokens for other services name."""
        return did_of(self._base())

    async def post(self, method: str, body: Mapping[str, Any], *, visible: bool = False) -> Answer:
        url = self._url(method)
        return await self._signer().send(
            lambda: self.call.http.build_request("POST", url, json=dict(body)), visible=visible
        )

    async def ask(self, method: str, query: Query, kind: type[T]) -> T:
        """A question that only the account may ask."""
        url = self._url(method)
        answer = await self._signer().send(
            lambda: self.call.http.build_request("GET", url, params=_pairs(query)),
        )
        return _understood(answer, kind, self.call)

    async def read(self, method: str, query: Query) -> Answer:
        """Public records need no token, so looking works even when the grant has died meanwhile."""
        http = self.call.http
        return await send(http, http.build_request("GET", self._url(method), params=_pairs(query)))

    async def upload(self, media: Media) -> Answer:
        """Stream one file. Its name at the server is its content's hash, so repeating is harmless."""
        source, size, url = media.source, media.size_bytes, self._url("com.atproto.repo.uploadBlob")
        assert source is not None

        def build() -> httpx.Request:
            headers = {"Content-Type": media.content_type, "Content-Length": str(size)}
            return self.call.http.build_request(
                "POST", url, content=source.read(0, size), headers=headers, timeout=UPLOAD_SECONDS
            )

        return await self._signer().send(build, deadline_seconds=UPLOAD_SECONDS)

    def seconds_there(self) -> int:
        """The time at the server (Unix seconds), for what it compares with its own clock."""
        return int(self.servers.time(httpx.URL(self._base()), self.call.clock.now()).timestamp())

    def _url(self, method: str) -> str:
        return f"{self._base()}/xrpc/{method}"

    def _base(self) -> str:
        pds = self.call.grant.extra.get("pds")
        if pds is None:
            raise ReauthorisationNeeded("grant_incomplete", "the grant does not name the account's server")
        return pds.reveal()

    def _signer(self) -> Signer:
        grant = self.call.grant
        return Signer(self.call.http, self.call.clock, self.servers, grant.extra["dpop_key"], grant.access_token)


@dataclass(frozen=True)
class Lent:
    """A service that acts for the account with a token lent by the account's server."""

    call: Call
    base: str
    token: Secret

    async def get(self, method: str, query: Query, kind: type[T]) -> T:
        return await self._send(self._request("GET", method, query), kind)

    async def post(self, method: str, body: Mapping[str, Any], kind: type[T]) -> T:
        return await self._send(self._request("POST", method, (), json=dict(body)), kind)

    async def put(self, method: str, query: Query, content: AsyncIterator[bytes], size_bytes: int) -> None:
        """Send bytes of a file."""
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size_bytes)}
        request = self._request("POST", method, query, content=content, headers=headers, timeout=UPLOAD_SECONDS)
        await self._send(request, dict, UPLOAD_SECONDS)

    def _request(self, verb: str, method: str, query: Query, **content: Any) -> httpx.Request:
        request = self.call.http.build_request(verb, f"{self.base}/xrpc/{method}", params=_pairs(query), **content)
        request.headers["Authorization"] = f"Bearer {self.token.reveal()}"
        return request

    async def _send(self, request: httpx.Request, kind: type[T], deadline_seconds: float = UPLOAD_SECONDS) -> T:
        answer = await send(self.call.http, request, deadline_seconds=deadline_seconds)
        return _understood(answer, kind, self.call)


async def ask_openly(call: Call, base: str, method: str, query: Query, kind: type[T]) -> T:
    """A question that everybody may ask, such as one to the AppView, which sees every public post."""
    answer = await send(call.http, call.http.build_request("GET", f"{base}/xrpc/{method}", params=_pairs(query)))
    return _understood(answer, kind, call)


def did_of(base: str) -> str:
    """The identifier of a service at an address (did:web); a port's colon is written out."""
    return "did:web:" + urlsplit(base).netloc.replace(":", "%3A")


def _understood(answer: Answer, kind: type[T], call: Call) -> T:
    if answer.status != 200:
        raise xrpc_error(answer, now=call.clock.now())
    return answer.parse(kind)


def _pairs(query: Query) -> list[tuple[str, str | int | float | bool | None]]:
    return [(name, value) for name, value in (query.items() if isinstance(query, Mapping) else query)]
