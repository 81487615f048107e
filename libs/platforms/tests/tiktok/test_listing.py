"""The account's own posts on TikTok: a list that leaves out so much that it never proves an absence."""

from __future__ import annotations

from datetime import timedelta

from kit.clock import FixedClock
from platforms.platform import Platform
from platforms.shape import Call, Delivery
from sandbox.server import Sandbox
from sandbox.testing import MemoryJournal


async def test_what_is_public_is_listed(
    tiktok: Platform,
    tiktok_call: Call,
    delivery: Delivery,
    journal: MemoryJournal,
    sandbox: Sandbox,
    clock: FixedClock,
):
    await tiktok.stage(tiktok_call, delivery, journal)
    await tiktok.publish(tiktok_call, delivery, journal)
    clock.advance(timedelta(minutes=5))
    (post,) = sandbox.truth.posts("tiktok")
    listed = await tiktok.own_posts(tiktok_call, since=delivery.planned_at)
    assert [(shown.post_id, shown.text) for shown in listed.posts] == [(post.post_id, delivery.text)]
    assert not listed.complete
    assert "private" in listed.left_out
    assert (await tiktok.own_posts(tiktok_call, since=clock.now())).posts == ()
