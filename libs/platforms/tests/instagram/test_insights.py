"""Counts by product: only metrics that exist are asked for, and one that is refused costs only itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from kit.clock import FixedClock
from platforms.errors import RateLimited, ReauthorisationNeeded
from platforms.platform import Platform
from platforms.shape import Call, Counts, Delivery, Journal, Outcome
from sandbox.instagram.platform import InstagramSandbox
from sandbox.server import Sandbox
from sandbox.testing import MemoryJournal

Deliveries = Mapping[str, Callable[..., Delivery]]
Post = Callable[[Delivery, Journal], Awaitable[Outcome]]


@pytest.fixture
async def posted(kinds: Deliveries, post: Post, clock: FixedClock) -> Mapping[str, str]:
    """The ids of one post of each product, an hour old."""
    ids = {}
    for kind in ("image", "reel", "image_story"):
        journal = MemoryJournal()
        await post(kinds[kind](), journal)
        ids[kind] = journal.facts["media_id"]
    clock.advance(timedelta(hours=1))
    return ids


async def test_each_product_has_its_counts(instagram: Platform, call: Call, posted: Mapping[str, str]) -> None:
    found = await instagram.insights(call, list(posted.values()))
    image, reel, story = (found[posted[kind]] for kind in ("image", "reel", "image_story"))
    assert (image.views or 0) > (image.reach or 0) > (image.likes or 0) > (image.comments or 0) > 0
    assert (image.saves, image.impressions, image.watch_seconds) != (None, None, 0.0)
    assert reel.watch_seconds == 4.0 * (reel.views or 0)
    assert image.watch_seconds is None
    assert (story.clicks or 0) > 0
    assert (image.clicks, story.saves) == (None, None)


async def test_they_grow_and_what_is_gone_is_left_out(
    instagram: Platform, call: Call, posted: Mapping[str, str], clock: FixedClock
) -> None:
    early = await instagram.insights(call, [posted["image"], posted["image_story"], "17900000000000000"])
    clock.advance(timedelta(hours=24))
    late = await instagram.insights(call, [posted["image"], posted["image_story"]])
    assert set(early) == {posted["image"], posted["image_story"]}
    assert set(late) == {posted["image"]}
    assert (late[posted["image"]].views or 0) > (early[posted["image"]].views or 0)


async def test_a_refused_metric_costs_only_itself(
    instagram: Platform, call: Call, posted: Mapping[str, str], imitated: InstagramSandbox
) -> None:
    whole = (await instagram.insights(call, [posted["image"]]))[posted["image"]]
    imitated.state.withdrawn_metrics = {"saved", "likes"}
    found = (await instagram.insights(call, [posted["image"]]))[posted["image"]]
    # Likes are told by the post itself too.
    assert found == replace(whole, saves=None)


async def test_a_story_that_few_have_seen_has_no_counts_yet(
    instagram: Platform, call: Call, kinds: Deliveries, post: Post, journal: MemoryJournal
) -> None:
    await post(kinds["image_story"](), journal)
    post_id = journal.facts["media_id"]
    assert await instagram.insights(call, [post_id]) == {post_id: Counts(likes=0, comments=0)}


async def test_the_same_number_is_a_missing_permission_where_the_permission_is_missing(
    instagram: Platform, call: Call, posted: Mapping[str, str], sandbox: Sandbox
) -> None:
    narrow = replace(call, grant=replace(call.grant, scopes=("instagram_business_basic",)))
    body = {"error": {"code": 10, "message": "(#10) Application does not have permission for this action"}}
    sandbox.add_fault("instagram", "GET /v26.0/*/insights", "answer", status=400, body=body)
    with pytest.raises(ReauthorisationNeeded):
        await instagram.insights(narrow, [posted["image"]])


async def test_a_limit_ends_the_batch(
    instagram: Platform, call: Call, posted: Mapping[str, str], sandbox: Sandbox
) -> None:
    body = {"error": {"code": 80002, "message": "no"}}
    sandbox.add_fault("instagram", "GET /v26.0/*/insights", "answer", status=400, body=body)
    with pytest.raises(RateLimited):
        await instagram.insights(call, list(posted.values()))


async def test_missing_data_is_no_zero(
    instagram: Platform, call: Call, posted: Mapping[str, str], sandbox: Sandbox
) -> None:
    sandbox.add_fault("instagram", "GET /v26.0/*/insights", "answer", status=200, body={"data": []})
    found = (await instagram.insights(call, [posted["image"]]))[posted["image"]]
    assert (found.views, found.reach, found.saves) == (None, None, None)
    assert found.likes is not None
