"""Counts in batches: public ones for everything, clicks for the author's posts of thirty days."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from kit.clock import FixedClock
from platforms.platform import Platform
from platforms.shape import Call, Counts, Delivery
from platforms.x.limits import INSIGHTS_IDS_MAX
from platforms.x.reading import made_at
from sandbox.server import Sandbox
from sandbox.testing import MemoryJournal
from sandbox.x.platform import XSandbox

LOOKUP = "GET /2/tweets"


async def post(x: Platform, call: Call, delivery: Delivery) -> str:
    journal = MemoryJournal()
    await x.publish(call, delivery, journal)
    return str(journal.facts["posts"]["0"])


def test_an_id_tells_when_its_post_was_made() -> None:
    assert made_at("1445880548472328192") == datetime(2021, 10, 6, 22, 36, 0, 574000, tzinfo=UTC)


@pytest.mark.parametrize("renamed", [False, True])
async def test_counts_of_own_posts_and_none_of_a_post_that_is_gone(
    x: Platform,
    call: Call,
    make_delivery: Callable[..., Delivery],
    sandbox: Sandbox,
    clock: FixedClock,
    renamed: bool,
) -> None:
    sandbox.of(XSandbox).state.renamed = renamed
    kept, gone = [await post(x, call, make_delivery(text)) for text in ("kept", "gone")]
    sandbox.truth.posts()[1].removed = True
    clock.advance(timedelta(minutes=90))
    counts = await x.insights(call, [kept, gone])
    assert set(counts) == {kept}
    found = counts[kept]
    shown = sandbox.of(XSandbox).state.post(kept)
    assert shown is not None
    assert found.views == found.impressions
    assert found.views is not None
    assert found.views > 100
    for number in (found.likes, found.comments, found.shares, found.saves, found.clicks):
        assert number is not None
        assert number > 0
    assert found.reach is None
    assert sandbox.requests("x", LOOKUP) == 1
    assert x.insights_batch_max == INSIGHTS_IDS_MAX == 100


async def test_old_posts_are_asked_for_without_private_numbers(
    x: Platform,
    call: Call,
    make_delivery: Callable[..., Delivery],
    x_client: Any,
    sandbox: Sandbox,
    clock: FixedClock,
) -> None:
    old = await post(x, call, make_delivery("old"))
    clock.advance(timedelta(days=31))
    call = Call(call.http, clock, await x.refresh(call.http, x_client, call.grant, clock=clock))
    young = await post(x, call, make_delivery("young"))
    clock.advance(timedelta(minutes=90))
    counts = await x.insights(call, [old, young])
    assert (counts[old].clicks, counts[young].clicks is None) == (None, False)
    assert counts[old].views
    assert sandbox.requests("x", LOOKUP) == 2


async def test_a_post_withheld_with_its_private_numbers_is_asked_for_without(
    x: Platform, call: Call, make_delivery: Callable[..., Delivery], sandbox: Sandbox, clock: FixedClock
) -> None:
    post_id = await post(x, call, make_delivery("young"))
    clock.advance(timedelta(minutes=90))
    problem = {"resource_id": post_id, "type": "https://api.twitter.com/2/problems/not-authorized-for-resource"}
    sandbox.add_fault("x", LOOKUP, "answer", status=200, body={"errors": [problem]})
    counts = await x.insights(call, [post_id])
    assert counts[post_id].views
    assert counts[post_id].clicks is None


async def test_nothing_is_asked_for_nothing(x: Platform, call: Call, sandbox: Sandbox) -> None:
    assert await x.insights(call, []) == {}
    sandbox.add_fault("x", LOOKUP, "answer", status=200, body={"errors": []})
    assert await x.insights(call, ["1445880548472328192"]) == {}
    sandbox.add_fault(
        "x", LOOKUP, "answer", status=200, body={"data": [{"id": "7", "public_metrics": {"like_count": 3}}]}
    )
    assert await x.insights(call, ["7"]) == {"7": Counts(likes=3)}
