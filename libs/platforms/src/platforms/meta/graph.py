"""Calls to a Graph API: token in a header, proof beside it, JSON back, errors by the product's table."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx
import msgspec
from kit.secret import Secret

from platforms.errors import OutcomeUnknown, Transient
from platforms.meta.errors import ERRORS, Table, graph_error
from platforms.meta.versions import GRAPH_VERSION
from platforms.shape import Call, Grant
from platforms.wire import DEADLINE_SECONDS, Answer, converted, send

PROOF = "appsecret_proof"
"""Where a grant's `extra` keeps the proof of its access token."""

T = TypeVar("T")


class ListTooLong(Exception):
    """A list goes on behind what is read of it: what was not found there proves nothing."""


@dataclass(frozen=True)
class Key:
    """A token, and the proof that goes with it (`platforms.meta.signing.appsecret_proof`)."""

    token: Secret
    proof: Secret | None = None

    @classmethod
    def of(cls, grant: Grant) -> Key:
        return cls(grant.access_token, grant.extra.get(PROOF))


class Done(msgspec.Struct, frozen=True):
    """The whole answer of many calls. One without it says nothing, so it is no success."""

    success: bool


class _Cursors(msgspec.Struct, frozen=True):
    after: str | None = None


class _Paging(msgspec.Struct, frozen=True):
    cursors: _Cursors = _Cursors()
    next: str | None = None


class _Page(msgspec.Struct, frozen=True):
    data: list[Any] = []
    paging: _Paging = _Paging()


@dataclass(frozen=True)
class Graph:
    """One host's Graph API. `base` has no trailing slash; `table` is the product's errors."""

    base: str
    version: str = GRAPH_VERSION
    table: Table = field(default_factory=lambda: ERRORS)

    async def get(self, call: Call, path: str, kind: type[T], *, key: Key | None = None, **parameters: Any) -> T:
        answer = await self.send(call, self.request(call, "GET", path, parameters, key=key))
        return converted(answer.json(), kind)

    async def post(
        self, call: Call, path: str, kind: type[T], *, key: Key | None = None, visible: bool = False, **form: Any
    ) -> T:
        """POST a form. `visible` marks the call that makes a post public, as in `platforms.wire.send`."""
        answer = await self.send(call, self.request(call, "POST", path, form, key=key), visible=visible)
        return read(answer, kind, visible=visible)

    async def delete(self, call: Call, path: str, *, key: Key | None = None) -> None:
        await self.send(call, self.request(call, "DELETE", path, {}, key=key))

    async def every(
        self,
        call: Call,
        path: str,
        kind: type[T],
        *,
        pages_max: int,
        whole: bool = False,
        key: Key | None = None,
        **parameters: Any,
    ) -> AsyncIterator[T]:
        """The items of a list over at most `pages_max` pages. `whole`: raises `ListTooLong` where it goes on behind.

        The last page is the one without `next`, however short others are. That address is not called itself:
        Meta writes the token into it.
        """
        for _ in range(pages_max):
            page = await self.get(call, path, _Page, key=key, **parameters)
            for item in page.data:
                yield converted(item, kind)
            if page.paging.next is None or page.paging.cursors.after is None:
                return
            parameters["after"] = page.paging.cursors.after
        if whole:
            raise ListTooLong

    def request(
        self, call: Call, method: str, path: str, parameters: Mapping[str, Any], *, key: Key | None = None
    ) -> httpx.Request:
        """A request under the version. Parameters that are None are left out, lists and objects are sent as JSON."""
        key = key or Key.of(call.grant)
        fields = form_of(parameters)
        if key.proof is not None:
            fields[PROOF] = key.proof.reveal()
        return call.http.build_request(
            method,
            f"{self.base}/{self.version}/{path}",
            params=None if method == "POST" else fields,
            data=fields if method == "POST" else None,
            headers={"Authorization": f"Bearer {key.token.reveal()}"},
        )

    async def send(
        self,
        call: Call,
        request: httpx.Request,
        *,
        visible: bool = False,
        deadline_seconds: float = DEADLINE_SECONDS,
    ) -> Answer:
        """Send a request, made by `request` or otherwise; anything but a success is raised."""
        answer = await send(call.http, request, visible=visible, deadline_seconds=deadline_seconds)
        if not succeeded(answer):
            raise graph_error(answer, self.table, now=call.clock.now(), visible=visible)
        return answer


def succeeded(answer: Answer) -> bool:
    """True for a 2xx without an error in it; a bare `true` is a success too."""
    document = answer.json()
    return 200 <= answer.status < 300 and "error" not in document and document.get("success", True) is not False


def read(answer: Answer, kind: type[T], *, visible: bool) -> T:
    """A success as a typed value. One that makes no sense leaves open what a visible call did."""
    try:
        return converted(answer.json(), kind)
    except Transient as error:
        if visible:
            raise OutcomeUnknown(error.code, error.detail) from None
        raise


def form_of(parameters: Mapping[str, Any]) -> dict[str, str]:
    """Parameters as Meta takes them in forms and queries."""
    return {name: _text(value) for name, value in parameters.items() if value is not None}


def _text(value: Any) -> str:
    match value:
        case Secret():
            return value.reveal()
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case int() | float():
            return str(value)
        case _:
            return msgspec.json.encode(value).decode()
