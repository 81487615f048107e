"""The imitated Instagram by itself: what it refuses, and how it counts."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any

import httpx
import pytest
from kit.clock import FixedClock
from litestar.types import Receive, Scope, Send
from sandbox.consent import callback_parameters, give_consent
from sandbox.instagram.platform import InstagramSandbox
from sandbox.server import Sandbox
from sandbox.serving import LoopbackServer

ACCOUNT = "17841400000000001"
SCOPES = ("basic", "content_publish", "manage_comments", "manage_insights")
TYPES = {"/image": b"image/jpeg", "/png": b"image/png", "/video": b"video/mp4", "/text": b"text/plain"}


@pytest.fixture
async def sandbox(clock: FixedClock) -> AsyncIterator[Sandbox]:
    async with Sandbox(clock=clock, only=("instagram",)) as running:
        yield running


@pytest.fixture
def instagram(sandbox: Sandbox) -> InstagramSandbox:
    return sandbox.of(InstagramSandbox)


@pytest.fixture
async def files() -> AsyncIterator[str]:
    """Where a file of each type lies, and one larger than an image may be."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        kind, size = TYPES.get(scope["path"], b"image/jpeg"), 9_000_000 if scope["path"] == "/large" else 1000
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]})
        await send({"type": "http.response.body", "body": b"x" * size, "more_body": False})

    server = LoopbackServer()
    await server.start(serve)
    yield server.base_url
    await server.stop()


class Caller:
    """A connected account, called as the platform is."""

    def __init__(self, http: httpx.AsyncClient, base: str, token: str) -> None:
        self.http = http
        self.base = base
        self.token = token
        self.proof = hmac.new(b"sandbox-client-secret", token.encode(), hashlib.sha256).hexdigest()

    async def __call__(self, method: str, path: str, **parameters: Any) -> httpx.Response:
        parameters |= {"access_token": self.token, "appsecret_proof": self.proof}
        url = f"{self.base}/v26.0/{path}"
        if method == "POST":
            return await self.http.post(url, data=parameters)
        return await self.http.request(method, url, params=parameters)

    async def create(self, **parameters: Any) -> Mapping[str, Any]:
        answer: Mapping[str, Any] = (await self("POST", f"{ACCOUNT}/media", **parameters)).json()
        return answer

    async def error(self, method: str, path: str, **parameters: Any) -> tuple[int, int | None]:
        told = (await self(method, path, **parameters)).json()["error"]
        return told["code"], told.get("error_subcode")


@pytest.fixture
async def caller(sandbox: Sandbox, http: httpx.AsyncClient) -> Caller:
    base = sandbox.base_urls["instagram"]
    scope = ",".join(f"instagram_business_{word}" for word in SCOPES)
    query = {"client_id": "sandbox-client-id", "redirect_uri": "http://127.0.0.1:1/cb", "response_type": "code"}
    location = await give_consent(http, str(httpx.URL(f"{base}/oauth/authorize", params=query | {"scope": scope})))
    form = {
        "client_id": "sandbox-client-id",
        "client_secret": "sandbox-client-secret",
        "grant_type": "authorization_code",
        "redirect_uri": "http://127.0.0.1:1/cb",
        "code": callback_parameters(location)["code"],
    }
    short = (await http.post(f"{base}/oauth/access_token", data=form)).json()["data"][0]["access_token"]
    return Caller(http, base, short)


async def test_a_container_lives_through_its_states(
    caller: Caller, files: str, clock: FixedClock, sandbox: Sandbox
) -> None:
    async def status() -> str:
        word: str = (await caller("GET", made["id"], fields="status_code")).json()["status_code"]
        return word

    made = await caller.create(media_type="REELS", video_url=f"{files}/video", caption="A door")
    publish = ("POST", f"{ACCOUNT}/media_publish")
    assert await status() == "IN_PROGRESS"
    assert await caller.error(*publish, creation_id=made["id"]) == (9007, 2207027)
    clock.advance(timedelta(seconds=1))
    assert await status() == "FINISHED"
    assert (await caller(*publish, creation_id=made["id"])).status_code == 200
    assert await status() == "PUBLISHED"
    assert await caller.error(*publish, creation_id=made["id"]) == (24, 2207006)
    assert len(sandbox.truth.posts()) == 1
    late = await caller.create(image_url=f"{files}/image")
    assert await caller.error(*publish, creation_id="1") == (24, 2207006)
    sandbox.of(InstagramSandbox).state.containers[late["id"]].created_at -= timedelta(hours=24)
    assert await caller.error(*publish, creation_id=late["id"]) == (24, 2207008)


REFUSED: list[tuple[dict[str, str], tuple[int, int | None]]] = [
    ({}, (100, None)),
    ({"media_type": "VIDEO", "video_url": "/video"}, (100, 2207023)),
    ({"media_type": "IGTV", "video_url": "/video"}, (100, 2207023)),
    ({"media_type": "REELS", "image_url": "/image"}, (100, None)),
    ({"media_type": "REELS", "upload_type": "resumable"}, (100, None)),
    ({"media_type": "STORIES", "image_url": "/image", "caption": "x"}, (100, None)),
    ({"media_type": "STORIES", "image_url": "/image", "collaborators": '["a"]'}, (100, None)),
    ({"media_type": "REELS", "video_url": "/video", "alt_text": "x"}, (100, None)),
    ({"is_carousel_item": "true", "image_url": "/image", "caption": "x"}, (100, None)),
    ({"is_carousel_item": "true", "media_type": "REELS", "video_url": "/video"}, (100, 2207023)),
    ({"media_type": "CAROUSEL", "children": "1"}, (100, 2207028)),
    ({"media_type": "CAROUSEL", "children": "1,2"}, (24, 2207006)),
    ({"image_url": "/png"}, (36001, 2207005)),
    ({"image_url": "/large"}, (36000, 2207004)),
    ({"image_url": "https://example.com/door.jpg"}, (9004, 2207052)),
    ({"image_url": "/image", "caption": "x" * 2201}, (36004, 2207010)),
    ({"image_url": "/image", "caption": "#a " * 31}, (36004, 2207010)),
    ({"image_url": "/image", "collaborators": '["a","b","c","d"]'}, (100, None)),
    ({"image_url": "/image", "collaborators": "a"}, (100, None)),
    ({"image_url": "/image", "user_tags": '[{"username":"a"}]'}, (100, 2207036)),
    ({"image_url": "/image", "user_tags": '[{"name":"a"}]'}, (100, 2207035)),
    ({"image_url": "/image", "alt_text": "x" * 1001}, (100, None)),
    ({"image_url": "/image", "location_id": "the pub"}, (100, None)),
    ({"image_url": "/image", "thumb_offset": "5"}, (100, None)),
]


async def test_what_instagram_refuses_makes_no_container(
    caller: Caller, files: str, instagram: InstagramSandbox
) -> None:
    for parameters, expected in REFUSED:
        whole = {name: files + value if value.startswith("/") else value for name, value in parameters.items()}
        assert await caller.error("POST", f"{ACCOUNT}/media", **whole) == expected, parameters
    assert instagram.state.containers == {}


async def test_a_carousel_takes_only_items_that_are_ready(caller: Caller, files: str, clock: FixedClock) -> None:
    first = await caller.create(is_carousel_item="true", image_url=f"{files}/image")
    second = await caller.create(is_carousel_item="true", media_type="VIDEO", video_url=f"{files}/video")
    parameters = {"media_type": "CAROUSEL", "children": f"{first['id']},{second['id']}"}
    assert await caller.error("POST", f"{ACCOUNT}/media", **parameters) == (9007, 2207027)
    clock.advance(timedelta(seconds=1))
    assert (await caller.create(**parameters))["id"]


async def test_a_file_that_is_no_video_fails_while_it_is_processed(
    caller: Caller, files: str, clock: FixedClock
) -> None:
    made = await caller.create(media_type="REELS", video_url=f"{files}/text")
    clock.advance(timedelta(seconds=1))
    told = (await caller("GET", made["id"], fields="status_code,status")).json()
    assert told["status_code"] == "ERROR"
    assert "2207026" in told["status"]


async def test_quotas_and_limits_are_held_and_told(
    caller: Caller, files: str, instagram: InstagramSandbox, clock: FixedClock
) -> None:
    instagram.state.accounts[ACCOUNT].quota_total = 1
    for code in (200, 400):
        made = await caller.create(image_url=f"{files}/image")
        answer = await caller("POST", f"{ACCOUNT}/media_publish", creation_id=made["id"])
        assert answer.status_code == code
    assert answer.json()["error"]["error_subcode"] == 2207042
    limit = await caller("GET", f"{ACCOUNT}/content_publishing_limit", fields="quota_usage,config")
    config = {"quota_total": 1, "quota_duration": 86400}
    assert limit.json() == {"data": [{"quota_usage": 1, "config": config}]}
    assert ACCOUNT in limit.headers["x-business-use-case-usage"]
    instagram.state.graph._usage.account_max = 5
    assert await caller.error("GET", "me") == (80002, None)


async def test_a_token_sees_its_own_account_only(caller: Caller, files: str) -> None:
    other = "17841400000000002"
    assert await caller.error("GET", f"{other}/media") == (100, 33)
    assert await caller.error("POST", f"{other}/media", image_url=f"{files}/image") == (100, 33)
    assert await caller.error("GET", "17900000000000000") == (100, 33)
    caller.proof = "0" * 64
    assert await caller.error("GET", "me") == (100, None)


async def test_a_token_is_not_renewed_on_its_first_day(
    caller: Caller, http: httpx.AsyncClient, clock: FixedClock
) -> None:
    trade = {"grant_type": "ig_exchange_token", "client_secret": "sandbox-client-secret", "access_token": caller.token}
    long_lived = (await http.get(f"{caller.base}/access_token", params=trade)).json()
    assert long_lived["expires_in"] == 5_183_944
    lasting = Caller(http, caller.base, long_lived["access_token"])
    renewal = ("GET", "refresh_access_token")
    clock.advance(timedelta(hours=23))
    assert await lasting.error(*renewal, grant_type="ig_refresh_token") == (100, None)
    assert await caller.error("GET", "me") == (190, 463)
    clock.advance(timedelta(hours=1))
    answer = (await lasting(*renewal, grant_type="ig_refresh_token")).json()
    assert answer["access_token"] != lasting.token
    assert "instagram_business_basic" in answer["permissions"]


async def test_accounts_can_be_added_and_their_posts_have_pages(
    sandbox: Sandbox, http: httpx.AsyncClient, caller: Caller, files: str
) -> None:
    base = sandbox.base_urls["instagram"]
    added = (await http.post(f"{base}/_sandbox/accounts", json={"username": "nora"})).json()
    assert added["user_id"] != added["person_id"]
    made = await caller.create(image_url=f"{files}/image", caption="A door")
    medium = (await caller("POST", f"{ACCOUNT}/media_publish", creation_id=made["id"])).json()
    told = (await caller("GET", medium["id"], fields="permalink,media_product_type,timestamp")).json()
    assert (told["media_product_type"], told["timestamp"]) == ("FEED", "2026-11-22T10:00:00+0000")
    assert "A door" in (await http.get(told["permalink"])).text
    assert (await http.get(f"{base}/p/unknown/")).status_code == 404
