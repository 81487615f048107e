"""Meta's own Python client against the imitated Instagram: unchanged, but for the address it calls."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest
from facebook_business.adobjects.igmediaforigonlyapi import IGMediaForIGOnlyAPI
from facebook_business.adobjects.iguserforigonlyapi import IGUserForIGOnlyAPI
from facebook_business.adobjects.instagraminsightsresult import InstagramInsightsResult
from facebook_business.api import FacebookAdsApi
from facebook_business.exceptions import FacebookRequestError
from facebook_business.session import FacebookSession
from platforms.instagram.reading import METRICS
from platforms.platform import Platform
from platforms.shape import Call, Delivery, Journal, Media, Outcome
from sandbox.instagram.platform import InstagramSandbox
from sandbox.server import Sandbox
from sandbox.testing import MemoryJournal

ACCOUNT = "17841400000000001"
Deliveries = Mapping[str, Callable[..., Delivery]]
Post = Callable[[Delivery, Journal], Awaitable[Outcome]]

# The client's type checker takes no list for a list of choices, and says so of every metric.
pytestmark = pytest.mark.filterwarnings("ignore:value of metric might not be compatible")

OF_EVERY_CALL = {"appsecret_proof"}


@pytest.fixture
def api(call: Call, sandbox: Sandbox) -> FacebookAdsApi:
    """The client with the token and the application's secret, of which it makes the proof."""
    token = call.grant.access_token.reveal()
    session = FacebookSession("sandbox-client-id", "sandbox-client-secret", token)
    session.GRAPH = sandbox.base_urls["instagram"]
    return FacebookAdsApi(session)


async def test_it_publishes_reads_back_and_measures(
    api: FacebookAdsApi, call: Call, instagram: Platform, image: Callable[..., Media], sandbox: Sandbox
) -> None:
    picture = image()
    assert picture.source is not None
    address = await picture.source.address()

    def use() -> tuple[Any, Any, Any, Any]:
        user = IGUserForIGOnlyAPI(ACCOUNT, api=api)
        container = user.create_media(params={"image_url": address, "caption": "Fresh paint", "alt_text": "A door"})
        made = user.create_media_publish(params={"creation_id": container["id"]})
        medium = IGMediaForIGOnlyAPI(made["id"], api=api)
        read = medium.api_get(fields=["caption", "permalink", "media_product_type"])
        counted = medium.get_insights(params={"metric": ["views", "reach"]})
        return made, read, list(counted), list(user.get_media(params={"fields": "caption"}))

    made, read, counted, listed = await asyncio.to_thread(use)
    (shown,) = sandbox.truth.posts("instagram")
    assert shown.post_id == made["id"] == listed[0]["id"]
    assert (shown.media[0].sha256, shown.media[0].alt_text) == (picture.sha256, "A door")
    assert (shown.text, read["caption"], listed[0]["caption"]) == ("Fresh paint",) * 3
    ours = await instagram.insights(call, [made["id"]])
    assert ours[made["id"]].views == counted[0]["values"][0]["value"]


async def test_our_own_client_sends_only_what_metas_knows(
    kinds: Deliveries, post: Post, imitated: InstagramSandbox, api: FacebookAdsApi
) -> None:
    tagged = {"user_tags": [{"username": "nora.b", "x": 0.5, "y": 0.5}], "collaborators": ["ole"], "location_id": "1"}
    for delivery in (
        kinds["image"](**tagged, is_ai_generated=True, first_comment="Who opens it?"),
        kinds["carousel"](),
        kinds["reel"](cover_offset_ms=1),
        kinds["video_story"](),
    ):
        await post(delivery, MemoryJournal())
    user, medium = IGUserForIGOnlyAPI(ACCOUNT, api=api), IGMediaForIGOnlyAPI("1", api=api)
    known = {
        "media": user.create_media,
        "media_publish": user.create_media_publish,
        "comments": medium.create_comment,
    }
    sent: dict[str, set[str]] = {}
    for method, edge, names in imitated.state.graph.asked:
        if method == "POST":
            sent.setdefault(edge, set()).update(names)
    assert set(sent) == set(known)
    for edge, told in sent.items():
        checker = known[edge](pending=True)._param_checker
        assert {name for name in told - OF_EVERY_CALL if not checker.is_valid_key(name)} == set(), edge


def test_our_metrics_are_among_metas() -> None:
    known = {value for name, value in vars(InstagramInsightsResult.Metric).items() if not name.startswith("_")}
    assert {name for names in METRICS.values() for name in names} <= known


async def test_it_understands_how_errors_are_told(api: FacebookAdsApi) -> None:
    def ask() -> None:
        IGUserForIGOnlyAPI(ACCOUNT, api=api).create_media_publish(params={"creation_id": "404"})

    with pytest.raises(FacebookRequestError) as caught:
        await asyncio.to_thread(ask)
    assert (caught.value.api_error_code(), caught.value.api_error_subcode()) == (24, 2207006)
