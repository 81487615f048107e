"""Meta's own Python client against the imitated Facebook: unchanged, but for the address it calls."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from facebook_business.adobjects.page import Page
from facebook_business.adobjects.pagepost import PagePost
from facebook_business.adobjects.user import User
from facebook_business.api import FacebookAdsApi
from facebook_business.exceptions import FacebookRequestError
from facebook_business.session import FacebookSession
from kit.clock import FixedClock
from platforms.platform import Platform
from platforms.shape import Call, Delivery
from sandbox.facebook.platform import FacebookSandbox
from sandbox.server import Sandbox
from sandbox.testing import MemoryJournal

PAGE = "101000000000001"
Kinds = Mapping[str, Callable[..., Delivery]]

# The client's type checker takes no list for a list of objects, and says so of every metric.
pytestmark = pytest.mark.filterwarnings("ignore:value of metric might not be compatible")

WRITES = {
    "feed": "create_feed",
    "photos": "create_photo",
    "videos": "create_video",
    "video_reels": "create_video_reel",
    "photo_stories": "create_photo_story",
    "video_stories": "create_video_story",
}
UNLISTED = {"source", "video_file_chunk", "upload_phase", "video_id", "fields", "appsecret_proof"}
"""Files and parameters of every call: the client has ways of its own for them."""


@pytest.fixture
def official(call: Call, sandbox: Sandbox) -> Callable[[str], FacebookAdsApi]:
    """The client with a token and the application's secret, of which it makes the proof."""

    def of(token: str) -> FacebookAdsApi:
        session = FacebookSession("sandbox-client-id", "sandbox-client-secret", token)
        session.GRAPH = sandbox.base_urls["facebook"]
        return FacebookAdsApi(session)

    return of


@pytest.fixture
def page_api(official: Callable[[str], FacebookAdsApi], call: Call) -> FacebookAdsApi:
    return official(call.grant.access_token.reveal())


async def test_it_lists_the_pages_and_gets_their_tokens(official: Callable[[str], FacebookAdsApi], call: Call) -> None:
    assert call.grant.refresh_token is not None
    api = official(call.grant.refresh_token.reveal())

    def ask() -> list[Any]:
        return list(User("me", api=api).get_accounts(fields=["name", "access_token"], params={"limit": 1}))

    pages = await asyncio.to_thread(ask)
    assert [page["name"] for page in pages] == ["Brand One", "Brand Two"]
    assert all(page["access_token"].startswith("EAAB") for page in pages)


async def test_it_publishes_reads_back_and_measures(
    page_api: FacebookAdsApi, call: Call, facebook: Platform, sandbox: Sandbox, tmp_path: Path
) -> None:
    picture = tmp_path / "door.jpg"
    picture.write_bytes(b"\xff\xd8\xff" + b"door" * 5000)

    def use() -> tuple[Any, Any, Any, Any]:
        page = Page(PAGE, api=page_api)
        with picture.open("rb") as source:
            sent = page_api.call("POST", (PAGE, "photos"), params={"published": False}, files={"source": source})
        attached = [{"media_fbid": sent.json()["id"]}]
        made = page.create_feed(params={"message": "Fresh paint", "attached_media": attached})
        told = PagePost(made["id"], api=page_api)
        read = told.api_get(fields=["message", "permalink_url", "created_time"])
        insights = told.get_insights(params={"metric": ["post_media_view", "post_reactions_by_type_total"]})
        return made, read, list(insights), list(page.get_published_posts(fields=["message"]))

    made, read, insights, listed = await asyncio.to_thread(use)
    (post,) = sandbox.truth.posts("facebook")
    assert post.post_id == made["id"] == listed[0]["id"]
    assert post.media[0].sha256 == hashlib.sha256(picture.read_bytes()).hexdigest()
    assert (post.text, read["message"], listed[0]["message"]) == ("Fresh paint",) * 3
    assert {item["name"] for item in insights} == {"post_media_view", "post_reactions_by_type_total"}
    ours = await facebook.insights(call, [made["id"]])
    assert ours[made["id"]].views == insights[0]["values"][0]["value"]


async def test_our_own_client_sends_only_what_metas_knows(
    facebook: Platform, call: Call, kinds: Kinds, imitated: FacebookSandbox, page_api: FacebookAdsApi
) -> None:
    for make in kinds.values():
        delivery, journal = make(), MemoryJournal()
        await facebook.stage(call, delivery, journal)
        await facebook.publish(call, delivery, journal)
    sent: dict[str, set[str]] = {}
    for method, edge, names in imitated.state.graph.asked:
        if method == "POST" and edge in WRITES:
            sent.setdefault(edge, set()).update(name.partition("[")[0] for name in names)
    assert set(sent) == set(WRITES)
    for edge, known in sent.items():
        request = getattr(Page(PAGE, api=page_api), WRITES[edge])(pending=True)
        unknown = {name for name in known - UNLISTED if not request._param_checker.is_valid_key(name)}
        assert unknown == set(), edge


async def test_it_publishes_a_reel_in_the_three_steps(
    page_api: FacebookAdsApi, call: Call, sandbox: Sandbox, clock: FixedClock
) -> None:
    def start() -> Any:
        return Page(PAGE, api=page_api).create_video_reel(params={"upload_phase": "start"})

    started = await asyncio.to_thread(start)
    headers = {
        "Authorization": f"OAuth {call.grant.access_token.reveal()}",
        "offset": "0",
        "file_size": "4",
        "Content-Type": "application/octet-stream",
    }
    sent = await call.http.post(started["upload_url"], content=b"reel", headers=headers)
    assert sent.json()["success"] is True

    def finish() -> Any:
        params = {
            "upload_phase": "finish",
            "video_id": started["video_id"],
            "video_state": "PUBLISHED",
            "description": "Upright",
        }
        return Page(PAGE, api=page_api).create_video_reel(params=params)

    await asyncio.to_thread(finish)
    clock.advance(timedelta(seconds=1))
    assert [post.text for post in sandbox.truth.posts("facebook")] == ["Upright"]


async def test_it_understands_how_errors_are_told(page_api: FacebookAdsApi) -> None:
    def ask() -> None:
        PagePost(f"{PAGE}_404", api=page_api).api_get(fields=["message"])

    with pytest.raises(FacebookRequestError) as caught:
        await asyncio.to_thread(ask)
    assert (caught.value.api_error_code(), caught.value.api_error_subcode()) == (100, 33)


async def test_a_wrong_secret_is_refused_by_its_proof(call: Call, sandbox: Sandbox) -> None:
    session = FacebookSession("sandbox-client-id", "another-secret", call.grant.access_token.reveal())
    session.GRAPH = sandbox.base_urls["facebook"]

    def ask() -> None:
        Page(PAGE, api=FacebookAdsApi(session)).api_get(fields=["name"])

    with pytest.raises(FacebookRequestError, match="appsecret_proof"):
        await asyncio.to_thread(ask)
