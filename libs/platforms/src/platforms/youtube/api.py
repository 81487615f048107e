"""Calls to the Data API: bearer token out, JSON in, errors by the table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

from platforms.errors import OutcomeUnknown, Transient
from platforms.shape import Call
from platforms.wire import Answer, send
from platforms.youtube.endpoints import YouTubeEndpoints
from platforms.youtube.errors import api_error

T = TypeVar("T")


@dataclass(frozen=True)
class YouTubeApi:
    """The Data API v3 for one call's account."""

    endpoints: YouTubeEndpoints

    async def get(self, call: Call, path: str, query: Mapping[str, str], kind: type[T]) -> T:
        """Read a resource under `/youtube/v3/`. Costs one unit."""
        return checked(call, await send(call.http, self._request(call, "GET", path, query))).parse(kind)

    async def write(
        self,
        call: Call,
        method: str,
        path: str,
        part: str,
        body: Mapping[str, Any],
        kind: type[T],
        *,
        visible: bool = False,
    ) -> T:
        """Create or replace a resource. Costs 50 units. `visible` as in `platforms.wire.send`."""
        request = self._request(call, method, path, {"part": part}, body)
        answer = checked(call, await send(call.http, request, visible=visible), visible=visible)
        try:
            return answer.parse(kind)
        except Transient as error:
            # It was done, whatever the answer looks like; only a look tells what it came to.
            raise (OutcomeUnknown if visible else Transient)(error.code, error.detail) from None

    async def delete(self, call: Call, path: str, query: Mapping[str, str]) -> None:
        """Delete a resource. Costs 50 units."""
        checked(call, await send(call.http, self._request(call, "DELETE", path, query)))

    def _request(
        self, call: Call, method: str, path: str, query: Mapping[str, str], body: Mapping[str, Any] | None = None
    ) -> httpx.Request:
        url = f"{self.endpoints.api}/youtube/v3/{path}"
        return call.http.build_request(method, url, params=dict(query), json=body, headers=bearer(call))


def bearer(call: Call) -> dict[str, str]:
    return {"Authorization": f"Bearer {call.grant.access_token.reveal()}"}


def checked(call: Call, answer: Answer, *, visible: bool = False) -> Answer:
    """The answer if it is a success; raises what the table says otherwise."""
    if answer.status not in (200, 204):
        raise api_error(answer, now=call.clock.now(), visible=visible)
    return answer
