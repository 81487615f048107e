"""A pin is taken off as Pinterest's published description has it."""

from __future__ import annotations

from collections.abc import Callable

from platforms.platform import Platform
from platforms.shape import Call, Delivery, NotThere, Published, Removed
from sandbox.server import Sandbox
from sandbox.testing import MemoryJournal


async def test_a_pin_is_removed_and_then_not_there(
    pinterest: Platform, call: Call, make_pin: Callable[..., Delivery], journal: MemoryJournal, sandbox: Sandbox
):
    delivery = make_pin()
    await pinterest.stage(call, delivery, journal)
    outcome = await pinterest.publish(call, delivery, journal)
    assert isinstance(outcome, Published)
    listed = await pinterest.own_posts(call, since=delivery.planned_at)
    assert [(pin.post_id, pin.text) for pin in listed.posts] == [(outcome.receipt.post_id, "Fresh paint")]
    assert isinstance(await pinterest.remove(call, outcome.receipt), Removed)
    assert sandbox.truth.posts("pinterest") == []
    assert isinstance(await pinterest.remove(call, outcome.receipt), NotThere)
