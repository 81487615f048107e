"""A bare client of the imitated YouTube that says exactly what a test tells it to."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx
from sandbox.consent import callback_parameters, give_consent
from sandbox.youtube.state import ANALYTICS, SSL

REDIRECT = "http://127.0.0.1:9/cb"
VERIFIER = "abcdefghijklmnopqrstuvwxyz0123456789-._~ABCDEFG"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
CREDENTIALS = {"client_id": "sandbox-client-id", "client_secret": "sandbox-client-secret"}


@dataclass
class Caller:
    """Holds one access token and sends it with everything."""

    http: httpx.AsyncClient
    base: str
    token: str = ""

    async def code(self, **changed: str) -> dict[str, str]:
        query = {"client_id": "sandbox-client-id", "redirect_uri": REDIRECT, "response_type": "code"}
        query |= {"scope": f"{SSL} {ANALYTICS}", "state": "s", "access_type": "offline", "prompt": "consent"}
        query |= {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
        location = await give_consent(self.http, f"{self.base}/o/oauth2/v2/auth?{urlencode(query | changed)}")
        return callback_parameters(location)

    async def tokens(self, **form: str) -> tuple[int, dict[str, Any]]:
        answer = await self.http.post(f"{self.base}/token", data=CREDENTIALS | form)
        return answer.status_code, answer.json()

    async def redeem(self, code: str, **changed: str) -> tuple[int, dict[str, Any]]:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "code_verifier": VERIFIER}
        return await self.tokens(**(form | changed))

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        sent = {"Authorization": f"Bearer {self.token}"} | {k.replace("_", "-"): v for k, v in headers.items()}
        return await self.http.request(method, self.base + path, json=body, headers=sent)

    async def start(self, size: int, *, parts: str = "snippet,status", **resource: Any) -> httpx.Response:
        told = {"snippet": {"title": "T"}, "status": {"privacyStatus": "private"}} | resource
        path = f"/upload/youtube/v3/videos?uploadType=resumable&part={parts}"
        return await self.call("POST", path, told, X_Upload_Content_Type="video/mp4", X_Upload_Content_Length=str(size))

    async def put(self, address: str, content: bytes, content_range: str | None = None) -> httpx.Response:
        headers = {"content-range": content_range} if content_range else {}
        return await self.http.put(address, content=content, headers=headers)

    async def upload(self, size: int = 1000, **resource: Any) -> str:
        location = (await self.start(size, **resource)).headers["location"]
        return str((await self.put(location, bytes(size))).json()["id"])

    async def reason(self, method: str, path: str, body: Any = None) -> tuple[int, str]:
        return reason_of(await self.call(method, path, body))


def reason_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["errors"][0]["reason"]
