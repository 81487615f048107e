"""The imitated X's webhooks: checked by a challenge, signed, sent, and repeated until answered with 200."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import secrets
from typing import Any

import httpx

from sandbox.tuning import Tuning

FIRST_RETRY_SECONDS = 0.1
ANSWER_SECONDS = 5.0


def sign(secret: str, message: bytes) -> str:
    return "sha256=" + base64.b64encode(hmac.new(secret.encode(), message, hashlib.sha256).digest()).decode()


async def passes_challenge(url: str, secret: str) -> bool:
    """Ask the address to sign a token of ours."""
    token = secrets.token_urlsafe(24)
    async with httpx.AsyncClient(timeout=ANSWER_SECONDS, trust_env=False) as http:
        try:
            answer = await http.get(url, params={"crc_token": token})
            told = answer.json().get("response_token", "")
        except (httpx.TransportError, ValueError, AttributeError):
            return False
    return answer.status_code == 200 and hmac.compare_digest(str(told), sign(secret, token.encode()))


class Sender:
    """Sends events in the background."""

    def __init__(self, tuning: Tuning) -> None:
        self._tuning = tuning
        self._tasks: set[asyncio.Task[None]] = set()

    def send(self, url: str, secret: str, event: dict[str, Any]) -> None:
        for _ in range(self._tuning.webhook_copies):
            task = asyncio.create_task(self._deliver(url, secret, event))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _deliver(self, url: str, secret: str, event: dict[str, Any]) -> None:
        body = json.dumps(event, separators=(",", ":")).encode()
        headers = {"x-twitter-webhooks-signature": sign(secret, body), "content-type": "application/json"}
        pause_seconds = FIRST_RETRY_SECONDS
        async with httpx.AsyncClient(timeout=ANSWER_SECONDS, trust_env=False) as http:
            for _ in range(self._tuning.webhook_attempts):
                if await _delivered(http, url, body, headers):
                    return
                await asyncio.sleep(pause_seconds)
                pause_seconds *= 2


async def _delivered(http: httpx.AsyncClient, url: str, body: bytes, headers: dict[str, str]) -> bool:
    try:
        return (await http.post(url, content=body, headers=headers)).status_code == 200
    except httpx.TransportError:
        return False
