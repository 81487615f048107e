"""The imitated Threads keeps to the wire, so that a client that does not fails here first."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from kit.clock import FixedClock
from sandbox.consent import callback_parameters, give_consent
from sandbox.server import Sandbox
from sandbox.threads.platform import ThreadsSandbox

REDIRECT = "http://127.0.0.1:9/cb"
CLIENT = {"client_id": "sandbox-client-id", "client_secret": "sandbox-client-secret"}
SCOPES = "threads_basic,threads_content_publish,threads_manage_insights,threads_manage_replies,threads_delete"
ACCOUNT = "25000000000000001"
UNSEEN = (24, 4279009)


@dataclass
class Caller:
    """A bare client that says exactly what a test tells it to."""

    http: httpx.AsyncClient
    base: str
    token: str = ""

    async def code(self, **changes: str) -> str:
        query = {"client_id": "sandbox-client-id", "redirect_uri": REDIRECT, "scope": SCOPES, "response_type": "code"}
        location = await give_consent(self.http, f"{self.base}/oauth/authorize?{urlencode(query | changes)}")
        assert location.endswith("#_")
        return callback_parameters(location)["code"]

    async def redeem(self, code: str, **changes: str) -> httpx.Response:
        form = CLIENT | {"grant_type": "authorization_code", "redirect_uri": REDIRECT, "code": code}
        return await self.http.post(f"{self.base}/oauth/access_token", data=form | changes)

    async def lengthen(self, token: str, **changes: str) -> httpx.Response:
        query = {"grant_type": "th_exchange_token", "client_secret": CLIENT["client_secret"], "access_token": token}
        return await self.http.get(f"{self.base}/access_token", params=query | changes)

    async def renew(self, token: str) -> httpx.Response:
        query = {"grant_type": "th_refresh_token", "access_token": token, "appsecret_proof": proof(token)}
        return await self.http.get(f"{self.base}/refresh_access_token", params=query)

    async def call(self, method: str, path: str, **fields: Any) -> Any:
        """The answer, or code and subcode of its error."""
        fields["appsecret_proof"] = proof(self.token)
        sent: dict[str, Any] = {"data": fields} if method == "POST" else {"params": fields}
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = await self.http.request(method, f"{self.base}/v1.0/{path}", headers=headers, **sent)
        document = answer.json()
        error = document.get("error")
        return document if error is None else (error["code"], error.get("error_subcode"))

    async def create(self, text: str = "Fresh paint", **fields: Any) -> Any:
        made = await self.call("POST", "me/threads", **({"media_type": "TEXT", "text": text} | fields))
        return made["id"] if isinstance(made, dict) else made

    async def post(self, **fields: Any) -> str:
        made = await self.call("POST", "me/threads_publish", creation_id=await self.create(**fields))
        return str(made["id"])


def proof(token: str) -> str:
    return hmac.new(CLIENT["client_secret"].encode(), token.encode(), hashlib.sha256).hexdigest()


@pytest.fixture
async def sandbox(clock: FixedClock) -> AsyncIterator[Sandbox]:
    async with Sandbox(clock=clock, only=("threads",)) as running:
        yield running


@pytest.fixture
def imitated(sandbox: Sandbox) -> ThreadsSandbox:
    return sandbox.of(ThreadsSandbox)


@pytest.fixture
async def caller(sandbox: Sandbox, http: httpx.AsyncClient) -> Caller:
    caller = Caller(http, sandbox.base_urls["threads"])
    short = (await caller.redeem(await caller.code())).json()["access_token"]
    caller.token = (await caller.lengthen(short)).json()["access_token"]
    return caller


async def test_a_code_works_once_at_its_own_address_and_for_an_hour(caller: Caller, clock: FixedClock) -> None:
    refused = {"error_type": "OAuthException", "code": 400}
    code = await caller.code()
    assert (await caller.redeem(code)).json()["user_id"] == int(ACCOUNT)
    late, elsewhere, wrong = [await caller.code() for _ in range(3)]
    answers = [
        await caller.redeem(code),
        await caller.redeem(elsewhere, redirect_uri=REDIRECT + "/"),
        await caller.redeem(wrong, client_secret="guessed"),
        await caller.redeem(wrong, grant_type="password"),
    ]
    clock.advance(timedelta(hours=1))
    answers.append(await caller.redeem(late))
    assert all(answer.status_code == 400 and refused.items() <= answer.json().items() for answer in answers)


async def test_tokens_last_an_hour_or_sixty_days_and_renew_from_the_second_day_on(
    caller: Caller, clock: FixedClock
) -> None:
    short = (await caller.redeem(await caller.code())).json()["access_token"]
    assert (await caller.lengthen(short, client_secret="guessed")).status_code == 400
    assert (await caller.lengthen(caller.token)).status_code == 400
    assert (await caller.renew(caller.token)).status_code == 400
    clock.advance(timedelta(days=1))
    assert (await caller.renew(short)).status_code == 401
    renewed = (await caller.renew(caller.token)).json()
    assert (renewed["token_type"], renewed["expires_in"]) == ("bearer", 5_183_944)
    clock.advance(timedelta(days=60))
    assert await caller.call("GET", "me") == (190, 463)
    caller.token = renewed["access_token"]
    assert await caller.call("GET", "me") == (190, 463)


async def test_an_applications_own_token_and_what_is_told_of_a_token(caller: Caller, imitated: ThreadsSandbox) -> None:
    query = CLIENT | {"grant_type": "client_credentials"}
    own = (await caller.http.get(f"{caller.base}/oauth/access_token", params=query)).json()
    assert own["access_token"].startswith("TH|sandbox-client-id|")
    told = (await caller.call("GET", "debug_token", input_token=caller.token))["data"]
    assert (told["is_valid"], told["scopes"], told["user_id"]) == (True, SCOPES.split(","), ACCOUNT)
    imitated.state.accounts[ACCOUNT].tester = False
    assert await caller.call("GET", "debug_token", input_token=caller.token) == (10, None)


async def test_nothing_is_told_without_a_token_and_its_proof(caller: Caller) -> None:
    url = f"{caller.base}/v1.0/me"
    for query in ({}, {"access_token": "nonsense"}, {"access_token": caller.token, "appsecret_proof": "0" * 64}):
        assert (await caller.http.get(url, params=query)).status_code in (400, 401)
    right = {"access_token": caller.token, "appsecret_proof": proof(caller.token)}
    assert (await caller.http.get(url, params=right)).json() == {"id": ACCOUNT}


async def test_a_container_is_shown_once_and_only_when_it_is_ready(
    caller: Caller, imitated: ThreadsSandbox, clock: FixedClock, sandbox: Sandbox
) -> None:
    imitated.plan_outcome({"seconds": 5})
    container = await caller.create()
    assert await caller.call("POST", "me/threads_publish", creation_id=container) == UNSEEN
    assert await caller.call("GET", container, fields="status") == {"id": container, "status": "IN_PROGRESS"}
    clock.advance(timedelta(seconds=5))
    assert (await caller.call("GET", container, fields="status,error_message"))["status"] == "FINISHED"
    post = (await caller.call("POST", "me/threads_publish", creation_id=container))["id"]
    assert (await caller.call("GET", container, fields="status"))["status"] == "PUBLISHED"
    assert await caller.call("POST", "me/threads_publish", creation_id=container) == UNSEEN
    # A post has no status, and a second call leaves a trace in the truth.
    assert await caller.call("GET", post, fields="status") == (100, None)
    assert [each.writes for each in sandbox.truth.posts()] == [2]


async def test_a_container_fails_expires_and_belongs_to_its_account(
    caller: Caller, imitated: ThreadsSandbox, clock: FixedClock
) -> None:
    imitated.plan_outcome({"error_message": "INVALID_DURATION"})
    broken, fine = await caller.create(), await caller.create()
    told = await caller.call("GET", broken, fields="status,error_message")
    assert (told["status"], told["error_message"]) == ("ERROR", "INVALID_DURATION")
    clock.advance(timedelta(hours=24))
    assert (await caller.call("GET", fine, fields="status"))["status"] == "EXPIRED"
    for container in (broken, fine, "17900000000000001"):
        assert await caller.call("POST", "me/threads_publish", creation_id=container) == UNSEEN
    other = imitated.state.containers[fine]
    other.account_id, other.created_at = "25000000000000002", clock.now()
    assert await caller.call("GET", fine, fields="status") == (100, 33)
    assert await caller.call("POST", "me/threads_publish", creation_id=fine) == UNSEEN


POLL = {"option_a": "Red", "option_b": "Green"}


REFUSED: list[dict[str, str]] = [
    {"media_type": "REEL"},
    {"text": ""},
    {"text": "x" * 501},
    {"text": "🚪" * 126},
    {"text": " ".join(f"https://{number}.example" for number in range(6))},
    {"topic_tag": "a.b"},
    {"topic_tag": "t" * 51},
    {"reply_control": "nobody"},
    {"poll_attachment": json.dumps({"option_a": "Red"})},
    {"poll_attachment": json.dumps({"option_a": "Red", "option_c": "Blue"})},
    {"poll_attachment": json.dumps(POLL | {"option_c": "x" * 26})},
    {"poll_attachment": "Red or green"},
    {"media_type": "IMAGE"},
    {"media_type": "VIDEO", "video_url": "http://127.0.0.1:9/x", "link_attachment": "https://x.example"},
    {"media_type": "VIDEO", "video_url": "http://127.0.0.1:9/x", "is_carousel_item": "true"},
    {"media_type": "TEXT", "is_carousel_item": "true"},
    {"media_type": "CAROUSEL", "children": "1"},
]


async def test_what_threads_refuses_is_refused(caller: Caller) -> None:
    answers = [await caller.create(**fields) for fields in REFUSED]
    assert [answer[0] for answer in answers] == [100] * len(REFUSED)


async def test_an_answer_names_a_post_not_a_container(caller: Caller, sandbox: Sandbox) -> None:
    container = await caller.create("One")
    first = (await caller.call("POST", "me/threads_publish", creation_id=container))["id"]
    assert await caller.create("Two", reply_to_id=container) == UNSEEN
    assert await caller.create("Two", quote_post_id=container) == UNSEEN
    second = await caller.post(text="Two", reply_to_id=first)
    assert (await caller.call("GET", second, fields="replied_to,is_reply")) == {
        "id": second,
        "replied_to": {"id": first},
        "is_reply": True,
    }


async def test_a_text_can_be_shown_by_the_call_that_makes_it(caller: Caller, sandbox: Sandbox) -> None:
    post = await caller.create("At once", auto_publish_text="true", poll_attachment=json.dumps(POLL))
    (shown,) = sandbox.truth.posts()
    assert (shown.post_id, shown.settings["poll_attachment"]) == (post, POLL)


async def test_a_file_that_is_not_there_fails_at_once_or_later(caller: Caller) -> None:
    nowhere = "http://127.0.0.1:9/door"
    assert await caller.create("", media_type="IMAGE", image_url=nowhere) == (9004, 2207052)
    assert await caller.create("", media_type="IMAGE", image_url="https://example.com/x.jpg") == (9004, 2207052)
    video = await caller.create("", media_type="VIDEO", video_url=nowhere)
    assert (await caller.call("GET", video, fields="status"))["status"] == "IN_PROGRESS"


async def test_lists_come_in_pages_newest_first_and_as_late_as_told(
    caller: Caller, imitated: ThreadsSandbox, clock: FixedClock
) -> None:
    posts = []
    for number in range(3):
        posts.append(await caller.post(text=f"Door {number}"))
        clock.advance(timedelta(seconds=10))
    page = await caller.call("GET", "me/threads", fields="id,text,media_type,timestamp", limit=2)
    assert [each["id"] for each in page["data"]] == posts[:0:-1]
    assert page["data"][0]["media_type"] == "TEXT_POST"
    assert page["data"][0]["timestamp"] == "2026-11-22T10:00:20+0000"
    # The address of the next page holds the token, as Meta's does.
    assert caller.token in page["paging"]["next"]
    rest = await caller.call("GET", "me/threads", fields="id", limit=2, after=page["paging"]["cursors"]["after"])
    assert [each["id"] for each in rest["data"]] == posts[:1]
    since = int((clock.now() - timedelta(seconds=15)).timestamp())
    assert [each["id"] for each in (await caller.call("GET", "me/threads", since=since))["data"]] == posts[2:]
    imitated.state.listing_lag_seconds = 20
    assert [each["id"] for each in (await caller.call("GET", "me/threads"))["data"]] == posts[1::-1]
    assert await caller.call("GET", "me/replies") == (200, None)


async def test_a_day_has_its_posts_replies_and_deletions(
    caller: Caller, imitated: ThreadsSandbox, clock: FixedClock
) -> None:
    account = imitated.state.accounts[ACCOUNT]
    account.posts_max, account.replies_max, account.deletes_max = 2, 1, 1
    first = await caller.post()
    second = await caller.post()
    third = await caller.create()
    assert await caller.call("POST", "me/threads_publish", creation_id=third) == (613, None)
    await caller.post(reply_to_id=first)
    reply = await caller.create(reply_to_id=first)
    assert await caller.call("POST", "me/threads_publish", creation_id=reply) == (613, None)
    assert await caller.call("DELETE", first) == {"success": True, "deleted_id": first}
    assert await caller.call("DELETE", first) == (100, 33)
    assert await caller.call("DELETE", second) == (613, None)
    fields = "quota_usage,config,reply_quota_usage,reply_config,delete_quota_usage"
    told = await caller.call("GET", "me/threads_publishing_limit", fields=fields)
    assert told == {
        "data": [
            {
                "quota_usage": 2,
                "config": {"quota_total": 2, "quota_duration": 86400},
                "reply_quota_usage": 1,
                "reply_config": {"quota_total": 1, "quota_duration": 86400},
                "delete_quota_usage": 1,
            }
        ]
    }
    clock.advance(timedelta(days=1))
    assert await caller.post()


async def test_counts_are_for_the_metrics_asked_for(caller: Caller, clock: FixedClock) -> None:
    post = await caller.post()
    clock.advance(timedelta(hours=2))
    told = (await caller.call("GET", f"{post}/insights", metric="views,likes"))["data"]
    assert [(each["name"], each["period"]) for each in told] == [("views", "lifetime"), ("likes", "lifetime")]
    assert told[0]["values"][0]["value"] > told[1]["values"][0]["value"]
    assert await caller.call("GET", f"{post}/insights", metric="views,reach") == (100, None)


async def test_calls_beyond_the_limit_are_told_when_they_are_taken_again(
    caller: Caller, imitated: ThreadsSandbox
) -> None:
    imitated.state.usage.account_max = 2
    assert await caller.call("GET", "me") == {"id": ACCOUNT}
    assert await caller.call("GET", "me") == {"id": ACCOUNT}
    query = {"access_token": caller.token, "appsecret_proof": proof(caller.token)}
    answer = await caller.http.get(f"{caller.base}/v1.0/me", params=query)
    told = json.loads(answer.headers["x-business-use-case-usage"])[ACCOUNT][0]
    assert (answer.json()["error"]["code"], told["call_count"]) == (4, 100)
    assert told["estimated_time_to_regain_access"] == 24 * 60


async def test_what_a_person_did_not_allow_is_refused(caller: Caller) -> None:
    short = (await caller.redeem(await caller.code(scope="threads_basic"))).json()["access_token"]
    caller.token = short
    assert await caller.create() == (200, None)
    assert await caller.call("GET", "me", fields="username") == {"id": ACCOUNT, "username": "brand_one"}
