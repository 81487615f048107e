"""The imitated X registers an address that proves itself, and tells it what happens until it has heard."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from litestar import Litestar, Request, Response, get, post
from sandbox.server import Sandbox
from sandbox.serving import LoopbackServer
from sandbox.x.platform import XSandbox

from libs.sandbox.tests.x.caller import Caller

SECRET = "sandbox-client-secret"


def signed(message: bytes) -> str:
    return "sha256=" + base64.b64encode(hmac.new(SECRET.encode(), message, hashlib.sha256).digest()).decode()


@dataclass
class Inbox:
    """Takes events; answers the first ones with an error if told so, and challenges wrongly if told so."""

    failures: int = 0
    honest: bool = True
    received: list[tuple[str, bytes]] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def app(self) -> Litestar:
        @get("/hook", sync_to_thread=False)
        def challenge(request: Request[Any, Any, Any]) -> dict[str, str]:
            token = request.query_params["crc_token"]
            return {"response_token": signed(token.encode()) if self.honest else "sha256=no"}

        @post(["/hook", "/of/x"], status_code=200)
        async def hook(request: Request[Any, Any, Any]) -> Response[bytes]:
            self.received.append((request.headers["x-twitter-webhooks-signature"], await request.body()))
            self.failures -= 1
            self.news.set()
            return Response(b"", status_code=500 if self.failures >= 0 else 200)

        return Litestar([challenge, hook], openapi_config=None, logging_config=None)

    async def wait_for(self, count: int) -> list[dict[str, Any]]:
        async with asyncio.timeout(10):
            while len(self.received) < count:
                self.news.clear()
                await self.news.wait()
        assert all(hmac.compare_digest(signature, signed(body)) for signature, body in self.received)
        return [json.loads(body)["data"] for _, body in self.received]


@pytest.fixture
async def inbox() -> AsyncIterator[tuple[Inbox, str]]:
    inbox, server = Inbox(), LoopbackServer()
    await server.start(inbox.app())
    yield inbox, f"{server.base_url}/hook"
    await server.stop()


async def test_an_address_is_registered_subscribed_told_and_removed(
    caller: Caller, inbox: tuple[Inbox, str], imitated: XSandbox
) -> None:
    taking, url = inbox
    person = caller.token
    application = (await caller.form("/oauth2/token", grant_type="client_credentials")).json()["access_token"]
    assert (await caller.call("GET", "webhooks")).status_code == 401
    caller.token = application
    taking.honest = False
    refused = await caller.call("POST", "webhooks", json={"url": url})
    assert (refused.status_code, refused.json()["title"]) == (400, "CrcValidationFailed")
    taking.honest = True
    webhook = (await caller.call("POST", "webhooks", json={"url": url})).json()["data"]
    assert (await caller.call("POST", "webhooks", json={"url": url})).json()["title"] == "DuplicateUrlFailed"
    for event_type in ("post.create", "post.delete", "oauth.revoke"):
        asked = {"event_type": event_type, "filter": {"user_id": "2244994945"}, "webhook_id": webhook["id"]}
        assert (await caller.call("POST", "activity/subscriptions", json=asked)).status_code == 200
    assert len((await caller.call("GET", "activity/subscriptions")).json()["data"]) == 3
    taking.failures = 1
    caller.token = person
    post_id = (await caller.post("Told")).json()["data"]["id"]
    first, again = await taking.wait_for(2)
    assert first == again
    assert (first["event_type"], first["payload"]["id"]) == ("post.create", post_id)
    await caller.call("DELETE", f"tweets/{post_id}")
    imitated.withdraw("2244994945")
    told = (await taking.wait_for(4))[2:]
    assert {each["event_type"] for each in told} == {"post.delete", "oauth.revoke"}
    caller.token = application
    assert (await caller.call("PUT", f"webhooks/{webhook['id']}")).json() == {"data": {"valid": True}}
    assert (await caller.call("DELETE", f"webhooks/{webhook['id']}")).status_code == 200
    assert (await caller.call("GET", "webhooks")).json()["data"] == []


async def test_the_sandboxs_own_address_for_events_hears_everything(
    caller: Caller, inbox: tuple[Inbox, str], sandbox: Sandbox
) -> None:
    taking, sandbox.tuning.webhook_url = inbox
    await caller.post("Told")
    (event,) = await taking.wait_for(1)
    assert event["event_type"] == "post.create"


async def test_an_address_that_names_the_platform_gets_no_other_platforms_events(
    caller: Caller, inbox: tuple[Inbox, str], sandbox: Sandbox
) -> None:
    taking, address = inbox
    sandbox.tuning.webhook_url = address.removesuffix("/hook") + "/of/{platform}"
    await caller.post("Told")
    (event,) = await taking.wait_for(1)
    assert event["event_type"] == "post.create"
