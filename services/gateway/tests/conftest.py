"""The edge with small neighbours that remember what reached them."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from contracts.api_keys import compose
from gateway.main import create_app
from kit.calls import InProcess, Transports
from kit.clock import MovableClock
from kit.ids import new_id
from kit.keys import SigningKey, TrustedKeys
from kit.passport import Passports
from kit.problems import EXCEPTION_HANDLERS, Conflict, Forbidden, KeyRefused, NotFound, Unauthenticated
from kit.testing.services import Running, ServiceEnvironment
from litestar import Litestar, MediaType, Request, Response, get, head, post, route
from litestar.params import JSONBody
from litestar.response import Stream
from litestar.types import ControllerRouterHandler

TOKEN = "session-token-of-a-test"
KEY = compose("aKey4Tst", "k" * 43)
STRANGE_SITE = "https://elsewhere.example"


PIECE = bytes(1024 * 1024)
FILE_PIECES = 50


@dataclass
class Pieces:
    """A file of 50 MiB that is made while it is read: how much of it is made already."""

    made: int = 0
    fails_after: int = FILE_PIECES

    async def stream(self) -> AsyncIterator[bytes]:
        for _ in range(FILE_PIECES):
            if self.made == self.fails_after:
                raise RuntimeError("the store is gone")
            self.made += 1
            yield PIECE


@dataclass
class Neighbours:
    """Auth that knows one session, content that digests uploads, and what they were sent."""

    passports: Passports
    clock: MovableClock
    account_id: UUID = field(default_factory=new_id)
    workspace_id: UUID = field(default_factory=new_id)
    requests: list[tuple[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    passports_asked: int = 0
    file: Pieces = field(default_factory=lambda: Pieces())

    def transports(self) -> Transports:
        apps = {"auth": self._auth(), "content": self._content()}
        down = {name: httpx.MockTransport(_refuse) for name in ("scheduler", "publisher", "metrics", "retention")}
        return {name: InProcess(apps, name) for name in apps} | down

    def _auth(self) -> Litestar:
        @post("/internal/passports", status_code=200)
        async def passports(request: Request[Any, Any, Any], data: JSONBody[dict[str, str]]) -> dict[str, str]:
            caller = self.passports.verify(request.headers["authorization"].removeprefix("Bearer "))
            assert caller.service == "gateway"
            self.passports_asked += 1
            return {"passport": f"{self._whose(data)}-for-{data.get('workspace_id')}"}

        @post("/api/session")
        async def sign_in(data: JSONBody[dict[str, str]]) -> dict[str, str]:
            if data["password"] != "right":
                raise Unauthenticated("The password is wrong.")
            expires_at = self.clock.now().replace(microsecond=0)
            return {
                "account_id": str(self.account_id),
                "session_token": TOKEN,
                "expires_at": expires_at.replace(year=expires_at.year + 1).isoformat(),
            }

        @route("/api/session", http_method="DELETE", status_code=204)
        async def sign_out() -> None:
            return None

        @post("/api/accounts")
        async def sign_up(request: Request[Any, Any, Any], data: JSONBody[dict[str, Any]]) -> dict[str, Any]:
            self._remember(request, data)
            return {"account_id": str(self.account_id)}

        @get("/api/account")
        async def account(request: Request[Any, Any, Any]) -> dict[str, str]:
            self._remember(request, None)
            return {"account_id": str(self.account_id)}

        @route("/api/account", http_method="DELETE", status_code=409)
        async def leave(data: JSONBody[dict[str, str]]) -> None:
            raise Conflict("Still owner.", workspaces=1)

        @post("/webhooks/{platform:str}", status_code=200)
        async def hear(request: Request[Any, Any, Any]) -> Response[bytes]:
            self._remember(request, await request.body())
            return Response(b"", media_type=MediaType.TEXT)

        @get("/deletions/{code:str}", sync_to_thread=False)
        def page() -> Response[str]:
            return Response("<h1>", headers={"Content-Security-Policy": "default-src 'none'; style-src 'sha256-x'"})

        return Litestar(
            [passports, sign_in, sign_out, sign_up, account, leave, hear, page, *self._provider_routes()],
            exception_handlers=EXCEPTION_HANDLERS,
            openapi_config=None,
        )

    def _whose(self, data: dict[str, str]) -> str:
        if data.get("api_key", KEY) != KEY:
            raise KeyRefused()
        if data.get("session_token", TOKEN) != TOKEN:
            raise Unauthenticated()
        if data.get("workspace_id") not in (None, str(self.workspace_id)):
            raise Forbidden("workspace.member")
        return "key" if "api_key" in data else "passport"

    def _provider_routes(self) -> list[ControllerRouterHandler]:
        @post("/api/openid/sign-ins")
        async def set_out(request: Request[Any, Any, Any], data: JSONBody[dict[str, str]]) -> dict[str, str]:
            self._remember(request, data)
            if data["provider"] == "none":
                raise Conflict()
            return {"authorisation_url": "https://acme.example/authorise"}

        @get("/api/openid/callback")
        async def come_back(request: Request[Any, Any, Any]) -> dict[str, str]:
            self._remember(request, dict(request.query_params))
            if request.query_params.get("state") == "new":
                return {"state": "attestation_needed"}
            expires_at = self.clock.now() + timedelta(hours=1)
            return {"state": "signed_in", "session_token": TOKEN, "expires_at": expires_at.isoformat()}

        return [set_out, come_back]

    def _content(self) -> Litestar:
        @post("/api/workspaces/{workspace_id:uuid}/media", request_max_body_size=None)
        async def upload(request: Request[Any, Any, Any]) -> dict[str, Any]:
            digest, pieces, size = hashlib.sha256(), 0, 0
            async for piece in request.stream():
                digest.update(piece)
                pieces, size = pieces + bool(piece), size + len(piece)
            self._remember(request, pieces)
            return {"sha256": digest.hexdigest(), "size_bytes": size}

        @get("/api/workspaces/{workspace_id:uuid}/posts")
        async def posts(request: Request[Any, Any, Any]) -> Response[bytes]:
            self._remember(request, list(request.query_params.multi_items()))
            return Response(b"boom", status_code=500, media_type=MediaType.TEXT, headers={"Set-Cookie": "other=1"})

        @get("/media/{token:str}")
        async def linked(request: Request[Any, Any, Any]) -> Stream:
            self._remember(request, request.headers.get("range"))
            if request.path_params["token"] == "un.kno.wn":
                raise NotFound()
            size = FILE_PIECES * len(PIECE)
            headers = {"Content-Length": str(size), "Cache-Control": "no-store", "Content-Type": "video/mp4"}
            return Stream(self.file.stream(), headers=headers)

        @head("/media/{token:str}")
        async def told(request: Request[Any, Any, Any]) -> Response[None]:
            return Response(None, headers={"Content-Length": "7", "Content-Type": "video/mp4"})

        return Litestar([upload, posts, linked, told], exception_handlers=EXCEPTION_HANDLERS, openapi_config=None)

    def _remember(self, request: Request[Any, Any, Any], what: Any) -> None:
        self.requests.append((request.url.path, what))
        self.headers.append(dict(request.headers))


def _refuse(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("nobody listens", request=request)


@pytest.fixture
def neighbours(keys_folder: Any, clock: MovableClock) -> Neighbours:
    key = SigningKey.load("auth", keys_folder / "auth.signing.pem")
    return Neighbours(Passports(key, TrustedKeys.load(keys_folder / "trusted.jwks.json"), clock), clock)


@pytest.fixture
async def client(
    neighbours: Neighbours, service_environment: ServiceEnvironment, running: Running
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an edge that allows three attempts."""
    environment = service_environment("gateway") | {"ATTEMPTS_BURST": "3", "ATTEMPTS_PER_MINUTE": "1"}
    async with running(create_app(environment, transports=neighbours.transports())) as client:
        yield client
