"""A bare client of the imitated LinkedIn that says exactly what a test tells it to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import httpx
from sandbox.consent import callback_parameters, give_consent
from sandbox.linkedin.state import Organisation, Person

REDIRECT = "http://127.0.0.1:8000/callback"
SCOPES = "r_basicprofile w_member_social r_organization_social w_organization_social rw_organization_admin"
CLIENT = {"client_id": "sandbox-client-id", "client_secret": "sandbox-client-secret"}
ORGANISATION = Organisation("brand-one", "").urn
PERSON = Person("brand_one").urn
HEADERS = {"LinkedIn-Version": "202609", "X-Restli-Protocol-Version": "2.0.0"}


@dataclass
class Caller:
    """An application that calls LinkedIn with one person's token."""

    http: httpx.AsyncClient
    base: str
    token: str = ""
    headers: dict[str, str] = field(default_factory=lambda: dict(HEADERS))

    async def code(self, scope: str = SCOPES, **choice: Any) -> dict[str, str]:
        query = {"response_type": "code", "client_id": CLIENT["client_id"], "redirect_uri": REDIRECT}
        url = httpx.URL(f"{self.base}/oauth/v2/authorization", params=query | {"scope": scope, "state": "s"})
        return callback_parameters(await give_consent(self.http, str(url), **choice))

    async def form(self, name: str, **form: str) -> httpx.Response:
        return await self.http.post(f"{self.base}/oauth/v2/{name}", data=CLIENT | form)

    async def exchange(self, code: str, **changes: str) -> httpx.Response:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT}
        return await self.form("accessToken", **(form | changes))

    async def connect(self, scope: str = SCOPES, **choice: Any) -> None:
        code = (await self.code(scope, **choice))["code"]
        self.token = (await self.exchange(code)).json()["access_token"]

    async def call(self, method: str, path: str, **content: Any) -> httpx.Response:
        headers = self.headers | {"Authorization": f"Bearer {self.token}"} | content.pop("headers", {})
        return await self.http.request(method, f"{self.base}/rest/{path}", headers=headers, **content)

    async def post(self, text: str = "Hello", **fields: Any) -> httpx.Response:
        body = {
            "author": PERSON,
            "commentary": text,
            "visibility": "PUBLIC",
            "distribution": {"feedDistribution": "MAIN_FEED"},
            "lifecycleState": "PUBLISHED",
        } | fields
        told = {name: value for name, value in body.items() if value is not None}
        return await self.call("POST", "posts", json=told)
