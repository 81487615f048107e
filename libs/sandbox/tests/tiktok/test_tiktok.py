"""The imitated TikTok keeps to the wire, so that a client that does not fails here first."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from kit.clock import FixedClock
from litestar import Litestar, Request, Response, post
from sandbox.server import Sandbox
from sandbox.serving import LoopbackServer

from libs.sandbox.tests.tiktok.caller import REDIRECT, SCOPES, VERIFIER, Caller, hex_challenge

MB = 1_000_000


async def test_only_the_hex_challenge_is_accepted(caller: Caller) -> None:
    rfc = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
    assert rfc == "TDp3C-wPo3aKDK1Bg-ukP78nZ9YiqUD2ToRD96HoaHU"
    assert (await caller.authorise(rfc))["error"] == "invalid_request"


async def test_a_code_is_bound_to_its_redirect_address_and_client(caller: Caller) -> None:
    assert (await caller.authorise(hex_challenge(), redirect_uri="http://127.0.0.1:9/x"))["error"] == "invalid_request"
    assert (await caller.authorise(hex_challenge(), client_secret="wrong"))["error"] == "invalid_client"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("client_key", "nobody"),
        ("scope", "user.info.basic video.list"),
        ("response_type", "token"),
        ("redirect_uri", ""),
    ],
)
async def test_the_page_is_not_shown_for_a_malformed_request(caller: Caller, name: str, value: str) -> None:
    query = {"client_key": "sandbox-client-key", "scope": SCOPES, "response_type": "code", "redirect_uri": REDIRECT}
    answer = await caller.http.get(f"{caller.base}/v2/auth/authorize/", params=query | {name: value})
    assert answer.status_code == 400


async def test_a_path_without_its_slash_is_not_found(caller: Caller) -> None:
    assert (await caller.http.post(f"{caller.base}/v2/oauth/token")).status_code == 404


async def test_a_person_who_cannot_post_is_told_with_status_200(caller: Caller, sandbox: Sandbox) -> None:
    account = sandbox.tiktok.state.accounts["sandbox-open-id-one"]
    account.cannot_post = "spam_risk_user_banned_from_posting"
    status, document = await caller.call("post/publish/creator_info/query/")
    assert (status, document["error"]["code"]) == (200, "spam_risk_user_banned_from_posting")


@pytest.mark.parametrize(
    ("size", "chunk", "count", "accepted"),
    [
        (4 * MB, 4 * MB, 1, True),
        (4 * MB, 2 * MB, 2, False),
        (50_000_123, 10 * MB, 5, True),
        (50_000_123, 10 * MB, 6, False),
        (65 * MB, 65 * MB, 1, False),
        (127 * MB, 64 * MB, 1, True),
        (20 * MB, 4 * MB, 5, False),
        (0, 0, 1, False),
    ],
)
async def test_chunks_are_counted_by_rounding_down(
    caller: Caller, size: int, chunk: int, count: int, accepted: bool
) -> None:
    status, document = await caller.init(size, chunk, count)
    assert (status, document["error"]["code"]) == ((200, "ok") if accepted else (400, "invalid_param"))


async def test_bytes_come_in_order_and_progress_is_told(caller: Caller, sandbox: Sandbox, clock: FixedClock) -> None:
    size = 12 * MB
    _, document = await caller.init(size, 6 * MB, 2)
    url = document["data"]["upload_url"]
    wrong = await caller.put(url, 6 * MB, size, size)
    assert (wrong.status_code, wrong.headers["content-range"]) == (416, f"bytes 0-0/{size}")
    first = await caller.put(url, 0, 6 * MB, size)
    assert (first.status_code, first.headers["content-range"]) == (206, f"bytes 0-{6 * MB - 1}/{size}")
    assert (await caller.put(url, 6 * MB, size - 1, size)).status_code == 400
    assert (await caller.put(url, 6 * MB, size, size)).status_code == 201
    assert (await caller.put(url, 6 * MB, size, size)).status_code == 416
    assert (await caller.put(url + "x", 0, 1, size)).status_code == 404
    clock.advance(timedelta(seconds=1))
    assert [post.media[0].sha256 for post in sandbox.truth.posts()] == [hashlib.sha256(bytes(size)).hexdigest()]


async def test_an_upload_address_lives_an_hour(caller: Caller, clock: FixedClock) -> None:
    _, document = await caller.init(MB, MB, 1)
    clock.advance(timedelta(minutes=61))
    assert (await caller.put(document["data"]["upload_url"], 0, MB, MB)).status_code == 403


async def test_a_publication_goes_through_its_states(caller: Caller, clock: FixedClock) -> None:
    _, document = await caller.init(MB, MB, 1)
    asked = {"publish_id": document["data"]["publish_id"]}
    seen = [(await caller.call("post/publish/status/fetch/", asked))[1]["data"]]
    await caller.put(document["data"]["upload_url"], 0, MB, MB)
    for seconds in (0, 0.3, 0.2):
        clock.advance(timedelta(seconds=seconds))
        seen.append((await caller.call("post/publish/status/fetch/", asked))[1]["data"])
    told = [(data["status"], data["uploaded_bytes"], "publicaly_available_post_id" in data) for data in seen]
    assert told == [
        ("PROCESSING_UPLOAD", 0, False),
        ("PROCESSING_UPLOAD", MB, False),
        ("PUBLISH_COMPLETE", MB, False),
        ("PUBLISH_COMPLETE", MB, True),
    ]


async def test_an_unaudited_application_posts_privately_only(caller: Caller, sandbox: Sandbox) -> None:
    sandbox.tiktok.state.clients["sandbox-client-key"].audited = False
    status, document = await caller.init(MB, MB, 1)
    expected = (403, "unaudited_client_can_only_post_to_private_accounts")
    assert (status, document["error"]["code"]) == expected


async def test_calls_are_limited_per_token_and_minute(caller: Caller, clock: FixedClock) -> None:
    codes = [(await caller.init(MB, MB, 1))[0] for _ in range(7)]
    assert codes == [200] * 6 + [429]
    clock.advance(timedelta(seconds=60))
    assert (await caller.init(MB, MB, 1))[0] == 200


async def test_an_account_has_a_daily_cap(caller: Caller, sandbox: Sandbox, clock: FixedClock) -> None:
    sandbox.tuning.daily_posts_max = 1
    _, document = await caller.init(MB, MB, 1)
    await caller.put(document["data"]["upload_url"], 0, MB, MB)
    clock.advance(timedelta(seconds=1))
    assert (await caller.init(MB, MB, 1))[1]["error"]["code"] == "spam_risk_too_many_posts"


async def test_a_cancelled_publication_is_not_posted(caller: Caller, sandbox: Sandbox) -> None:
    _, document = await caller.init(MB, MB, 1)
    asked = {"publish_id": document["data"]["publish_id"]}
    assert (await caller.call("post/publish/cancel/", asked))[0] == 200
    assert (await caller.put(document["data"]["upload_url"], 0, MB, MB)).status_code == 404
    assert sandbox.truth.posts() == []


async def test_a_field_outside_the_grant_fails_the_whole_call(caller: Caller) -> None:
    headers = {"Authorization": f"Bearer {caller.token}"}
    url = f"{caller.base}/v2/user/info/"
    fine = await caller.http.get(url, params={"fields": "open_id,username"}, headers=headers)
    assert fine.json()["data"]["user"]["username"] == "brand_one"
    refused = await caller.http.get(url, params={"fields": "open_id,follower_count"}, headers=headers)
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "scope_not_authorized")


async def test_private_posts_are_not_listed(caller: Caller, clock: FixedClock) -> None:
    for privacy in ("SELF_ONLY", "PUBLIC_TO_EVERYONE"):
        _, document = await caller.init(MB, MB, 1, privacy)
        await caller.put(document["data"]["upload_url"], 0, MB, MB)
    clock.advance(timedelta(minutes=1))
    _, listed = await caller.call("video/list/?fields=id,title,view_count", {"max_count": 5})
    assert [video["title"] for video in listed["data"]["videos"]] == ["Hi"]
    assert listed["data"]["has_more"] is False


@dataclass
class Inbox:
    """Takes webhooks; answers the first ones with an error if told so."""

    failures: int = 0
    received: list[tuple[str, bytes]] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def app(self) -> Litestar:
        @post("/tiktok", status_code=200)
        async def hook(request: Request[Any, Any, Any]) -> Response[bytes]:
            self.received.append((request.headers["tiktok-signature"], await request.body()))
            self.failures -= 1
            self.news.set()
            return Response(b"", status_code=500 if self.failures >= 0 else 200)

        return Litestar([hook], openapi_config=None, logging_config=None)

    async def wait_for(self, count: int) -> None:
        async with asyncio.timeout(10):
            while len(self.received) < count:
                self.news.clear()
                await self.news.wait()


@pytest.fixture
async def inbox(sandbox: Sandbox) -> AsyncIterator[Inbox]:
    inbox, server = Inbox(), LoopbackServer()
    await server.start(inbox.app())
    sandbox.tuning.webhook_url = f"{server.base_url}/{{platform}}"
    yield inbox
    sandbox.tuning.webhook_url = None
    await server.stop()


async def test_webhooks_are_signed_and_repeated_until_answered(
    caller: Caller, sandbox: Sandbox, clock: FixedClock, inbox: Inbox
) -> None:
    inbox.failures = 1
    sandbox.tuning.webhook_copies = 2
    _, document = await caller.init(MB, MB, 1, "SELF_ONLY")
    await caller.put(document["data"]["upload_url"], 0, MB, MB)
    clock.advance(timedelta(seconds=1))
    await inbox.wait_for(3)
    for header, body in inbox.received:
        signed_at = dict(part.split("=") for part in header.split(","))
        message = signed_at["t"].encode() + b"." + body
        assert signed_at["s"] == hmac.new(b"sandbox-client-secret", message, hashlib.sha256).hexdigest()
        event = json.loads(body)
        assert event["event"] == "post.publish.complete"
        assert json.loads(event["content"])["publish_id"] == document["data"]["publish_id"]


async def test_a_person_who_withdraws_is_told_to_the_application(
    caller: Caller, sandbox: Sandbox, inbox: Inbox
) -> None:
    sandbox.tiktok.withdraw("sandbox-open-id-one")
    await inbox.wait_for(1)
    event = json.loads(inbox.received[0][1])
    assert (event["event"], json.loads(event["content"])) == ("authorization.removed", {"reason": 1})
    assert (await caller.call("post/publish/creator_info/query/"))[0] == 401
    assert sandbox.truth.revocations() == []
