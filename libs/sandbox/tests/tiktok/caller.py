"""A bare client of the imitated TikTok."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx
from sandbox.consent import callback_parameters, give_consent

REDIRECT = "http://127.0.0.1:9/cb"
VERIFIER = "abcdefghijklmnopqrstuvwxyz0123456789-._~ABCDEFG"
SCOPES = "user.info.basic,user.info.profile,video.publish,video.list"


@dataclass
class Caller:
    """A bare client that says exactly what a test tells it to."""

    http: httpx.AsyncClient
    base: str
    token: str = ""

    async def authorise(self, challenge: str, *, scope: str = SCOPES, **credentials: str) -> dict[str, Any]:
        query = {"client_key": "sandbox-client-key", "scope": scope, "response_type": "code"}
        query |= {"redirect_uri": REDIRECT, "state": "s", "code_challenge": challenge, "code_challenge_method": "S256"}
        location = await give_consent(self.http, f"{self.base}/v2/auth/authorize/?{urlencode(query)}")
        code = callback_parameters(location)["code"]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "code_verifier": VERIFIER}
        return await self.token_call(form | credentials)

    async def token_call(self, form: dict[str, str]) -> dict[str, Any]:
        credentials = {"client_key": "sandbox-client-key", "client_secret": "sandbox-client-secret"}
        answer = await self.http.post(f"{self.base}/v2/oauth/token/", data=credentials | form)
        document: dict[str, Any] = answer.json()
        return document

    async def call(self, path: str, body: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = await self.http.post(f"{self.base}/v2/{path}", json=body or {}, headers=headers)
        return answer.status_code, answer.json()

    async def init(self, size: int, chunk: int, count: int, privacy: str = "PUBLIC_TO_EVERYONE") -> tuple[int, Any]:
        source = {"source": "FILE_UPLOAD", "video_size": size, "chunk_size": chunk, "total_chunk_count": count}
        body = {"post_info": {"title": "Hi", "privacy_level": privacy}, "source_info": source}
        return await self.call("post/publish/video/init/", body)

    async def put(self, url: str, start: int, end: int, total: int) -> httpx.Response:
        headers = {"Content-Type": "video/mp4", "Content-Range": f"bytes {start}-{end - 1}/{total}"}
        return await self.http.put(url, content=bytes(end - start), headers=headers)


def hex_challenge() -> str:
    return hashlib.sha256(VERIFIER.encode()).hexdigest()
