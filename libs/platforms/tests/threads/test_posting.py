"""Every kind of post on its way to Threads, compared with what the sandbox truly got."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from kit.clock import FixedClock
from platforms.platform import Platform
from platforms.shape import Call, Delivery, Media, Outcome, Published, Refused
from sandbox.server import Sandbox
from sandbox.testing import MemoryJournal

ACCOUNT = "25000000000000001"
CREATE = "POST /v1.0/me/threads"
Post = Callable[[Delivery, MemoryJournal], Awaitable[Outcome]]


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
