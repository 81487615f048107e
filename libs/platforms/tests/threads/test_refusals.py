"""What Threads refuses when a post is to be shown: final, doubtful, or in the middle of a thread."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from kit.clock import FixedClock
from platforms.errors import OutcomeUnknown, RateLimited, Rejected, Transient
from platforms.platform import Platform
from platforms.shape import Absent, Call, Delivery, Media, Outcome, Published, Refused, Undecided
from sandbox.server import Sandbox
from sandbox.testing import MemoryJournal
from sandbox.threads.platform import ThreadsSandbox

PUBLISH = "POST /v1.0/me/threads_publish"
Post = Callable[[Delivery, MemoryJournal], Awaitable[Outcome]]
Bring = Callable[[Delivery, MemoryJournal], Awaitable[None]]
RESTRICTED = {"error": {"message": "Action restricted", "type": "OAuthException", "code": 4, "error_subcode": 2207051}}


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


async def test_a_doubtful_refusal_is_one_once_nothing_is_proved_to_be_out(
    threads: Platform,
    call: Call,
    delivery: Delivery,
    journal: MemoryJournal,
    bring: Bring,
    sandbox: Sandbox,
    clock: FixedClock,
) -> None:
    await bring(delivery, journal)
    sandbox.add_fault("threads", PUBLISH, "answer", status=403, body=RESTRICTED)
    with pytest.raises(OutcomeUnknown, match=r"4\.2207051"):
        await threads.publish(call, delivery, journal)
    with pytest.raises(Transient):
        await threads.reconcile(call, delivery, journal)
    clock.advance(timedelta(seconds=15))
    finding = await threads.reconcile(call, delivery, journal)
    assert isinstance(finding, Refused)
    assert finding.code == "4.2207051"
    assert finding.advice


async def test_a_doubtful_refusal_in_a_thread_is_for_a_person(
    threads: Platform, call: Call, thread: Delivery, journal: MemoryJournal, bring: Bring, sandbox: Sandbox,
    clock: FixedClock,
) -> None:  # fmt: skip
    await bring(thread, journal)
    sandbox.add_fault("threads", PUBLISH, "answer", status=403, body=RESTRICTED, skip=1)
    with pytest.raises(OutcomeUnknown):
        await threads.publish(call, thread, journal)
    with pytest.raises(Transient):
        await threads.reconcile(call, thread, journal)
    clock.advance(timedelta(seconds=15))
    finding = await threads.reconcile(call, thread, journal)
    assert isinstance(finding, Undecided)
    assert finding.evidence["stuck"]["code"] == "4.2207051"


@pytest.mark.promise("P42")
async def test_a_thread_goes_on_behind_a_refused_post_once_a_person_says_so(
    threads: Platform, call: Call, thread: Delivery, journal: MemoryJournal, bring: Bring, sandbox: Sandbox
) -> None:
    await bring(thread, journal)
    body = {"error": {"message": "Invalid parameter", "type": "OAuthException", "code": 100}}
    sandbox.add_fault("threads", PUBLISH, "answer", status=400, body=body, skip=1)
    for _ in range(2):
        with pytest.raises(OutcomeUnknown, match="thread_incomplete"):
            await threads.publish(call, thread, journal)
    told = replace(thread, forgiven=1)
    await bring(told, journal)
    assert isinstance(await threads.publish(call, told, journal), Published)
    assert [each.writes for each in sandbox.truth.posts()] == [1] * 4


async def test_a_doubtful_refusal_of_what_is_out_is_none(
    threads: Platform, call: Call, delivery: Delivery, journal: MemoryJournal, bring: Bring, sandbox: Sandbox
) -> None:
    await bring(delivery, journal)
    sandbox.add_fault("threads", PUBLISH, "answer_after", status=403, body=RESTRICTED)
    with pytest.raises(OutcomeUnknown):
        await threads.publish(call, delivery, journal)
    assert isinstance(await threads.reconcile(call, delivery, journal), Published)


async def test_a_container_that_is_unknown_and_out_is_found(
    threads: Platform, call: Call, delivery: Delivery, journal: MemoryJournal, bring: Bring, sandbox: Sandbox
) -> None:
    """The publishing call says it does not know what it has just shown."""
    body = {"error": {"message": "The requested resource does not exist", "code": 24, "error_subcode": 4279009}}
    await bring(delivery, journal)
    sandbox.add_fault("threads", PUBLISH, "answer_after", status=400, body=body)
    with pytest.raises(OutcomeUnknown):
        await threads.publish(call, delivery, journal)
    assert isinstance(await threads.reconcile(call, delivery, journal), Published)
    assert [each.writes for each in sandbox.truth.posts()] == [1]


@pytest.mark.parametrize("status", [500, 503, 200])
async def test_an_answer_that_makes_no_sense_leaves_the_outcome_open(
    status: int,
    threads: Platform,
    call: Call,
    delivery: Delivery,
    journal: MemoryJournal,
    bring: Bring,
    sandbox: Sandbox,
) -> None:
    await bring(delivery, journal)
    sandbox.add_fault("threads", PUBLISH, "answer_after", status=status, body={})
    with pytest.raises(OutcomeUnknown):
        await threads.publish(call, delivery, journal)
    assert isinstance(await threads.reconcile(call, delivery, journal), Published)


async def test_a_refusal_is_final_and_leaves_nothing_to_find_out(
    threads: Platform, call: Call, delivery: Delivery, journal: MemoryJournal, bring: Bring, sandbox: Sandbox
) -> None:
    body = {"error": {"message": "Invalid parameter", "type": "OAuthException", "code": 100}}
    await bring(delivery, journal)
    sandbox.add_fault("threads", PUBLISH, "answer", status=400, body=body)
    with pytest.raises(Rejected):
        await threads.publish(call, delivery, journal)
    assert journal.facts["trying"] is None
    assert isinstance(await threads.reconcile(call, delivery, journal), Absent)
