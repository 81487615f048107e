"""What Meta sends by itself: signed changes, and the signed word that a person left. Repeated until taken with 200."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import httpx
from kit.clock import Clock

from sandbox.meta.clients import Client
from sandbox.tuning import Tuning

LOOK_AT_CLOCK_SECONDS = 0.02
FIRST_RETRY_SECONDS = 0.1
ANSWER_SECONDS = 5.0
SIGNED_REQUEST_SECONDS = 4800


class Webhooks:
    """Sends in the background; a real clock, a moved one and a fixed one are all followed."""

    def __init__(self, platform: str, clock: Clock, tuning: Tuning) -> None:
        self._platform = platform
        self._clock = clock
        self._tuning = tuning
        self._tasks: set[asyncio.Task[None]] = set()
        self.answers: list[tuple[int, bytes]] = []
        """What the callbacks answered, for a look at the address and code that a deletion must be answered with."""

    def change(
        self,
        client: Client,
        topic: str,
        account_id: str,
        field: str,
        value: Mapping[str, Any],
        *,
        at: datetime | None = None,
    ) -> None:
        """Plan the word of one change in the shape of objects, entries and changes."""
        moment = at or self._clock.now()
        entry = {"id": account_id, "time": int(moment.timestamp()), "changes": [{"field": field, "value": dict(value)}]}
        self.tell(client, {"object": topic, "entry": [entry]}, at=moment)

    def tell(self, client: Client, document: Mapping[str, Any], *, at: datetime | None = None) -> None:
        """Plan any document, if the application has an address for it."""
        url = client.webhook_url or self._tuning.webhook_url_of(self._platform)
        if url is None:
            return
        # Escaped as Meta escapes it, so that only the raw bytes match the signature.
        body = json.dumps(document, separators=(",", ":"), ensure_ascii=True).encode()
        headers = {
            "content-type": "application/json",
            "x-hub-signature-256": f"sha256={_mac(client, body).hex()}",
        }
        for _ in range(self._tuning.webhook_copies):
            self._plan(url, body, headers, at or self._clock.now())

    def deauthorise(self, client: Client, user_id: str) -> None:
        """The person removed the application."""
        self._call_back(client, client.deauthorise_url, user_id)

    def ask_for_deletion(self, client: Client, user_id: str) -> None:
        """The person asked that what is known of them be deleted."""
        self._call_back(client, client.deletion_url, user_id)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _call_back(self, client: Client, url: str | None, user_id: str) -> None:
        if url is None:
            return
        body = urlencode({"signed_request": signed_request(client, user_id, self._clock.now())}).encode()
        headers = {"content-type": "application/x-www-form-urlencoded"}
        self._plan(url, body, headers, self._clock.now())

    def _plan(self, url: str, body: bytes, headers: Mapping[str, str], at: datetime) -> None:
        task = asyncio.create_task(self._deliver(url, body, headers, at))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, url: str, body: bytes, headers: Mapping[str, str], at: datetime) -> None:
        while self._clock.now() < at:  # noqa: ASYNC110  # a clock that is moved by hand tells nobody
            await asyncio.sleep(LOOK_AT_CLOCK_SECONDS)
        pause_seconds = FIRST_RETRY_SECONDS
        async with httpx.AsyncClient(timeout=ANSWER_SECONDS, trust_env=False) as http:
            for _ in range(self._tuning.webhook_attempts):
                if await self._delivered(http, url, body, headers):
                    return
                await asyncio.sleep(pause_seconds)
                pause_seconds *= 2

    async def _delivered(self, http: httpx.AsyncClient, url: str, body: bytes, headers: Mapping[str, str]) -> bool:
        try:
            response = await http.post(url, content=body, headers=dict(headers))
        except httpx.TransportError:
            return False
        self.answers.append((response.status_code, response.content))
        return response.status_code == 200


def signed_request(client: Client, user_id: str, now: datetime) -> str:
    """A `signed_request` as the callbacks bring it."""
    issued_at = int(now.timestamp())
    payload = {
        "algorithm": "HMAC-SHA256",
        "expires": issued_at + SIGNED_REQUEST_SECONDS,
        "issued_at": issued_at,
        "user_id": user_id,
    }
    encoded = _encoded(json.dumps(payload, separators=(",", ":")).encode())
    return f"{_encoded(_mac(client, encoded.encode()))}.{encoded}"


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _mac(client: Client, message: bytes) -> bytes:
    return hmac.new(client.client_secret.encode(), message, hashlib.sha256).digest()
