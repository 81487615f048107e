"""After a call that nobody answered: found and not repeated, or proved absent and repeated once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from kit.clock import FixedClock
from platforms.errors import OutcomeUnknown, PlatformError, RateLimited, Transient
from platforms.platform import Platform
from platforms.shape import Absent, Call, Delivery, Journal, Outcome, Processing, Published, Refused, Undecided
from sandbox.instagram.platform import InstagramSandbox
from sandbox.server import Sandbox
from sandbox.testing import MemoryJournal
from sandbox.truth import Post as TruePost

PUBLISH = "POST /v26.0/17841400000000001/media_publish"
COMMENT = "POST /v26.0/17*/comments"
SETTLED = timedelta(seconds=31)

Deliveries = Mapping[str, Callable[..., Delivery]]
Bring = Callable[[Delivery, Journal], Awaitable[None]]
Post = Callable[[Delivery, Journal], Awaitable[Outcome]]


async def _try(instagram: Platform, call: Call, delivery: Delivery, journal: Journal) -> None:
    with pytest.raises(OutcomeUnknown):
        await instagram.publish(call, delivery, journal)


@pytest.mark.parametrize("kind", ["image", "carousel", "reel", "image_story", "video_story"])
async def test_lost_after_the_effect_it_is_found_and_not_repeated(
    instagram: Platform,
    call: Call,
    kinds: Deliveries,
    bring: Bring,
    journal: MemoryJournal,
    sandbox: Sandbox,
    kind: str,
) -> None:
    delivery = kinds[kind]()
    await bring(delivery, journal)
    sandbox.add_fault("instagram", PUBLISH, "reset_after")
    await _try(instagram, call, delivery, journal)
    finding = await instagram.reconcile(call, delivery, journal)
    (shown,) = sandbox.truth.posts()
    assert isinstance(finding, Published)
    assert finding.receipt.post_id == shown.post_id
    assert finding.receipt.url
    assert isinstance(await instagram.publish(call, delivery, journal), Published)
    assert sandbox.requests("instagram", PUBLISH) == 1


async def test_lost_before_the_effect_it_is_absent_and_repeated_once(
    instagram: Platform,
    call: Call,
    delivery: Delivery,
    bring: Bring,
    post: Post,
    journal: MemoryJournal,
    sandbox: Sandbox,
    clock: FixedClock,
) -> None:
    await bring(delivery, journal)
    sandbox.add_fault("instagram", PUBLISH, "reset_before")
    await _try(instagram, call, delivery, journal)
    with pytest.raises(Transient, match="not_settled_yet"):
        await instagram.reconcile(call, delivery, journal)
    clock.advance(SETTLED)
    finding = await instagram.reconcile(call, delivery, journal)
    assert isinstance(finding, Absent)
    assert finding.evidence["container_status"] == "FINISHED"
    first = journal.facts["container"]
    assert isinstance(await post(delivery, journal), Published)
    assert journal.facts["container"] == first
    assert len(sandbox.truth.posts()) == 1


async def test_a_crash_between_the_effect_and_the_journal_is_found_too(
    instagram: Platform, call: Call, delivery: Delivery, bring: Bring, journal: MemoryJournal, sandbox: Sandbox
) -> None:
    await bring(delivery, journal)
    before = MemoryJournal()
    await before.record(**journal.facts)
    await instagram.publish(call, delivery, journal)
    await before.record(tried_at=journal.facts["tried_at"], last_tried_at=journal.facts["last_tried_at"])
    assert isinstance(await instagram.publish(call, delivery, before), Published)
    assert isinstance(await instagram.reconcile(call, delivery, before), Published)
    assert before.facts["media_id"] == journal.facts["media_id"]
    assert len(sandbox.truth.posts()) == 1


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, {"code": 4, "error_subcode": 2207051}),
        (500, {"code": -1, "error_subcode": 2207001}),
        (500, {"code": 1}),
        (503, {"code": 2}),
        (400, {"code": 24, "error_subcode": 2207006}),
        (502, None),
    ],
)
async def test_refusals_that_are_none_are_looked_after(
    instagram: Platform,
    call: Call,
    delivery: Delivery,
    bring: Bring,
    journal: MemoryJournal,
    sandbox: Sandbox,
    status: int,
    error: Mapping[str, object] | None,
) -> None:
    """The post is live, whatever the answer says."""
    await bring(delivery, journal)
    body = {"error": {"message": "no", "type": "OAuthException", **error}} if error else "<html>"
    sandbox.add_fault("instagram", PUBLISH, "answer_after", status=status, body=body)
    await _try(instagram, call, delivery, journal)
    assert isinstance(await instagram.reconcile(call, delivery, journal), Published)
    assert len(sandbox.truth.posts()) == 1


async def test_taken_for_spam_and_not_live_it_is_not_repeated(
    instagram: Platform,
    call: Call,
    delivery: Delivery,
    bring: Bring,
    journal: MemoryJournal,
    sandbox: Sandbox,
    clock: FixedClock,
) -> None:
    await bring(delivery, journal)
    body = {"error": {"message": "no", "code": 4, "error_subcode": 2207051}}
    sandbox.add_fault("instagram", PUBLISH, "answer", status=400, body=body)
    await _try(instagram, call, delivery, journal)
    clock.advance(SETTLED)
    finding = await instagram.reconcile(call, delivery, journal)
    assert isinstance(finding, Refused)
    assert (finding.code, finding.repeatable) == ("4.2207051", False)
    assert finding.advice


@pytest.mark.parametrize(
    ("status", "error", "expected"),
    [
        (400, {"code": 9007, "error_subcode": 2207027}, Transient),
        (400, {"code": 24, "error_subcode": 2207008}, Transient),
        (400, {"code": 9, "error_subcode": 2207042}, RateLimited),
        (400, {"code": 80002}, RateLimited),
    ],
)
async def test_a_refusal_for_now_publishes_the_same_container_later(
    instagram: Platform,
    call: Call,
    delivery: Delivery,
    bring: Bring,
    post: Post,
    journal: MemoryJournal,
    sandbox: Sandbox,
    status: int,
    error: Mapping[str, object],
    expected: type[PlatformError],
) -> None:
    await bring(delivery, journal)
    sandbox.add_fault("instagram", PUBLISH, "answer", status=status, body={"error": error})
    with pytest.raises(expected):
        await instagram.publish(call, delivery, journal)
    assert isinstance(await post(delivery, journal), Published)
    assert journal.facts.get("abandoned") is None
    assert len(sandbox.truth.posts()) == 1


async def test_an_answer_without_an_id_is_looked_after(
    instagram: Platform, call: Call, delivery: Delivery, bring: Bring, journal: MemoryJournal, sandbox: Sandbox
) -> None:
    await bring(delivery, journal)
    sandbox.add_fault("instagram", PUBLISH, "answer_after", status=200, body={"success": True})
    await _try(instagram, call, delivery, journal)
    assert isinstance(await instagram.reconcile(call, delivery, journal), Published)


async def test_two_posts_that_look_alike_are_not_told_apart(
    instagram: Platform,
    call: Call,
    delivery: Delivery,
    bring: Bring,
    journal: MemoryJournal,
    sandbox: Sandbox,
) -> None:
    """It is out, its container says so; which of the two it is, nothing says."""
    twin = MemoryJournal()
    await bring(delivery, twin)
    await bring(delivery, journal)
    await instagram.publish(call, delivery, twin)
    sandbox.add_fault("instagram", PUBLISH, "reset_after")
    await _try(instagram, call, delivery, journal)
    finding = await instagram.reconcile(call, delivery, journal)
    assert isinstance(finding, Published)
    assert (finding.receipt.post_id, finding.receipt.url) == (None, None)
    _remove(sandbox, twin.facts["media_id"])
    later = await instagram.status(call, delivery, journal)
    assert isinstance(later, Published)
    assert later.receipt.post_id == sandbox.truth.posts()[0].post_id


async def test_a_post_like_it_beside_an_unpublished_container_is_for_a_person(
    instagram: Platform,
    call: Call,
    delivery: Delivery,
    bring: Bring,
    journal: MemoryJournal,
    sandbox: Sandbox,
    clock: FixedClock,
) -> None:
    twin = MemoryJournal()
    await bring(delivery, twin)
    await bring(delivery, journal)
    sandbox.add_fault("instagram", PUBLISH, "reset_before")
    await _try(instagram, call, delivery, journal)
    await instagram.publish(call, delivery, twin)
    clock.advance(SETTLED)
    finding = await instagram.reconcile(call, delivery, journal)
    assert isinstance(finding, Undecided)
    assert finding.evidence["alike"] == [twin.facts["media_id"]]
    assert isinstance(await instagram.status(call, delivery, journal), Processing)


@pytest.mark.parametrize("published", [True, False])
async def test_a_container_that_is_gone_leaves_the_list_to_decide_or_a_persons_word(
    instagram: Platform,
    call: Call,
    delivery: Delivery,
    bring: Bring,
    journal: MemoryJournal,
    imitated: InstagramSandbox,
    sandbox: Sandbox,
    published: bool,
) -> None:
    await bring(delivery, journal)
    sandbox.add_fault("instagram", PUBLISH, "reset_after" if published else "reset_before")
    await _try(instagram, call, delivery, journal)
    imitated.state.containers.clear()
    finding = await instagram.reconcile(call, delivery, journal)
    assert isinstance(finding, Published if published else Undecided)
    await bring(replace(delivery, forgiven=1), journal)
    assert isinstance(await instagram.publish(call, delivery, journal), Published)
    assert [each.writes for each in sandbox.truth.posts()] == [1]
    assert sandbox.requests("instagram", PUBLISH) == (1 if published else 2)


async def test_other_posts_of_the_account_are_not_taken_for_it(
    instagram: Platform,
    call: Call,
    kinds: Deliveries,
    bring: Bring,
    post: Post,
    journal: MemoryJournal,
    sandbox: Sandbox,
    clock: FixedClock,
) -> None:
    """Older ones of the same words, later ones of other words or another kind."""
    delivery = kinds["image"]()
    await post(delivery, MemoryJournal())
    clock.advance(timedelta(minutes=5))
    await bring(delivery, journal)
    sandbox.add_fault("instagram", PUBLISH, "reset_after")
    await _try(instagram, call, delivery, journal)
    own = sandbox.truth.posts()[-1].post_id
    await post(kinds["reel"](), MemoryJournal())
    await post(replace(kinds["reel"](), text=delivery.text), MemoryJournal())
    await post(replace(kinds["carousel"](), text=delivery.text), MemoryJournal())
    await post(replace(delivery, text="Another door"), MemoryJournal())
    finding = await instagram.reconcile(call, delivery, journal)
    assert isinstance(finding, Published)
    assert finding.receipt.post_id == own


async def test_it_is_found_behind_pages_of_newer_posts(
    instagram: Platform,
    call: Call,
    delivery: Delivery,
    bring: Bring,
    journal: MemoryJournal,
    sandbox: Sandbox,
    clock: FixedClock,
) -> None:
    await bring(delivery, journal)
    sandbox.add_fault("instagram", PUBLISH, "reset_after")
    await _try(instagram, call, delivery, journal)
    (own,) = sandbox.truth.posts()
    for number in range(60):
        clock.advance(timedelta(seconds=1))
        sandbox.truth.add(replace(own, post_id=f"1790{number:013}", text="Another", posted_at=clock.now()))
    finding = await instagram.reconcile(call, delivery, journal)
    assert isinstance(finding, Published)
    assert finding.receipt.post_id == own.post_id


@pytest.mark.parametrize(
    ("fault", "written_again"),
    [("reset_after", 0), ("reset_before", 1), ("answer_after", 0)],
)
async def test_a_lost_first_comment_is_found_or_written_once(
    instagram: Platform,
    call: Call,
    kinds: Deliveries,
    bring: Bring,
    post: Post,
    journal: MemoryJournal,
    sandbox: Sandbox,
    clock: FixedClock,
    fault: str,
    written_again: int,
) -> None:
    delivery = kinds["image"](first_comment="Who opens it?")
    await bring(delivery, journal)
    sandbox.add_fault("instagram", COMMENT, fault, status=502)
    await _try(instagram, call, delivery, journal)
    clock.advance(SETTLED)
    finding = await instagram.reconcile(call, delivery, journal)
    if written_again:
        assert isinstance(finding, Absent)
        assert finding.evidence["media_id"] == sandbox.truth.posts()[0].post_id
        finding = await post(delivery, journal)
    assert isinstance(finding, Published)
    (shown,) = sandbox.truth.posts()
    assert shown.settings["comments"] == ["Who opens it?"]
    assert sandbox.requests("instagram", PUBLISH) == 1


async def test_a_comment_is_looked_for_before_it_is_written_again(
    instagram: Platform, call: Call, kinds: Deliveries, bring: Bring, journal: MemoryJournal, sandbox: Sandbox
) -> None:
    delivery = kinds["image"](first_comment="Who opens it?")
    await bring(delivery, journal)
    sandbox.add_fault("instagram", COMMENT, "reset_after")
    await _try(instagram, call, delivery, journal)
    assert isinstance(await instagram.publish(call, delivery, journal), Published)
    (shown,) = sandbox.truth.posts()
    assert shown.settings["comments"] == ["Who opens it?"]


async def test_a_comment_that_is_not_listed_yet_is_waited_for(
    instagram: Platform, call: Call, kinds: Deliveries, bring: Bring, journal: MemoryJournal, sandbox: Sandbox
) -> None:
    delivery = kinds["image"](first_comment="Who opens it?")
    await bring(delivery, journal)
    sandbox.add_fault("instagram", COMMENT, "reset_before")
    await _try(instagram, call, delivery, journal)
    with pytest.raises(Transient, match="comment_not_listed_yet"):
        await instagram.reconcile(call, delivery, journal)


@pytest.mark.parametrize(
    "error", [{"code": 100}, {"code": 190, "error_subcode": 463}, {"code": 200}, {"code": 3}, {"code": 368}]
)
async def test_a_refused_comment_leaves_the_post_published(
    kinds: Deliveries, post: Post, journal: MemoryJournal, sandbox: Sandbox, error: Mapping[str, int]
) -> None:
    sandbox.add_fault("instagram", COMMENT, "answer", status=400, body={"error": error})
    outcome = await post(kinds["image"](first_comment="Who opens it?"), journal)
    assert isinstance(outcome, Published)
    assert str(outcome.receipt.evidence["comment_refused"]).startswith(str(error["code"]))


async def test_a_comment_that_fails_for_long_is_left_out(
    instagram: Platform, call: Call, kinds: Deliveries, bring: Bring, journal: MemoryJournal, sandbox: Sandbox
) -> None:
    delivery = kinds["image"](first_comment="Who opens it?")
    await bring(delivery, journal)
    sandbox.add_fault("instagram", COMMENT, "answer", status=400, body={"error": {"code": 80002}}, times=9)
    for _ in range(5):
        with pytest.raises(RateLimited):
            await instagram.publish(call, delivery, journal)
    outcome = await instagram.publish(call, delivery, journal)
    assert isinstance(outcome, Published)
    assert outcome.receipt.evidence["comment_refused"] == "too_many_tries"
    assert sandbox.requests("instagram", PUBLISH) == 1


async def test_an_address_that_cannot_be_asked_for_does_not_undo_the_post(
    kinds: Deliveries, post: Post, journal: MemoryJournal, sandbox: Sandbox
) -> None:
    delivery = kinds["image"]()
    sandbox.add_fault("instagram", "GET /v26.0/17*", "answer", skip=2, status=500)
    outcome = await post(delivery, journal)
    assert isinstance(outcome, Published)
    assert outcome.receipt.post_id
    assert outcome.receipt.url is None


def _remove(sandbox: Sandbox, post_id: str) -> None:
    found: TruePost = next(post for post in sandbox.truth.posts() if post.post_id == post_id)
    found.removed = True
