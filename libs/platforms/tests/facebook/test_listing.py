"""A Page's list names every kind of post as its receipt does, and a removal takes every kind off."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

import pytest
from kit.clock import FixedClock
from platforms.platform import Platform
from platforms.shape import Call, Delivery, Outcome, Published, Removed
from sandbox.server import Sandbox
from sandbox.testing import MemoryJournal

KINDS = ("text", "link", "image", "carousel", "video", "reel", "image_story", "video_story")


@pytest.mark.parametrize("kind", KINDS)
async def test_a_post_of_each_kind_is_listed_by_its_receipts_name_and_taken_off(
    facebook: Platform,
    call: Call,
    kinds: Mapping[str, Callable[..., Delivery]],
    settle: Callable[..., Awaitable[Outcome]],
    journal: MemoryJournal,
    sandbox: Sandbox,
    clock: FixedClock,
    kind: str,
):
    delivery = kinds[kind]()
    await facebook.stage(call, delivery, journal)
    outcome = await settle(delivery, journal, await facebook.publish(call, delivery, journal))
    assert isinstance(outcome, Published)
    listed = await facebook.own_posts(call, since=clock.now() - timedelta(hours=1))
    assert [shown.post_id for shown in listed.posts] == ([] if "story" in kind else [outcome.receipt.post_id])
    assert "stories" in listed.left_out
    assert isinstance(await facebook.remove(call, outcome.receipt), Removed)
    assert sandbox.truth.posts() == []
