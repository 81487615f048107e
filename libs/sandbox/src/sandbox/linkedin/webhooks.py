"""The imitated webhooks of organisations: checked by a challenge, signed, sent, and repeated until answered."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import re
import uuid
from typing import Any

import httpx
from litestar import Router, delete, put

from sandbox.linkedin.answers import AnyRequest, body_of, denied, gone, invalid
from sandbox.linkedin.state import Grant, LinkedInState, Shown

ANSWER_SECONDS = 3.0
FIRST_RETRY_SECONDS = 0.1
"""LinkedIn waits five minutes; nobody would wait that long here."""
TOPIC = "ORGANIZATION_SOCIAL_ACTION_NOTIFICATIONS"
_KEY = re.compile(
    r"\(developerApplication:urn:li:developerApplication:([\w-]+),user:(urn:li:person:\w+),"
    rf"entity:(urn:li:organization:\d+),eventType:{TOPIC}\)"
)


def sign(secret: str, message: bytes) -> str:
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def create_router(state: LinkedInState) -> Router:
    @put("/{key:str}", status_code=204)
    async def subscribe(request: AnyRequest) -> None:
        grant = state.admit(request)
        key, url = _key(state, grant, request), str((await body_of(request)).get("webhook"))
        if not await passes_challenge(url, state.clients[grant.client_id].client_secret):
            raise invalid("INVALID_VALUE_FOR_FIELD", "The webhook did not answer the challenge")
        state.subscriptions[key] = url

    @delete("/{key:str}", status_code=204, sync_to_thread=False)
    def end(request: AnyRequest) -> None:
        grant = state.admit(request)
        state.subscriptions.pop(_key(state, grant, request), None)

    return Router("/rest/eventSubscriptions", route_handlers=[subscribe, end])


async def passes_challenge(url: str, secret: str) -> bool:
    code = str(uuid.uuid4())
    async with httpx.AsyncClient(timeout=ANSWER_SECONDS, trust_env=False) as http:
        try:
            answer = await http.get(url, params={"challengeCode": code})
            told = answer.json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError):
            return False
    return answer.status_code == 200 and told == {
        "challengeCode": code,
        "challengeResponse": sign(secret, code.encode()),
    }


class Sender:
    """Tells the subscribers of an organisation what happened to its posts, in the background."""

    def __init__(self, state: LinkedInState) -> None:
        self._state = state
        self._tasks: set[asyncio.Task[None]] = set()

    def tell_comment(self, known: Shown, comment: dict[str, Any]) -> None:
        own = comment["actor"] == known.author
        notification = {
            "notificationId": self._state.new_number(),
            "organizationalEntity": known.author,
            "action": "ADMIN_COMMENT" if own else "COMMENT",
            "sourcePost": known.urn,
            "generatedActivity": comment["commentUrn"],
            "lastModifiedAt": int(self._state.clock.now().timestamp() * 1000),
        }
        for (client_id, person, entity), url in self._state.subscriptions.items():
            if entity == known.author:
                body = {"type": TOPIC, "notifications": [notification | {"subscriber": person}]}
                self._send(url, self._state.clients[client_id].client_secret, json.dumps(body).encode())

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _send(self, url: str, secret: str, body: bytes) -> None:
        for _ in range(self._state.tuning.webhook_copies):
            task = asyncio.create_task(self._deliver(url, secret, body))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _deliver(self, url: str, secret: str, body: bytes) -> None:
        headers = {"X-LI-Signature": sign(secret, b"hmacsha256=" + body), "content-type": "application/json"}
        pause_seconds = FIRST_RETRY_SECONDS
        async with httpx.AsyncClient(timeout=ANSWER_SECONDS, trust_env=False) as http:
            for _ in range(self._state.tuning.webhook_attempts):
                try:
                    if (await http.post(url, content=body, headers=headers)).is_success:
                        return
                except httpx.TransportError:
                    pass
                await asyncio.sleep(pause_seconds)
                pause_seconds *= 2


def _key(state: LinkedInState, grant: Grant, request: AnyRequest) -> tuple[str, ...]:
    found = _KEY.fullmatch(str(request.path_params["key"]))
    if found is None:
        raise gone("subscription")
    if found[1] != grant.client_id or found[2] != grant.person:
        raise denied("eventSubscriptions.UPDATE")
    if found[3].rpartition(":")[2] not in state.people[grant.person].roles:
        raise denied("eventSubscriptions.UPDATE")
    return found[1], found[2], found[3]
