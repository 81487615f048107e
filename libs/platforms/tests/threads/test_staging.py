"""What is prepared unseen: containers made once, waited for, made anew when they come to nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from kit.clock import FixedClock
from platforms.errors import RateLimited, Rejected, Transient
from platforms.platform import Platform
from platforms.shape import Call, Delivery, Media, Outcome, Published
from sandbox.server import Sandbox
from sandbox.testing import MemoryJournal
from sandbox.threads.platform import ThreadsSandbox

ACCOUNT = "25000000000000001"
CREATE = "POST /v1.0/me/threads"
Post = Callable[[Delivery, MemoryJournal], Awaitable[Outcome]]
Bring = Callable[[Delivery, MemoryJournal], Awaitable[None]]


async def test_nothing_is_seen_before_publishing(
    thread: Delivery, journal: MemoryJournal, bring: Bring, sandbox: Sandbox, clock: FixedClock
) -> None:
    await bring(thread, journal)
    clock.advance(timedelta(hours=1))
    assert sandbox.truth.posts() == []
    assert set(journal.facts["containers"]) == {"0", "1/1", "1/2"}


@pytest.mark.parametrize("kind", ["reset_before", "reset_after"])
@pytest.mark.parametrize("step", range(3))
async def test_staging_goes_on_after_each_container_whose_making_broke_off(
    kind: str,
    step: int,
    thread: Delivery,
    journal: MemoryJournal,
    threads: Platform,
    call: Call,
    post: Post,
    sandbox: Sandbox,
) -> None:
    sandbox.add_fault("threads", CREATE, kind, skip=step)
    with pytest.raises(Transient, match="no_answer"):
        await threads.stage(call, thread, journal)
    made = dict(journal.facts.get("containers") or {})
    assert len(made) == step
    await post(thread, journal)
    assert [each.writes for each in sandbox.truth.posts("threads")] == [1, 1, 1, 1]
    # What the journal had was built upon.
    assert all(journal.facts["containers"][name]["id"] == kept["id"] for name, kept in made.items())


async def test_the_same_delivery_builds_the_same_requests(
    thread: Delivery, post: Post, sandbox: Sandbox, imitated: ThreadsSandbox
) -> None:
    await post(thread, MemoryJournal())
    await post(thread, MemoryJournal())
    made = [(each.media_type, each.text, each.media) for each in imitated.state.containers.values()]
    assert len(made) == 12
    assert made[: len(made) // 2] == made[len(made) // 2 :]


async def test_a_container_of_yesterday_is_made_anew(
    threads: Platform, call: Call, delivery: Delivery, journal: MemoryJournal, bring: Bring, clock: FixedClock,
    sandbox: Sandbox,
) -> None:  # fmt: skip
    await bring(delivery, journal)
    clock.advance(timedelta(hours=25))
    with pytest.raises(Transient, match="not_staged"):
        await threads.publish(call, delivery, journal)
    await bring(delivery, journal)
    assert isinstance(await threads.publish(call, delivery, journal), Published)
    assert len(sandbox.truth.posts()) == 1


async def test_a_container_that_expired_meanwhile_is_given_up(
    threads: Platform, call: Call, make_delivery: Callable[..., Delivery], video: Callable[..., Media],
    journal: MemoryJournal, post: Post, imitated: ThreadsSandbox, clock: FixedClock,
) -> None:  # fmt: skip
    delivery = make_delivery("A door opens", media=(video(),))
    with pytest.raises(RateLimited):
        await threads.stage(call, delivery, journal)
    (container,) = imitated.state.containers.values()
    container.created_at -= timedelta(hours=24)
    with pytest.raises(Transient, match="container_lost"):
        await threads.stage(call, delivery, journal)
    assert isinstance(await post(delivery, journal), Published)


async def test_what_is_never_processed_is_made_anew(
    threads: Platform, call: Call, delivery: Delivery, journal: MemoryJournal, post: Post, imitated: ThreadsSandbox,
    clock: FixedClock,
) -> None:  # fmt: skip
    imitated.plan_outcome({"stuck": True})
    with pytest.raises(RateLimited) as caught:
        await threads.stage(call, delivery, journal)
    assert caught.value.until == clock.now() + timedelta(seconds=5)
    clock.advance(timedelta(minutes=15))
    with pytest.raises(Transient, match="container_lost"):
        await threads.stage(call, delivery, journal)
    assert isinstance(await post(delivery, journal), Published)


async def test_replies_that_take_long_are_waited_for_and_then_gone_on_with(
    threads: Platform, call: Call, make_delivery: Callable[..., Delivery], journal: MemoryJournal, bring: Bring,
    imitated: ThreadsSandbox, sandbox: Sandbox,
) -> None:  # fmt: skip
    delivery = make_delivery("One", settings={"thread": [{"text": "Two"}, {"text": "Three"}]})
    await bring(delivery, journal)
    imitated.plan_outcome({"seconds": 20})
    imitated.plan_outcome({"seconds": 30})
    with pytest.raises(RateLimited, match="container_processing"):
        await threads.publish(call, delivery, journal)
    assert [each.text for each in sandbox.truth.posts()] == ["One", "Two"]
    await bring(delivery, journal)
    assert isinstance(await threads.publish(call, delivery, journal), Published)
    assert [(each.text, each.writes) for each in sandbox.truth.posts()] == [("One", 1), ("Two", 1), ("Three", 1)]


async def test_a_container_that_publishing_does_not_know_yet_is_tried_again(
    threads: Platform, call: Call, delivery: Delivery, journal: MemoryJournal, bring: Bring,
    imitated: ThreadsSandbox, clock: FixedClock, sandbox: Sandbox,
) -> None:  # fmt: skip
    imitated.plan_outcome({"unseen": 2})
    await bring(delivery, journal)
    for _ in range(2):
        with pytest.raises(RateLimited, match="container_unseen") as caught:
            await threads.publish(call, delivery, journal)
        clock.advance(caught.value.until - clock.now())
        await bring(delivery, journal)
    assert isinstance(await threads.publish(call, delivery, journal), Published)
    assert sandbox.requests("threads", CREATE) == 1
    assert len(sandbox.truth.posts()) == 1


async def test_a_container_that_publishing_never_knows_is_made_anew(
    threads: Platform, call: Call, delivery: Delivery, journal: MemoryJournal, bring: Bring, imitated: ThreadsSandbox,
    sandbox: Sandbox,
) -> None:  # fmt: skip
    imitated.plan_outcome({"unseen": 100})
    await bring(delivery, journal)
    for _ in range(5):
        with pytest.raises(RateLimited, match="container_unseen"):
            await threads.publish(call, delivery, journal)
    with pytest.raises(Transient, match=r"24\.4279009"):
        await threads.publish(call, delivery, journal)
    await bring(delivery, journal)
    assert isinstance(await threads.publish(call, delivery, journal), Published)
    assert sandbox.requests("threads", CREATE) == 2


async def test_a_day_that_is_used_up_is_waited_for_before_anything_is_made(
    threads: Platform, call: Call, thread: Delivery, journal: MemoryJournal, imitated: ThreadsSandbox, sandbox: Sandbox,
    clock: FixedClock, post: Post,
) -> None:  # fmt: skip
    account = imitated.state.accounts[ACCOUNT]
    account.replies_max = 2
    with pytest.raises(RateLimited, match="quota") as caught:
        await threads.stage(call, thread, journal)
    assert caught.value.until == clock.now() + timedelta(minutes=15)
    account.replies_max, account.posts_max = 3, 0
    with pytest.raises(RateLimited, match="quota"):
        await threads.stage(call, thread, journal)
    assert sandbox.requests("threads", CREATE) == 0
    account.posts_max = 1
    assert isinstance(await post(thread, journal), Published)


async def test_a_post_that_breaks_a_rule_is_not_staged(
    threads: Platform, call: Call, delivery: Delivery, journal: MemoryJournal, sandbox: Sandbox
) -> None:
    with pytest.raises(Rejected, match="text_too_long"):
        await threads.stage(call, replace(delivery, text="x" * 501), journal)
    assert sandbox.requests("threads", CREATE) == 0
