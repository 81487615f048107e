"""Calls to X's API v2: bearer token out, `data` in, errors by the table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

from platforms.errors import OutcomeUnknown, Transient
from platforms.shape import Call
from platforms.wire import Answer, converted, send
from platforms.x.endpoints import XEndpoints
from platforms.x.errors import api_error

T = TypeVar("T")


@dataclass(frozen=True)
class XApi:
    """API v2 as one call's account."""

    endpoints: XEndpoints

    async def get(self, call: Call, path: str, kind: type[T], *, query: Mapping[str, Any]) -> T:
        """The answer's `data` as a typed value."""
        answer = await self._send(call, self._request(call, "GET", path, params=query))
        return converted(answer.json().get("data"), kind)

    async def get_whole(self, call: Call, path: str, kind: type[T], *, query: Mapping[str, Any]) -> T:
        """The whole answer; a listing tells beside its data what is missing."""
        answer = await self._send(call, self._request(call, "GET", path, params=query))
        return answer.parse(kind)

    async def post(self, call: Call, path: str, body: Mapping[str, Any], kind: type[T], *, visible: bool = False) -> T:
        answer = await self._send(call, self._request(call, "POST", path, json=dict(body)), visible=visible)
        try:
            return converted(answer.json().get("data"), kind)
        except Transient as error:
            if visible:
                raise OutcomeUnknown(error.code, error.detail) from None
            raise

    async def delete(self, call: Call, path: str, kind: type[T]) -> T:
        answer = await self._send(call, self._request(call, "DELETE", path))
        return converted(answer.json().get("data"), kind)

    async def post_form(self, call: Call, path: str, form: Mapping[str, Any], files: Mapping[str, Any]) -> None:
        """A multipart request whose answer's body does not matter."""
        await self._send(call, self._request(call, "POST", path, data=form, files=files))

    def _request(self, call: Call, method: str, path: str, **content: Any) -> httpx.Request:
        headers = {"Authorization": f"Bearer {call.grant.access_token.reveal()}"}
        return call.http.build_request(method, f"{self.endpoints.api}/2/{path}", headers=headers, **content)

    @staticmethod
    async def _send(call: Call, request: httpx.Request, *, visible: bool = False) -> Answer:
        answer = await send(call.http, request, visible=visible)
        if not 200 <= answer.status < 300:
            raise api_error(answer, now=call.clock.now(), visible=visible)
        return answer
