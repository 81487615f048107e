"""Counts of posts: as far as Facebook tells them, and nothing made up."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

import pytest
from kit.clock import FixedClock
from platforms.errors import RateLimited, ReauthorisationNeeded
from platforms.platform import Platform
from platforms.shape import Call, Delivery, Outcome
from sandbox.facebook.platform import FacebookSandbox
from sandbox.server import Sandbox
from sandbox.testing import MemoryJournal

Kinds = Mapping[str, Callable[..., Delivery]]
Settle = Callable[..., Awaitable[Outcome]]


@pytest.fixture
async def post_ids(
    facebook: Platform, call: Call, kinds: Kinds, settle: Settle, sandbox: Sandbox, clock: FixedClock
) -> list[str]:
    """A text and a video, an hour old."""
    for kind in ("text", "video"):
        delivery, journal = kinds[kind](), MemoryJournal()
        await facebook.stage(call, delivery, journal)
        await settle(delivery, journal, await facebook.publish(call, delivery, journal))
    clock.advance(timedelta(hours=1))
    return [post.post_id for post in sandbox.truth.posts("facebook")]


async def test_counts_are_told_for_each_post_and_gone_ones_are_absent(
    facebook: Platform, call: Call, post_ids: list[str], sandbox: Sandbox
) -> None:
    counts = await facebook.insights(call, [*post_ids, "101000000000001_404"])
    assert set(counts) == set(post_ids)
    text, video = (counts[post_id] for post_id in post_ids)
    for told in (text, video):
        assert told.views is not None
        assert told.reach is not None
        assert told.views >= told.reach > 0
        assert None not in (told.likes, told.comments, told.shares, told.clicks)
        assert told.impressions is None
    assert text.watch_seconds == 0
    assert video.watch_seconds == (video.views or 0) * 4
    sandbox.truth.posts("facebook")[0].removed = True
    assert set(await facebook.insights(call, post_ids)) == {post_ids[1]}


async def test_a_withdrawn_metric_costs_only_its_own_number(
    facebook: Platform, call: Call, post_ids: list[str], imitated: FacebookSandbox
) -> None:
    imitated.state.withdrawn_metrics = {"post_clicks"}
    counts = (await facebook.insights(call, post_ids))[post_ids[0]]
    assert counts.clicks is None
    assert counts.views


async def test_a_metric_without_a_value_is_not_a_zero(
    facebook: Platform, call: Call, post_ids: list[str], sandbox: Sandbox
) -> None:
    sandbox.add_fault("facebook", "GET */insights", "answer", status=200, body={"data": []})
    counts = (await facebook.insights(call, post_ids[:1]))[post_ids[0]]
    assert (counts.views, counts.reach, counts.clicks, counts.watch_seconds) == (None, None, None, None)
    assert counts.likes is not None


async def test_a_kind_of_post_without_these_fields_costs_the_others_nothing(
    facebook: Platform, call: Call, post_ids: list[str], sandbox: Sandbox
) -> None:
    error = {"error": {"code": 100, "message": "(#100) Tried accessing nonexisting field (shares)"}}
    sandbox.add_fault("facebook", f"GET /v26.0/{post_ids[0]}", "answer", status=400, body=error)
    counts = await facebook.insights(call, post_ids)
    assert (counts[post_ids[0]].shares, counts[post_ids[0]].likes) == (None, None)
    assert counts[post_ids[0]].views
    assert counts[post_ids[1]].likes is not None


async def test_no_shares_are_none_shared(facebook: Platform, call: Call, post_ids: list[str], sandbox: Sandbox) -> None:
    """Facebook leaves the field out while there are none."""
    body = {"id": post_ids[0], "comments": {"data": []}, "reactions": {"data": [], "summary": {"total_count": 2}}}
    sandbox.add_fault("facebook", f"GET /v26.0/{post_ids[0]}", "answer", status=200, body=body)
    counts = (await facebook.insights(call, post_ids[:1]))[post_ids[0]]
    assert (counts.shares, counts.likes, counts.comments) == (0, 2, None)


async def test_a_limit_in_the_middle_ends_the_batch_with_its_time(
    facebook: Platform, call: Call, post_ids: list[str], imitated: FacebookSandbox, clock: FixedClock
) -> None:
    imitated.state.usage.account_max = 1
    with pytest.raises(RateLimited) as caught:
        await facebook.insights(call, post_ids)
    assert clock.now() < caught.value.until <= clock.now() + timedelta(hours=24)


async def test_a_dead_grant_is_said_as_such(
    facebook: Platform, call: Call, post_ids: list[str], imitated: FacebookSandbox
) -> None:
    imitated.withdraw("10220000000000001")
    with pytest.raises(ReauthorisationNeeded):
        await facebook.insights(call, post_ids)
    assert await facebook.insights(call, []) == {}
