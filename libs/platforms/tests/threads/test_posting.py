"""Every kind of post on its way to Threads, compared with what the sandbox truly got."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from kit.clock import FixedClock
from platforms.errors import OutcomeUnknown, RateLimited, Rejected, Transient
from platforms.platform import Platform
from platforms.shape import Call, Delivery, Media, Outcome, Published, Refused, Undecided
from sandbox.server import Sandbox
from sandbox.testing import MemoryJournal
from sandbox.threads.platform import ThreadsSandbox

ACCOUNT = "25000000000000001"
CREATE, PUBLISH = "POST /v1.0/me/threads", "POST /v1.0/me/threads_publish"
Post = Callable[[Delivery, MemoryJournal], Awaitable[Outcome]]
Bring = Callable[[Delivery, MemoryJournal], Awaitable[None]]


async def test_a_text_with_all_its_choices(
    threads: Platform, make_delivery: Callable[..., Delivery], journal: MemoryJournal, call: Call, post: Post,
    sandbox: Sandbox,
) -> None:  # fmt: skip
    quoted = await post(make_delivery("The first"), MemoryJournal())
    assert isinstance(quoted, Published)
    settings = {
        "link": "https://example.com/door",
        "topic_tag": "paint, doors",
        "reply_control": "mentioned_only",
        "approve_replies": True,
        "quote_post_id": quoted.receipt.post_id,
    }
    outcome = await post(make_delivery("Fresh paint 🚪", settings=settings), journal)
    (_, shown) = sandbox.truth.posts("threads", ACCOUNT)
    assert isinstance(outcome, Published)
    assert outcome.receipt.post_id == shown.post_id
    assert (shown.text, shown.media, shown.writes) == ("Fresh paint 🚪", (), 1)
    assert shown.settings == {
        "media_type": "TEXT",
        "link_attachment": "https://example.com/door",
        "topic_tag": "paint, doors",
        "reply_control": "mentioned_only",
        "enable_reply_approvals": True,
        "quote_post_id": quoted.receipt.post_id,
    }
    assert outcome.receipt.url is not None
    assert "Fresh paint" in (await call.http.get(outcome.receipt.url)).text
    assert await threads.status(call, make_delivery("Fresh paint 🚪", settings=settings), journal) == outcome


async def test_a_poll(
    make_delivery: Callable[..., Delivery], journal: MemoryJournal, post: Post, sandbox: Sandbox
) -> None:
    settings = {"poll": {"options": ["Red", "Green", "Blue"]}}
    await post(make_delivery("Which door?", settings=settings), journal)
    (shown,) = sandbox.truth.posts("threads")
    assert shown.settings["poll_attachment"] == {"option_a": "Red", "option_b": "Green", "option_c": "Blue"}


async def test_an_image_and_a_video_come_as_they_are(
    make_delivery: Callable[..., Delivery],
    image: Callable[..., Media],
    video: Callable[..., Media],
    post: Post,
    sandbox: Sandbox,
) -> None:
    for made, kind in ((image(), "IMAGE"), (video(), "VIDEO")):
        await post(make_delivery("", media=(made,)), MemoryJournal())
        shown = sandbox.truth.posts("threads")[-1]
        assert (shown.settings["media_type"], shown.text) == (kind, "")
        assert [(item.sha256, item.alt_text) for item in shown.media] == [(made.sha256, made.alt_text)]


async def test_a_carousel_keeps_its_order(
    make_delivery: Callable[..., Delivery],
    image: Callable[..., Media],
    video: Callable[..., Media],
    journal: MemoryJournal,
    post: Post,
    sandbox: Sandbox,
) -> None:
    media = (image(), video(), image(60_000, alt_text="Another door"))
    await post(make_delivery("Doors", media=media), journal)
    (shown,) = sandbox.truth.posts("threads")
    assert shown.settings["media_type"] == "CAROUSEL"
    assert [(item.sha256, item.alt_text) for item in shown.media] == [(item.sha256, item.alt_text) for item in media]
    assert sandbox.requests("threads", CREATE) == 4


async def test_each_post_of_a_thread_answers_the_one_before(
    thread: Delivery, journal: MemoryJournal, post: Post, sandbox: Sandbox
) -> None:
    outcome = await post(thread, journal)
    shown = sandbox.truth.posts("threads")
    assert [each.text for each in shown] == ["Three doors", "Two more doors", "That is all", "Who painted them?"]
    first, second, *_ = shown
    assert [each.settings.get("reply_to_id") for each in shown] == [None, first.post_id, second.post_id, first.post_id]
    sent = [[item.sha256 for item in each.media] for each in shown]
    assert sent == [[thread.media[0].sha256], [item.sha256 for item in thread.media[1:]], [], []]
    assert all(each.writes == 1 for each in shown)
    assert isinstance(outcome, Published)
    assert outcome.receipt.post_id == first.post_id
    assert list(outcome.receipt.evidence["posts"].values()) == [each.post_id for each in shown]


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


async def test_a_thread_that_cannot_go_on_is_for_a_person(
    threads: Platform, call: Call, thread: Delivery, journal: MemoryJournal, post: Post, bring: Bring, sandbox: Sandbox
) -> None:
    body = {"error": {"message": "THREADS_API__FEATURE_NOT_AVAILABLE", "type": "THApiException", "code": 100}}
    sandbox.add_fault("threads", PUBLISH, "answer", status=400, body=body, skip=1)
    with pytest.raises(OutcomeUnknown, match="thread_incomplete"):
        await post(thread, journal)
    finding = await threads.reconcile(call, thread, journal)
    assert isinstance(finding, Undecided)
    assert finding.evidence["stuck"]["code"] == "THREADS_API__FEATURE_NOT_AVAILABLE"
    with pytest.raises(OutcomeUnknown):
        await threads.publish(call, thread, journal)
    assert [each.text for each in sandbox.truth.posts()] == ["Three doors"]


async def test_a_comment_less_is_still_a_post(
    make_delivery: Callable[..., Delivery], journal: MemoryJournal, post: Post, sandbox: Sandbox
) -> None:
    delivery = make_delivery("A door", settings={"first_comment": "Who painted it?"})
    body = {"error": {"message": "Invalid parameter", "type": "OAuthException", "code": 100}}
    sandbox.add_fault("threads", PUBLISH, "answer", status=400, body=body, skip=1)
    outcome = await post(delivery, journal)
    (shown,) = sandbox.truth.posts()
    assert isinstance(outcome, Published)
    assert outcome.receipt.post_id == shown.post_id
    assert outcome.receipt.evidence["left_out"]["code"] == "100"


async def test_a_later_file_that_breaks_while_staging_again_is_told_by_publishing(
    threads: Platform, call: Call, make_delivery: Callable[..., Delivery], video: Callable[..., Media],
    journal: MemoryJournal, bring: Bring, imitated: ThreadsSandbox,
) -> None:  # fmt: skip
    delivery = make_delivery("One", media=(video(),), settings={"thread": [{"text": "Two", "media": [0]}]})
    await bring(delivery, journal)
    imitated.plan_outcome({"error_message": "INVALID_DURATION", "seconds": 1000})
    with pytest.raises(RateLimited):
        await threads.publish(call, delivery, journal)
    (broken,) = [each for each in imitated.state.containers.values() if each.error]
    broken.ready_at = broken.created_at
    await threads.stage(call, delivery, journal)
    with pytest.raises(OutcomeUnknown, match="post 2 of the thread"):
        await threads.publish(call, delivery, journal)
    finding = await threads.reconcile(call, delivery, journal)
    assert isinstance(finding, Undecided)
    assert finding.evidence["stuck"]["code"] == "INVALID_DURATION"


async def test_a_removed_post_is_told_as_such(
    threads: Platform, call: Call, delivery: Delivery, journal: MemoryJournal, post: Post, sandbox: Sandbox
) -> None:
    await post(delivery, journal)
    sandbox.truth.posts()[0].removed = True
    outcome = await threads.status(call, delivery, journal)
    assert isinstance(outcome, Refused)
    assert outcome.code == "100.33"


async def test_a_missing_address_after_the_post_is_no_failure(
    delivery: Delivery, journal: MemoryJournal, post: Post, sandbox: Sandbox
) -> None:
    sandbox.add_fault("threads", "GET /v1.0/[0-9]*", "answer", skip=1)
    outcome = await post(delivery, journal)
    assert isinstance(outcome, Published)
    assert outcome.receipt.url is None
    assert outcome.receipt.post_id == sandbox.truth.posts()[0].post_id


async def test_a_post_that_breaks_a_rule_is_not_staged(
    threads: Platform, call: Call, delivery: Delivery, journal: MemoryJournal, sandbox: Sandbox
) -> None:
    with pytest.raises(Rejected, match="text_too_long"):
        await threads.stage(call, replace(delivery, text="x" * 501), journal)
    assert sandbox.requests("threads", CREATE) == 0


async def test_counts_grow_and_a_gone_post_has_none(
    threads: Platform, call: Call, delivery: Delivery, post: Post, sandbox: Sandbox, clock: FixedClock
) -> None:
    outcomes: list[Any] = [await post(delivery, MemoryJournal()) for _ in range(2)]
    kept, gone = (outcome.receipt.post_id for outcome in outcomes)
    sandbox.truth.posts()[1].removed = True
    clock.advance(timedelta(hours=1))
    early = await threads.insights(call, [kept, gone])
    clock.advance(timedelta(days=30))
    late = await threads.insights(call, [kept])
    assert set(early) == {kept}
    assert (late[kept].views or 0) > (early[kept].views or 0) > 0
    assert None not in (late[kept].likes, late[kept].comments, late[kept].shares)
    assert late[kept].impressions is late[kept].clicks is None


async def test_counts_that_are_not_told_are_none(threads: Platform, call: Call, sandbox: Sandbox) -> None:
    sandbox.add_fault("threads", "GET /v1.0/1/insights", "answer", status=200, body={"data": []})
    counts = (await threads.insights(call, ["1"]))["1"]
    assert (counts.views, counts.likes, counts.comments, counts.shares) == (None, None, None, None)
