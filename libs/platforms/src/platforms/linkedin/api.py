"""Calls of LinkedIn's versioned API with an account's token."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import quote

import httpx

from platforms.errors import OutcomeUnknown
from platforms.linkedin.endpoints import LinkedInEndpoints
from platforms.linkedin.errors import api_error
from platforms.linkedin.limits import VERSION
from platforms.shape import Call
from platforms.wire import Answer, send

T = TypeVar("T")


class LinkedInApi:
    """Reads and writes; whatever is no success is one of the six errors.

    Paths and queries are written as Rest.li wants them: names are encoded (`encoded`), brackets and commas stay raw.
    """

    def __init__(self, endpoints: LinkedInEndpoints) -> None:
        self._base = endpoints.api

    async def get(self, call: Call, path: str, kind: type[T], *, method: str = "GET") -> T:
        request = call.http.build_request("GET", f"{self._base}/rest/{path}", headers=_headers(call, method))
        return (await _sent(call, request)).parse(kind)

    async def delete(self, call: Call, path: str) -> None:
        request = call.http.build_request("DELETE", f"{self._base}/rest/{path}", headers=_headers(call, "DELETE"))
        await _sent(call, request)

    async def get_unversioned(self, call: Call, path: str, kind: type[T]) -> T:
        request = call.http.build_request("GET", f"{self._base}/v2/{path}", headers=_bearer(call))
        return (await _sent(call, request)).parse(kind)

    async def act(self, call: Call, path: str, body: Mapping[str, Any]) -> Answer:
        """An action, such as the beginning and the end of an upload."""
        request = call.http.build_request(
            "POST", f"{self._base}/rest/{path}", json=body, headers=_headers(call, "ACTION")
        )
        return await _sent(call, request)

    async def create(self, call: Call, path: str, body: Mapping[str, Any]) -> str:
        """Make something visible; returns its id. No answer, or one without the id, leaves the outcome unknown."""
        request = call.http.build_request(
            "POST", f"{self._base}/rest/{path}", json=body, headers=_headers(call, "CREATE")
        )
        made: str = (await _sent(call, request, visible=True)).headers.get("x-restli-id", "")
        if not made:
            raise OutcomeUnknown("id_missing", "LinkedIn accepted it but did not say what it is called")
        return made


def encoded(name: str) -> str:
    """A name (a URN, say) as part of a path or query."""
    return quote(name, safe="")


def listed(*names: str) -> str:
    return f"List({','.join(encoded(name) for name in names)})"


async def _sent(call: Call, request: httpx.Request, *, visible: bool = False) -> Answer:
    answer = await send(call.http, request, visible=visible)
    if answer.status not in (200, 201, 204):
        raise api_error(answer, now=call.clock.now(), visible=visible)
    return answer


def _bearer(call: Call) -> dict[str, str]:
    return {"Authorization": f"Bearer {call.grant.access_token.reveal()}"}


def _headers(call: Call, method: str) -> dict[str, str]:
    rest = {"LinkedIn-Version": VERSION, "X-Restli-Protocol-Version": "2.0.0", "X-RestLi-Method": method}
    return _bearer(call) | rest
