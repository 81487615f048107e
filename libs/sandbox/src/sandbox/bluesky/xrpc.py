"""XRPC: every method at one address of its own, a query by GET, a procedure by POST (https://atproto.com/specs/xrpc).

All are served by two routes, because registering forty takes longer than most tests.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler

from sandbox.bluesky.answers import AnyRequest, XrpcError

Query = Callable[[AnyRequest], Response[bytes]]
Procedure = Callable[[AnyRequest], Awaitable[Response[bytes]]]
Q = TypeVar("Q", bound=Query)
P = TypeVar("P", bound=Procedure)


class Methods:
    """What the imitated servers answer, by name."""

    def __init__(self) -> None:
        self._queries: dict[str, Query] = {}
        self._procedures: dict[str, Procedure] = {}

    def query(self, name: str) -> Callable[[Q], Q]:
        def add(answer: Q) -> Q:
            self._queries[name] = answer
            return answer

        return add

    def procedure(self, name: str) -> Callable[[P], P]:
        def add(answer: P) -> P:
            self._procedures[name] = answer
            return answer

        return add

    def create_routes(self) -> list[HTTPRouteHandler]:
        @get("/xrpc/{method:str}", sync_to_thread=False)
        def ask(request: AnyRequest) -> Response[bytes]:
            name = str(request.path_params["method"])
            if name not in self._queries:
                raise self._not_so(name)
            return self._queries[name](request)

        @post("/xrpc/{method:str}", status_code=200)
        async def call(request: AnyRequest) -> Response[bytes]:
            name = str(request.path_params["method"])
            if name not in self._procedures:
                raise self._not_so(name)
            return await self._procedures[name](request)

        return [ask, call]

    def _not_so(self, name: str) -> XrpcError:
        if name in self._queries or name in self._procedures:
            return XrpcError(405, "InvalidRequest", "Incorrect HTTP method")
        return XrpcError(404, "XRPCNotSupported", "XRPCNotSupported")
