"""Answers that were lost: found by evidence, repeated only when nothing was posted. The sandbox's truth judges."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

import pytest
from kit.clock import FixedClock
from platforms.errors import OutcomeUnknown, Rejected, Transient
from platforms.platform import Platform
from platforms.shape import Absent, Call, Delivery, Finding, Journal, Outcome, Processing, Published, Undecided
from sandbox.facebook.platform import FacebookSandbox
from sandbox.facebook.posting import add_post
from sandbox.server import Sandbox
from sandbox.testing import MemoryJournal

Kinds = Mapping[str, Callable[..., Delivery]]
Settle = Callable[..., Awaitable[Outcome]]
PAGE = "101000000000001"
SHOWN_BY = {
    "text": "feed",
    "link": "feed",
    "image": "feed",
    "carousel": "feed",
    "video": "videos",
    "reel": "video_reels",
    "image_story": "photo_stories",
    "video_story": "video_stories",
}


async def lose(
    facebook: Platform, call: Call, delivery: Delivery, journal: Journal, sandbox: Sandbox, kind: str, fault: str
) -> None:
    """Stage, and lose the answer of the one visible call."""
    await facebook.stage(call, delivery, journal)
    sandbox.add_fault("facebook", f"POST /v26.0/{PAGE}/{SHOWN_BY[kind]}", fault)
    with pytest.raises(OutcomeUnknown):
        await facebook.publish(call, delivery, journal)


async def look(facebook: Platform, call: Call, delivery: Delivery, journal: Journal, clock: FixedClock) -> Finding:
    """Look as often as the platform asks for; returns the first answer."""
    for _ in range(10):
        try:
            return await facebook.reconcile(call, delivery, journal)
        except Transient:
            clock.advance(timedelta(seconds=20))
    raise AssertionError("it is never found out")


@pytest.mark.parametrize("kind", SHOWN_BY)
async def test_lost_after_the_effect_it_is_found_and_not_repeated(
    facebook: Platform, call: Call, kinds: Kinds, settle: Settle, sandbox: Sandbox, clock: FixedClock, kind: str
) -> None:
    delivery, journal = kinds[kind](), MemoryJournal()
    if kind == "link":
        delivery = kinds["link"](first_comment="And a word")
    await lose(facebook, call, delivery, journal, sandbox, kind, "reset_after")
    finding = await look(facebook, call, delivery, journal, clock)
    if isinstance(finding, Processing):
        finding = await settle(delivery, journal, finding)
    (post,) = sandbox.truth.posts("facebook", PAGE)
    assert isinstance(finding, Published)
    assert finding.receipt.post_id == post.post_id
    again = await facebook.publish(call, delivery, journal)
    assert isinstance(again, Published)
    assert len(sandbox.truth.posts("facebook", PAGE)) == 1


@pytest.mark.parametrize("kind", SHOWN_BY)
async def test_lost_before_the_effect_it_is_proved_absent_and_repeated_once(
    facebook: Platform, call: Call, kinds: Kinds, settle: Settle, sandbox: Sandbox, clock: FixedClock, kind: str
) -> None:
    delivery, journal = kinds[kind](), MemoryJournal()
    await lose(facebook, call, delivery, journal, sandbox, kind, "reset_before")
    assert isinstance(await look(facebook, call, delivery, journal, clock), Absent)
    assert sandbox.truth.posts() == []
    await facebook.stage(call, delivery, journal)
    outcome = await settle(delivery, journal, await facebook.publish(call, delivery, journal))
    assert isinstance(outcome, Published)
    assert len(sandbox.truth.posts("facebook", PAGE)) == 1


@pytest.mark.parametrize("kind", ["text", "image", "image_story"])
async def test_a_list_that_lags_is_looked_at_twice_before_it_is_believed(
    facebook: Platform,
    call: Call,
    kinds: Kinds,
    sandbox: Sandbox,
    imitated: FacebookSandbox,
    clock: FixedClock,
    kind: str,
) -> None:
    delivery, journal = kinds[kind](), MemoryJournal()
    imitated.state.list_lag_seconds = 55
    await lose(facebook, call, delivery, journal, sandbox, kind, "reset_after")
    looks = 0
    for _ in range(3):
        with pytest.raises(Transient, match="look_again"):
            await facebook.reconcile(call, delivery, journal)
        clock.advance(timedelta(seconds=18))
        looks += 1
    clock.advance(timedelta(seconds=2))
    finding = await facebook.reconcile(call, delivery, journal)
    assert isinstance(finding, Published)
    assert looks == 3


@pytest.mark.parametrize(("others", "found"), [(60, Published), (250, Undecided)])
async def test_behind_many_other_posts_it_is_found_or_a_person_is_asked(
    facebook: Platform,
    call: Call,
    kinds: Kinds,
    sandbox: Sandbox,
    imitated: FacebookSandbox,
    clock: FixedClock,
    others: int,
    found: type[Finding],
) -> None:
    """What is not on the pages that are read is not proved absent: repeated, it would be there twice."""
    delivery, journal = kinds["text"](), MemoryJournal()
    await lose(facebook, call, delivery, journal, sandbox, "text", "reset_after")
    for number in range(others):
        add_post(imitated.state, imitated.state.pages[PAGE], "sandbox-client-id", "text", f"Door {number}", [])
    assert isinstance(await look(facebook, call, delivery, journal, clock), found)


async def test_an_older_post_with_the_same_words_is_not_ours(
    facebook: Platform, call: Call, kinds: Kinds, sandbox: Sandbox, clock: FixedClock
) -> None:
    older = MemoryJournal()
    await facebook.publish(call, kinds["text"](), older)
    between = kinds["link"]()
    await facebook.publish(call, between, MemoryJournal())
    clock.advance(timedelta(minutes=10))
    delivery, journal = kinds["text"](), MemoryJournal()
    await lose(facebook, call, delivery, journal, sandbox, "text", "reset_before")
    assert isinstance(await look(facebook, call, delivery, journal, clock), Absent)


async def test_images_prove_a_post_even_if_another_has_the_same_words(
    facebook: Platform, call: Call, kinds: Kinds, sandbox: Sandbox, clock: FixedClock
) -> None:
    other = kinds["image"]()
    other_journal = MemoryJournal()
    await facebook.stage(call, other, other_journal)
    await facebook.publish(call, other, other_journal)
    delivery, journal = kinds["image"](), MemoryJournal()
    await lose(facebook, call, delivery, journal, sandbox, "image", "reset_before")
    assert isinstance(await look(facebook, call, delivery, journal, clock), Absent)


async def test_a_link_without_words_beside_another_silent_post_is_for_a_person_to_judge(
    facebook: Platform, call: Call, make_delivery: Callable[..., Delivery], sandbox: Sandbox, journal: MemoryJournal
) -> None:
    await facebook.publish(call, make_delivery("", settings={"link": "https://example.com/1"}), MemoryJournal())
    delivery = make_delivery("", settings={"link": "https://example.com/2"})
    await lose(facebook, call, delivery, journal, sandbox, "link", "reset_before")
    assert isinstance(await facebook.reconcile(call, delivery, journal), Undecided)


async def test_another_story_at_that_time_is_for_a_person_to_judge(
    facebook: Platform, call: Call, kinds: Kinds, sandbox: Sandbox, journal: MemoryJournal
) -> None:
    other, other_journal = kinds["image_story"](), MemoryJournal()
    await facebook.stage(call, other, other_journal)
    await facebook.publish(call, other, other_journal)
    delivery = kinds["image_story"]()
    await lose(facebook, call, delivery, journal, sandbox, "image_story", "reset_before")
    finding = await facebook.reconcile(call, delivery, journal)
    assert isinstance(finding, Undecided)
    assert finding.evidence["stories"] == 1


async def test_a_video_that_stays_unclear_is_for_a_person_to_judge(
    facebook: Platform, call: Call, kinds: Kinds, sandbox: Sandbox, clock: FixedClock, journal: MemoryJournal
) -> None:
    """Facebook shows a reel as processing before it was told to publish it, and after."""
    delivery = kinds["reel"]()
    await lose(facebook, call, delivery, journal, sandbox, "reel", "reset_before")
    body = {"id": "1", "status": {"video_status": "processing", "uploading_phase": {"status": "complete"}}}
    sandbox.add_fault("facebook", f"GET /v26.0/{journal.facts['video_id']}", "answer", status=200, body=body, times=2)
    with pytest.raises(Transient, match="look_again"):
        await facebook.reconcile(call, delivery, journal)
    clock.advance(timedelta(minutes=11))
    assert isinstance(await facebook.reconcile(call, delivery, journal), Undecided)


async def test_without_a_visible_call_nothing_can_be_there(facebook: Platform, call: Call, kinds: Kinds) -> None:
    for kind in SHOWN_BY:
        journal = MemoryJournal()
        await facebook.stage(call, kinds[kind](), journal)
        finding = await look(facebook, call, kinds[kind](), journal, call.clock)  # type: ignore[arg-type]
        assert isinstance(finding, Absent), kind


async def test_the_words_of_the_latest_post_are_refused_at_the_first_try(
    facebook: Platform, call: Call, kinds: Kinds, sandbox: Sandbox
) -> None:
    await facebook.publish(call, kinds["text"](), MemoryJournal())
    with pytest.raises(Rejected, match="506"):
        await facebook.publish(call, kinds["text"](), MemoryJournal())
    assert len(sandbox.truth.posts()) == 1


async def test_the_same_refusal_after_a_lost_answer_says_that_it_is_posted(
    facebook: Platform, call: Call, kinds: Kinds, sandbox: Sandbox, clock: FixedClock, journal: MemoryJournal
) -> None:
    """A caller that repeats by itself still cannot post twice, and learns that it need not."""
    delivery = kinds["text"]()
    await lose(facebook, call, delivery, journal, sandbox, "text", "reset_after")
    with pytest.raises(OutcomeUnknown, match="506"):
        await facebook.publish(call, delivery, journal)
    assert isinstance(await look(facebook, call, delivery, journal, clock), Published)
    assert len(sandbox.truth.posts()) == 1


@pytest.mark.parametrize("kind", ["video", "reel", "image_story"])
async def test_an_empty_answer_to_a_finish_is_no_success(
    facebook: Platform, call: Call, kinds: Kinds, sandbox: Sandbox, kind: str
) -> None:
    delivery, journal = kinds[kind](), MemoryJournal()
    await facebook.stage(call, delivery, journal)
    sandbox.add_fault("facebook", f"POST /v26.0/{PAGE}/{SHOWN_BY[kind]}", "answer", status=200, body={})
    with pytest.raises(OutcomeUnknown):
        await facebook.publish(call, delivery, journal)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, {"error": {"code": 1, "message": "An unknown error occurred"}}),
        (503, {"error": {"code": 2, "message": "Service temporarily unavailable", "is_transient": True}}),
        (400, {"error": {"code": 9999, "is_transient": True}}),
        (502, None),
        (200, {"unexpected": True}),
        (200, {"success": False}),
    ],
)
async def test_an_unclear_answer_to_the_visible_call_is_an_unknown_outcome(
    facebook: Platform, call: Call, kinds: Kinds, sandbox: Sandbox, clock: FixedClock, status: int, body: object
) -> None:
    delivery, journal = kinds["text"](), MemoryJournal()
    sandbox.add_fault("facebook", f"POST /v26.0/{PAGE}/feed", "answer_after", status=status, body=body)
    with pytest.raises(OutcomeUnknown):
        await facebook.publish(call, delivery, journal)
    assert isinstance(await look(facebook, call, delivery, journal, clock), Published)
    assert len(sandbox.truth.posts()) == 1
