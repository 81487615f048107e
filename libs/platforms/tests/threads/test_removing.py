"""A thread on Threads is taken off from its end; what has no known id is not said to be gone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from platforms.errors import RateLimited, Rejected
from platforms.platform import Platform
from platforms.shape import Call, Delivery, Outcome, Published, Removed
from sandbox.server import Sandbox
from sandbox.testing import MemoryJournal
from sandbox.threads.platform import ThreadsSandbox


@pytest.fixture
async def outcome(post: Callable[..., Awaitable[Outcome]], thread: Delivery, journal: MemoryJournal) -> Published:
    outcome = await post(thread, journal)
    assert isinstance(outcome, Published)
    return outcome


async def test_every_post_of_a_thread_is_removed(
    threads: Platform, call: Call, outcome: Published, sandbox: Sandbox
) -> None:
    posts = sandbox.truth.posts()
    listed = await threads.own_posts(call, since=posts[0].posted_at)
    assert {shown.post_id for shown in listed.posts} == {post.post_id for post in posts}
    assert len(posts) == 4
    removed = await threads.remove(call, outcome.receipt)
    assert isinstance(removed, Removed)
    assert len(removed.evidence["removed"]) == 4
    assert sandbox.truth.posts() == []


async def test_a_reply_whose_id_is_not_known_is_named(
    threads: Platform, call: Call, outcome: Published, sandbox: Sandbox
) -> None:
    posts = outcome.receipt.evidence["posts"] | {"3": None}
    receipt = replace(outcome.receipt, evidence={"posts": posts})
    with pytest.raises(Rejected, match="part_unknown"):
        await threads.remove(call, receipt)
    assert len(sandbox.truth.posts()) == 1
    left_out = replace(receipt, evidence={"posts": posts, "left_out": {"index": 3, "code": "x", "detail": "y"}})
    await threads.remove(call, left_out)


async def test_the_removals_of_a_day_are_waited_for(
    threads: Platform, call: Call, outcome: Published, imitated: ThreadsSandbox, sandbox: Sandbox
) -> None:
    imitated.state.accounts[call.grant.account_id].deletes_max = 2
    with pytest.raises(RateLimited):
        await threads.remove(call, outcome.receipt)
    assert len(sandbox.truth.posts()) == 2
