"""What the publisher does around the client: staging to the end, looking until it is clear."""

from __future__ import annotations

from datetime import timedelta

from kit.clock import FixedClock
from platforms.errors import RateLimited, Transient
from platforms.platform import Platform
from platforms.shape import Call, Delivery, Finding, Published
from sandbox.server import Sandbox
from sandbox.testing import MemoryJournal
from sandbox.truth import Post


async def staged(x: Platform, call: Call, delivery: Delivery, journal: MemoryJournal, clock: FixedClock) -> None:
    """Stage to the end, as the publisher does: wait where X says how long."""
    for _ in range(5):
        try:
            await x.stage(call, delivery, journal)
        except RateLimited as waiting:
            clock.advance(waiting.until - clock.now())
        else:
            return
    raise AssertionError("X never finished processing")


async def posted(
    x: Platform, call: Call, delivery: Delivery, journal: MemoryJournal, clock: FixedClock, sandbox: Sandbox
) -> list[Post]:
    await staged(x, call, delivery, journal, clock)
    assert sandbox.truth.posts("x") == []
    outcome = await x.publish(call, delivery, journal)
    posts = sandbox.truth.posts("x")
    assert isinstance(outcome, Published)
    assert outcome.receipt.post_id == posts[0].post_id
    assert outcome.receipt.url == f"{sandbox.base_urls['x']}/brand_one/status/{posts[0].post_id}"
    assert await x.status(call, delivery, journal) == outcome
    return posts


async def reconciled(x: Platform, call: Call, delivery: Delivery, journal: MemoryJournal, clock: FixedClock) -> Finding:
    """Look as often as it takes, as the publisher does."""
    for _ in range(5):
        try:
            return await x.reconcile(call, delivery, journal)
        except Transient:
            clock.advance(timedelta(seconds=10))
    raise AssertionError("X's list never decided")
