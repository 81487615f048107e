"""The imitated TikTok's webhooks: signed, sent when their moment comes, repeated until answered with 200."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from datetime import datetime
from typing import Any

import httpx
from kit.clock import Clock

from sandbox.tiktok.state import Client
from sandbox.tuning import Tuning

LOOK_AT_CLOCK_SECONDS = 0.02
FIRST_RETRY_SECONDS = 0.1
ANSWER_SECONDS = 5.0


class Webhooks:
    """Sends events in the background; a real clock, a moved one and a fixed one are all followed."""

    def __init__(self, clock: Clock, tuning: Tuning) -> None:
        self._clock = clock
        self._tuning = tuning
        self._tasks: set[asyncio.Task[None]] = set()

    def send(
        self, client: Client, event: str, open_id: str, content: dict[str, Any], *, at: datetime | None = None
    ) -> None:
        """Plan one event for the application, if it has an address for events."""
        url = client.webhook_url or self._tuning.webhook_url_of("tiktok")
        if url is None:
            return
        for _ in range(self._tuning.webhook_copies):
            moment = at or self._clock.now()
            task = asyncio.create_task(self._deliver(url, client, event, open_id, content, moment))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _deliver(
        self, url: str, client: Client, event: str, open_id: str, content: dict[str, Any], at: datetime
    ) -> None:
        while self._clock.now() < at:  # noqa: ASYNC110  # a clock that is moved by hand tells nobody
            await asyncio.sleep(LOOK_AT_CLOCK_SECONDS)
        body = json.dumps(
            {
                "client_key": client.client_key,
                "event": event,
                "create_time": int(at.timestamp()),
                "user_openid": open_id,
                # A string holding JSON, to be parsed a second time.
                "content": json.dumps(content, separators=(",", ":")),
            },
            separators=(",", ":"),
        ).encode()
        pause_seconds = FIRST_RETRY_SECONDS
        async with httpx.AsyncClient(timeout=ANSWER_SECONDS, trust_env=False) as http:
            for _ in range(self._tuning.webhook_attempts):
                if await self._delivered(http, url, body, client.client_secret):
                    return
                await asyncio.sleep(pause_seconds)
                pause_seconds *= 2

    async def _delivered(self, http: httpx.AsyncClient, url: str, body: bytes, secret: str) -> bool:
        signed_at = str(int(self._clock.now().timestamp()))
        signature = hmac.new(secret.encode(), signed_at.encode() + b"." + body, hashlib.sha256).hexdigest()
        headers = {"TikTok-Signature": f"t={signed_at},s={signature}", "Content-Type": "application/json"}
        try:
            return (await http.post(url, content=body, headers=headers)).status_code == 200
        except httpx.TransportError:
            return False
