"""A Graph: nodes and their edges under a version, every call with a token, every answer with its usage.

A product adds its edges (`graph.on("POST", "{node}/feed", …)`) and takes the handlers for its application.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from kit.clock import Clock
from litestar import Response, delete, get, post
from litestar.datastructures import UploadFile
from litestar.handlers import HTTPRouteHandler

from sandbox.meta.answers import AnyRequest, GraphError, answer, lacking
from sandbox.meta.tokens import Token, TokenKind, Tokens
from sandbox.meta.usage import Usage
from sandbox.meta.versions import Versions
from sandbox.tuning import Tuning

ASKED_KEPT = 500


@dataclass(frozen=True)
class Ask:
    """One call, as an edge sees it. Parameters come from query and body alike; what was JSON stays text."""

    request: AnyRequest
    version: str
    node: str
    parameters: Mapping[str, str]
    files: Mapping[str, UploadFile] = field(default_factory=dict)
    caller: Token | None = None

    @property
    def token(self) -> Token:
        """The token it came with; edges that are open to all have none."""
        assert self.caller is not None
        return self.caller

    def need(self, scope: str) -> None:
        """Refuse a token without the permission."""
        if scope not in self.token.scopes:
            raise lacking(scope)

    def flag(self, name: str, *, otherwise: bool) -> bool:
        """A boolean parameter, which comes in many spellings."""
        value = self.parameters.get(name)
        return otherwise if value is None else value.lower() not in ("false", "0", "")

    def json(self, name: str) -> Any:
        """A parameter that holds JSON; None if it is missing or holds something else."""
        try:
            return msgspec.json.decode(self.parameters.get(name, ""))
        except msgspec.DecodeError:
            return None


Edge = Callable[[Ask], Awaitable[Any]]
"""Answers a call: a document, or a whole response. Raises `GraphError`."""


class Graph:
    """The edges of one product behind its tokens, limits and versions."""

    def __init__(
        self,
        *,
        clock: Clock,
        tuning: Tuning,
        tokens: Tokens,
        usage: Usage,
        versions: Versions,
        limited_by_account: TokenKind = TokenKind.PAGE,
    ) -> None:
        """`limited_by_account`: the kind of token whose calls count for its account; others' do for the application."""
        self._clock = clock
        self._tuning = tuning
        self._tokens = tokens
        self._usage = usage
        self._versions = versions
        self._limited_by_account = limited_by_account
        self._edges: dict[tuple[str, str], tuple[Edge, bool]] = {}
        self.asked: deque[tuple[str, str, frozenset[str]]] = deque(maxlen=ASKED_KEPT)
        """Method, edge and names of the parameters of the latest calls, to be held against a specification."""

    def on(self, method: str, pattern: str, edge: Edge, *, open_to_all: bool = False) -> None:
        """Add an edge at "name", "{node}" or "{node}/name"; `open_to_all`: it looks at credentials itself."""
        self._edges[method, pattern] = (edge, open_to_all)

    def create_handlers(self) -> list[HTTPRouteHandler]:
        """Routes that take every path that nothing else takes."""

        @get("/{path:path}")
        async def read(request: AnyRequest) -> Response[bytes]:
            return await self._serve(request)

        @post("/{path:path}", status_code=200)
        async def write(request: AnyRequest) -> Response[bytes]:
            return await self._serve(request)

        @delete("/{path:path}", status_code=200)
        async def remove(request: AnyRequest) -> Response[bytes]:
            return await self._serve(request)

        return [read, write, remove]

    async def _serve(self, request: AnyRequest) -> Response[bytes]:
        headers: dict[str, str] = {}
        try:
            version, path = self._versions.split(request.url.path, self._clock.now().date())
            headers["facebook-api-version"] = version
            document = await self._dispatch(request, version, path, headers)
        except GraphError as error:
            document = answer({"error": error.error}, error.status)
        response = document if isinstance(document, Response) else answer(document)
        response.headers.update(headers)
        return response

    async def _dispatch(self, request: AnyRequest, version: str, path: str, headers: dict[str, str]) -> Any:
        edge, open_to_all, node = self._find(request.method, path)
        parameters, files = await read_parameters(request)
        self.asked.append((request.method, path.rpartition("/")[2], frozenset(parameters) | frozenset(files)))
        caller = None
        if not open_to_all:
            caller = self._tokens.authenticate(request, parameters)
            self._count(caller, headers)
            node = caller.account_id if node == "me" else node
        return await edge(Ask(request, version, node, parameters, files, caller))

    def _find(self, method: str, path: str) -> tuple[Edge, bool, str]:
        node, _, rest = path.partition("/")
        for pattern in (path, f"{{node}}/{rest}" if rest else "{node}"):
            found = self._edges.get((method, pattern))
            if found is not None:
                return (*found, node)
        raise GraphError(2500, f"Unknown path components: /{rest or node}")

    def _count(self, caller: Token, headers: dict[str, str]) -> None:
        account_id = caller.account_id if caller.kind is self._limited_by_account else None
        now = self._clock.now()
        try:
            if self._tuning.rate_limits:
                self._usage.count(caller.client_id, account_id, now=now)
        finally:
            headers.update(self._usage.headers(caller.client_id, account_id, now=now))


async def read_parameters(request: AnyRequest) -> tuple[dict[str, str], dict[str, UploadFile]]:
    """Query and body as one; a body of another kind (raw bytes) is left unread."""
    parameters = {str(name): str(value) for name, value in request.query_params.items()}
    files: dict[str, UploadFile] = {}
    content_type = request.headers.get("content-type", "").partition(";")[0].strip()
    if content_type in ("application/x-www-form-urlencoded", "multipart/form-data"):
        for name, value in (await request.form()).items():
            if isinstance(value, UploadFile):
                files[name] = value
            else:
                parameters[name] = str(value)
    elif content_type == "application/json":
        parameters |= _from_json(await request.body())
    return parameters, files


def _from_json(body: bytes) -> dict[str, str]:
    try:
        value = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return {}
    if not isinstance(value, dict):
        return {}
    return {name: item if isinstance(item, str) else msgspec.json.encode(item).decode() for name, item in value.items()}
