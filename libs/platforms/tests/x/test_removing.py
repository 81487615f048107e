"""A thread on X is taken off from its end, one call a post."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from kit.clock import FixedClock
from platforms.errors import Transient
from platforms.platform import Platform
from platforms.shape import Call, Delivery, NotThere, Published, Removed
from sandbox.server import Sandbox
from sandbox.testing import MemoryJournal

DELETE = "DELETE /2/tweets/*"


@pytest.mark.parametrize("kind", ["reset_before", "reset_after"])
async def test_a_thread_is_removed_from_its_end_and_goes_on_after_a_loss(
    x: Platform,
    call: Call,
    make_delivery: Callable[..., Delivery],
    journal: MemoryJournal,
    sandbox: Sandbox,
    clock: FixedClock,
    kind: str,
) -> None:
    settings = {"thread": [{"text": "two"}, {"text": "three"}], "first_comment": "four"}
    delivery = make_delivery("one", settings=settings)
    await x.stage(call, delivery, journal)
    outcome = await x.publish(call, delivery, journal)
    assert isinstance(outcome, Published)
    listed = await x.own_posts(call, since=clock.now())
    assert sorted(shown.text for shown in listed.posts) == ["four", "one", "three", "two"]
    sandbox.add_fault("x", DELETE, kind, skip=2)
    with pytest.raises(Transient):
        await x.remove(call, outcome.receipt)
    left = ["one", "two"] if kind == "reset_before" else ["one"]
    assert [post.text for post in sandbox.truth.posts()] == left
    removed = await x.remove(call, outcome.receipt)
    assert isinstance(removed, Removed)
    assert len(removed.evidence["removed"]) == len(left)
    assert sandbox.truth.posts() == []
    assert isinstance(await x.remove(call, outcome.receipt), NotThere)
