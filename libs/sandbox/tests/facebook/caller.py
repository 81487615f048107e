"""Calls the imitated Facebook as an application does, with a token and its proof."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import httpx
from sandbox.consent import callback_parameters, give_consent

APP = "sandbox-client-id|sandbox-client-secret"
PAGE, OTHER_PAGE, PERSON = "101000000000001", "101000000000002", "10220000000000001"
CLIENT = {"client_id": "sandbox-client-id", "client_secret": "sandbox-client-secret"}
REDIRECT_URI = "http://127.0.0.1:8000/callback"
SCOPES = (
    "pages_show_list,pages_manage_posts,pages_manage_engagement,pages_manage_metadata,pages_read_engagement,"
    "pages_read_user_content,read_insights"
)


class Caller:
    """`code` and `subcode` are the last answer's error, both None after a success."""

    def __init__(self, http: httpx.AsyncClient, base: str, token: str = "") -> None:
        self.http = http
        self.base = base
        self.token = token
        self.version = "v26.0"
        self.headers = httpx.Headers()
        self.error: dict[str, Any] = {}

    @property
    def code(self) -> int | None:
        return self.error.get("code")

    @property
    def subcode(self) -> int | None:
        return self.error.get("error_subcode")

    def dialog(self, scope: str = SCOPES, **changed: str) -> str:
        """The dialog's address."""
        query = {"client_id": "sandbox-client-id", "redirect_uri": REDIRECT_URI, "scope": scope, "state": "s"} | changed
        return str(httpx.URL(f"{self.base}/v26.0/dialog/oauth", params=query))

    async def log_in(self, scope: str = SCOPES, **choices: Any) -> None:
        callback = callback_parameters(await give_consent(self.http, self.dialog(scope), **choices))
        short = await self.trade(code=callback["code"], redirect_uri=REDIRECT_URI)
        long = await self.trade(grant_type="fb_exchange_token", fb_exchange_token=short["access_token"])
        self.token = long["access_token"]

    async def trade(self, **parameters: str) -> dict[str, Any]:
        return self._read(await self.http.post(f"{self.base}/v26.0/oauth/access_token", data=CLIENT | parameters))

    async def page(self, page_id: str) -> Caller:
        pages = await self.get("me/accounts", fields="id,access_token")
        token = next(page["access_token"] for page in pages["data"] if page["id"] == page_id)
        return Caller(self.http, self.base, token)

    async def get(self, path: str, **parameters: str) -> dict[str, Any]:
        return await self.send("GET", path, params=self._signed(parameters))

    async def post(self, path: str, **parameters: str) -> dict[str, Any]:
        return await self.send("POST", path, data=self._signed(parameters))

    async def upload(self, path: str, name: str, data: bytes, content_type: str, **parameters: str) -> dict[str, Any]:
        files = {name: (name, data, content_type)}
        return await self.send("POST", path, data=self._signed(parameters), files=files)

    async def send(self, method: str, path: str, **parts: Any) -> dict[str, Any]:
        url = "/".join(filter(None, (self.base, self.version, path)))
        return self._read(await self.http.request(method, url, **parts))

    def _signed(self, parameters: dict[str, str]) -> dict[str, str]:
        if not self.token:
            return parameters
        proof = hmac.new(b"sandbox-client-secret", self.token.encode(), hashlib.sha256).hexdigest()
        return {"access_token": self.token, "appsecret_proof": proof} | parameters

    def _read(self, response: httpx.Response) -> dict[str, Any]:
        document = response.json()
        self.headers = response.headers
        self.error = document.get("error", {})
        return dict(document)
