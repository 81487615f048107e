"""A bare client that signs exactly what a test tells it to, signed in to an imitated Bluesky."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey
from kit.clock import FixedClock
from sandbox.bluesky.state import POST
from sandbox.consent import callback_parameters, give_consent
from sandbox.server import Sandbox

REDIRECT = "http://127.0.0.1:9/cb"
CLIENT_ID = f"http://localhost?{urlencode({'redirect_uri': REDIRECT, 'scope': 'atproto transition:generic'})}"
VERIFIER = "v" * 43
RKEY = "3jzfcijpj2z2a"


class Caller:
    """A bare client that signs exactly what a test tells it to."""

    def __init__(self, http: httpx.AsyncClient, base: str, clock: FixedClock) -> None:
        self.http = http
        self.base = base
        self.clock = clock
        self.key = ECKey.generate_key("P-256")
        self.nonce = ""
        self.tokens: dict[str, Any] = {}

    def proof(self, method: str, path: str, **changes: Any) -> str:
        claims: dict[str, Any] = {
            "jti": secrets.token_hex(8),
            "htm": method,
            "htu": self.base + path,
            "iat": int(self.clock.now().timestamp()),
            "nonce": self.nonce,
        }
        if self.tokens:
            digest = hashlib.sha256(self.tokens["access_token"].encode()).digest()
            claims["ath"] = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        key = changes.pop("key", self.key)
        header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": key.as_dict(private=False)}
        return jwt.encode(header, claims | changes, key, algorithms=["ES256"])

    async def form(self, path: str, data: dict[str, str]) -> httpx.Response:
        answer = await self.http.post(self.base + path, data=data, headers={"DPoP": self.proof("POST", path)})
        self.nonce = answer.headers.get("dpop-nonce", self.nonce)
        return answer

    async def sign_in(self, scope: str = "atproto transition:generic") -> None:
        challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
        pushed = {"client_id": CLIENT_ID, "response_type": "code", "redirect_uri": REDIRECT, "scope": scope}
        pushed |= {"code_challenge": challenge, "code_challenge_method": "S256", "state": "s"}
        refused = await self.form("/oauth/par", pushed)
        assert (refused.status_code, refused.json()["error"]) == (400, "use_dpop_nonce")
        request_uri = (await self.form("/oauth/par", pushed)).json()["request_uri"]
        query = urlencode({"client_id": CLIENT_ID, "request_uri": request_uri})
        callback = callback_parameters(await give_consent(self.http, f"{self.base}/oauth/authorize?{query}"))
        assert callback["iss"] == self.base
        form = {"grant_type": "authorization_code", "code": callback["code"], "redirect_uri": REDIRECT}
        answer = await self.form("/oauth/token", form | {"code_verifier": VERIFIER, "client_id": CLIENT_ID})
        self.tokens = answer.json()

    async def call(self, method: str, body: Any, *, proof: str | None = None) -> httpx.Response:
        path = f"/xrpc/{method}"
        headers = {
            "Authorization": f"DPoP {self.tokens['access_token']}",
            "DPoP": proof or self.proof("POST", path),
            "Content-Type": "application/json",
        }
        answer = await self.http.post(self.base + path, content=json.dumps(body), headers=headers)
        self.nonce = answer.headers["dpop-nonce"]
        return answer

    async def ask(self, method: str, **query: str) -> httpx.Response:
        path = f"/xrpc/{method}"
        headers = {"Authorization": f"DPoP {self.tokens['access_token']}", "DPoP": self.proof("GET", path)}
        answer = await self.http.get(self.base + path, params=query, headers=headers)
        self.nonce = answer.headers["dpop-nonce"]
        return answer

    async def put(self, record: dict[str, Any], rkey: str = RKEY, **more: Any) -> httpx.Response:
        body = {"repo": self.tokens["sub"], "collection": POST, "rkey": rkey, "record": record} | more
        return await self.call("com.atproto.repo.putRecord", body)


def record(text: str = "Hello", **fields: Any) -> dict[str, Any]:
    return {"$type": POST, "text": text, "createdAt": "2026-11-22T10:00:00.000Z"} | fields


@pytest.fixture
async def sandbox(clock: FixedClock) -> AsyncIterator[Sandbox]:
    async with Sandbox(clock=clock, only={"bluesky"}) as running:
        yield running


@pytest.fixture
async def caller(sandbox: Sandbox, http: httpx.AsyncClient, clock: FixedClock) -> Caller:
    caller = Caller(http, sandbox.base_urls["bluesky"], clock)
    await caller.sign_in()
    return caller
