"""Calls of Pinterest's API v5 with an account's token."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any, TypeVar

import httpx

from platforms.pinterest.endpoints import PinterestEndpoints
from platforms.pinterest.errors import api_error
from platforms.shape import Call
from platforms.wire import UPLOAD_SECONDS, send

T = TypeVar("T")


class PinterestApi:
    """Reads and writes; whatever is no success is one of the six errors."""

    def __init__(self, endpoints: PinterestEndpoints) -> None:
        self._base = endpoints.api

    async def get(self, call: Call, path: str, kind: type[T], *, query: Mapping[str, Any] | None = None) -> T:
        request = call.http.build_request("GET", f"{self._base}{path}", params=query, headers=_headers(call))
        return await self._sent(call, request, kind, success=200)

    async def post(self, call: Call, path: str, body: Mapping[str, Any], kind: type[T]) -> T:
        request = call.http.build_request("POST", f"{self._base}{path}", json=body, headers=_headers(call))
        return await self._sent(call, request, kind, success=201)

    async def post_visible(self, call: Call, path: str, body: AsyncIterator[bytes], length: int, kind: type[T]) -> T:
        """Post JSON that is made while it is sent. No answer, or a broken one, leaves the outcome unknown."""
        headers = _headers(call) | {"Content-Type": "application/json", "Content-Length": str(length)}
        request = call.http.build_request(
            "POST", f"{self._base}{path}", content=body, headers=headers, timeout=UPLOAD_SECONDS
        )
        return await self._sent(call, request, kind, success=201, visible=True)

    async def delete(self, call: Call, path: str) -> None:
        request = call.http.build_request("DELETE", f"{self._base}{path}", headers=_headers(call))
        await self._sent(call, request, dict, success=204)

    async def _sent(
        self, call: Call, request: httpx.Request, kind: type[T], *, success: int, visible: bool = False
    ) -> T:
        seconds = UPLOAD_SECONDS if visible else 60.0
        answer = await send(call.http, request, visible=visible, deadline_seconds=seconds)
        if answer.status != success:
            raise api_error(answer, now=call.clock.now(), visible=visible)
        return answer.parse(kind)


def _headers(call: Call) -> dict[str, str]:
    return {"Authorization": f"Bearer {call.grant.access_token.reveal()}"}
