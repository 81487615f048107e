"""XRPC calls: signed ones to the account's own server, open ones to the AppView."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

from platforms.bluesky.dpop import NonceBook, Signer
from platforms.bluesky.errors import xrpc_error
from platforms.errors import ReauthorisationNeeded
from platforms.shape import Call, Media
from platforms.wire import UPLOAD_SECONDS, Answer, send

T = TypeVar("T")
Query = Mapping[str, str] | Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Repository:
    """The account's own server, for one call."""

    call: Call
    nonces: NonceBook

    async def post(self, method: str, body: Mapping[str, Any], *, visible: bool = False) -> Answer:
        url = self._url(method)
        return await self._signer().send(
            lambda: self.call.http.build_request("POST", url, json=dict(body)), visible=visible
        )

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

    def _url(self, method: str) -> str:
        pds = self.call.grant.extra.get("pds")
        if pds is None:
            raise ReauthorisationNeeded("grant_incomplete", "the grant does not name the account's server")
        return f"{pds.reveal()}/xrpc/{method}"

    def _signer(self) -> Signer:
        grant = self.call.grant
        return Signer(self.call.http, self.call.clock, self.nonces, grant.extra["dpop_key"], grant.access_token)


async def ask_appview(call: Call, appview: str, method: str, query: Query, kind: type[T]) -> T:
    """One open query to the AppView, which sees every public post."""
    answer = await send(call.http, call.http.build_request("GET", f"{appview}/xrpc/{method}", params=_pairs(query)))
    if answer.status != 200:
        raise xrpc_error(answer, now=call.clock.now())
    return answer.parse(kind)


def _pairs(query: Query) -> list[tuple[str, str | int | float | bool | None]]:
    return [(name, value) for name, value in (query.items() if isinstance(query, Mapping) else query)]
