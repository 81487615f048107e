"""A bare client of the imitated X that says exactly what a test tells it to."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

import httpx
from sandbox.consent import callback_parameters, give_consent

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
REDIRECT = "http://127.0.0.1:8000/callback"
SCOPES = "tweet.read tweet.write users.read media.write offline.access"
BASIC = "Basic " + base64.b64encode(b"sandbox-client-id:sandbox-client-secret").decode()


@dataclass
class Caller:
    """An application that calls X with one person's tokens."""

    http: httpx.AsyncClient
    base: str
    token: str = ""
    refresh_token: str = ""

    def page(self, **changes: str) -> httpx.URL:
        query = {
            "response_type": "code",
            "client_id": "sandbox-client-id",
            "redirect_uri": REDIRECT,
            "scope": SCOPES,
            "state": "s",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        return httpx.URL(f"{self.base}/i/oauth2/authorize", params=query | changes)

    async def code(self, account: str | None = None) -> str:
        return callback_parameters(await give_consent(self.http, str(self.page()), account=account))["code"]

    async def form(self, path: str, authorization: str = BASIC, **form: str) -> httpx.Response:
        headers = {"Authorization": authorization} if authorization else {}
        return await self.http.post(f"{self.base}{path}", data=form, headers=headers)

    async def exchange(self, code: str, **changes: str) -> httpx.Response:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "code_verifier": VERIFIER}
        return await self.form("/2/oauth2/token", **(form | changes))

    async def connect(self, account: str | None = None) -> None:
        tokens = (await self.exchange(await self.code(account))).json()
        self.token, self.refresh_token = tokens["access_token"], tokens["refresh_token"]

    async def call(self, method: str, path: str, **content: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        return await self.http.request(method, f"{self.base}/2/{path}", headers=headers, **content)

    async def post(self, text: str = "", **fields: Any) -> httpx.Response:
        return await self.call("POST", "tweets", json={"text": text} | fields)
