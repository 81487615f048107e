"""The account's own posts on Instagram, of which stories are told to be missing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

from kit.clock import FixedClock
from platforms.platform import Platform
from platforms.shape import Call, Delivery, Published
from sandbox.testing import MemoryJournal


async def test_a_post_is_listed_until_it_is_older_than_what_is_asked_for(
    instagram: Platform,
    call: Call,
    delivery: Delivery,
    bring: Callable[..., Awaitable[None]],
    journal: MemoryJournal,
    clock: FixedClock,
):
    await bring(delivery, journal)
    outcome = await instagram.publish(call, delivery, journal)
    assert isinstance(outcome, Published)
    listed = await instagram.own_posts(call, since=clock.now() - timedelta(minutes=1))
    assert [(shown.post_id, shown.text) for shown in listed.posts] == [(outcome.receipt.post_id, delivery.text)]
    assert (listed.complete, listed.left_out) == (True, "stories")
    assert (await instagram.own_posts(call, since=clock.now() + timedelta(minutes=1))).posts == ()
