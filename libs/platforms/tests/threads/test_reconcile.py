"""Posts whose call went unanswered: found and not repeated, or proved absent and repeated once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from kit.clock import FixedClock
from platforms.errors import OutcomeUnknown, Transient
from platforms.platform import Platform
from platforms.shape import Absent, Call, Delivery, Media, Outcome, Published, Undecided
from platforms.threads.answers import Listed
from platforms.threads.looking import Wanted
from sandbox.server import Sandbox
from sandbox.testing import MemoryJournal
from sandbox.threads.platform import ThreadsSandbox

PUBLISH = "POST /v1.0/me/threads_publish"
CREATE = "POST /v1.0/me/threads"
Post = Callable[[Delivery, MemoryJournal], Awaitable[Outcome]]
Bring = Callable[[Delivery, MemoryJournal], Awaitable[None]]


@pytest.fixture
def lose(
    threads: Platform, call: Call, post: Post, sandbox: Sandbox, journal: MemoryJournal
) -> Callable[..., Awaitable[None]]:
    """Publish, with the answer to the visible call number `step` lost."""

    async def go(delivery: Delivery, kind: str, step: int = 0) -> None:
        sandbox.add_fault("threads", PUBLISH, kind, skip=step)
        with pytest.raises(OutcomeUnknown, match="no_answer"):
            await post(delivery, journal)
        with pytest.raises(OutcomeUnknown, match="unresolved"):
            await threads.publish(call, delivery, journal)

    return go


async def test_lost_after_the_effect_it_is_found_and_not_repeated(
    threads: Platform, call: Call, delivery: Delivery, journal: MemoryJournal, lose: Any, sandbox: Sandbox
) -> None:
    await lose(delivery, "reset_after")
    finding = await threads.reconcile(call, delivery, journal)
    (shown,) = sandbox.truth.posts("threads")
    assert isinstance(finding, Published)
    assert (finding.receipt.post_id, shown.writes) == (shown.post_id, 1)
    assert finding.receipt.url is not None
    assert await threads.publish(call, delivery, journal) == finding


async def test_lost_before_the_effect_it_is_absent_at_the_second_look_and_repeated_once(
    threads: Platform,
    call: Call,
    delivery: Delivery,
    journal: MemoryJournal,
    lose: Any,
    bring: Bring,
    sandbox: Sandbox,
    clock: FixedClock,
) -> None:
    await lose(delivery, "reset_before")
    for _ in range(2):
        with pytest.raises(Transient, match="not_shown_yet"):
            await threads.reconcile(call, delivery, journal)
        clock.advance(timedelta(seconds=10))
    assert isinstance(await threads.reconcile(call, delivery, journal), Absent)
    await bring(delivery, journal)
    assert isinstance(await threads.publish(call, delivery, journal), Published)
    assert sandbox.requests("threads", CREATE) == 1
    assert [each.writes for each in sandbox.truth.posts()] == [1]


@pytest.mark.parametrize("step", range(4))
@pytest.mark.parametrize("kind", ["reset_before", "reset_after"])
async def test_a_thread_goes_on_behind_each_post_whose_answer_was_lost(
    kind: str,
    step: int,
    threads: Platform,
    call: Call,
    thread: Delivery,
    journal: MemoryJournal,
    lose: Any,
    bring: Bring,
    sandbox: Sandbox,
    clock: FixedClock,
) -> None:
    await lose(thread, kind, step)
    if kind == "reset_before":
        with pytest.raises(Transient):
            await threads.reconcile(call, thread, journal)
        clock.advance(timedelta(seconds=15))
    finding = await threads.reconcile(call, thread, journal)
    if (kind, step) == ("reset_after", 3):
        assert isinstance(finding, Published)
    else:
        assert isinstance(finding, Absent)
        assert finding.evidence["next"] == step + (kind == "reset_after")
    await bring(thread, journal)
    assert isinstance(await threads.publish(call, thread, journal), Published)
    shown = sandbox.truth.posts("threads")
    assert [each.text for each in shown] == ["Three doors", "Two more doors", "That is all", "Who painted them?"]
    assert [each.writes for each in shown] == [1, 1, 1, 1]


async def test_an_id_that_is_listed_late_is_told_later(
    threads: Platform,
    call: Call,
    delivery: Delivery,
    journal: MemoryJournal,
    lose: Any,
    sandbox: Sandbox,
    imitated: ThreadsSandbox,
    clock: FixedClock,
) -> None:
    imitated.state.listing_lag_seconds = 30
    await lose(delivery, "reset_after")
    finding = await threads.reconcile(call, delivery, journal)
    assert isinstance(finding, Published)
    assert (finding.receipt.post_id, finding.receipt.url) == (None, None)
    assert await threads.status(call, delivery, journal) == finding
    clock.advance(timedelta(seconds=30))
    known = await threads.status(call, delivery, journal)
    assert isinstance(known, Published)
    assert known.receipt.post_id == sandbox.truth.posts()[0].post_id


async def test_a_post_that_is_to_be_answered_waits_for_its_id(
    threads: Platform,
    call: Call,
    thread: Delivery,
    journal: MemoryJournal,
    lose: Any,
    imitated: ThreadsSandbox,
    clock: FixedClock,
) -> None:
    imitated.state.listing_lag_seconds = 30
    await lose(thread, "reset_after")
    with pytest.raises(Transient, match="not_listed_yet"):
        await threads.reconcile(call, thread, journal)
    clock.advance(timedelta(seconds=30))
    assert isinstance(await threads.reconcile(call, thread, journal), Absent)


async def test_of_two_posts_with_the_same_words_the_closer_in_time_is_ours(
    threads: Platform,
    call: Call,
    delivery: Delivery,
    journal: MemoryJournal,
    bring: Bring,
    sandbox: Sandbox,
    clock: FixedClock,
) -> None:
    other = MemoryJournal()
    for each in (other, journal):
        await bring(delivery, each)
    await threads.publish(call, delivery, other)
    clock.advance(timedelta(seconds=30))
    sandbox.add_fault("threads", PUBLISH, "reset_after")
    with pytest.raises(OutcomeUnknown):
        await threads.publish(call, delivery, journal)
    finding = await threads.reconcile(call, delivery, journal)
    assert isinstance(finding, Published)
    assert finding.receipt.post_id == sandbox.truth.posts()[1].post_id


async def test_a_reply_with_the_same_words_is_not_taken_for_another(
    threads: Platform,
    call: Call,
    make_delivery: Callable[..., Delivery],
    journal: MemoryJournal,
    lose: Any,
    sandbox: Sandbox,
    clock: FixedClock,
) -> None:
    delivery = make_delivery("One", settings={"thread": [{"text": "Same"}], "first_comment": "Same"})
    await lose(delivery, "reset_before", 2)
    with pytest.raises(Transient):
        await threads.reconcile(call, delivery, journal)
    clock.advance(timedelta(seconds=15))
    assert isinstance(await threads.reconcile(call, delivery, journal), Absent)
    await threads.publish(call, delivery, journal)
    assert [(each.text, each.writes) for each in sandbox.truth.posts()] == [("One", 1), ("Same", 1), ("Same", 1)]


@pytest.mark.parametrize(
    ("changes", "matches"),
    [
        ({}, True),
        ({"text": "Fresh  paint door"}, True),
        ({"timestamp": "2026-11-22T09:59:10+0000"}, True),
        ({"timestamp": "2026-11-22T09:58:59+0000"}, False),
        ({"timestamp": "soon"}, False),
        ({"text": "Wet paint"}, False),
        ({"media_type": "IMAGE"}, False),
        ({"replied_to": {"id": "1"}}, True),
        ({"replied_to": {"id": "2"}}, False),
    ],
)
def test_what_makes_a_listed_post_ours(changes: dict[str, Any], matches: bool, clock: FixedClock):
    listed = {
        "id": "9",
        "text": "Fresh paint #door",
        "media_type": "TEXT_POST",
        "timestamp": "2026-11-22T10:00:05+0000",
    }
    wanted = Wanted("Fresh paint #door", (), "1", clock.now())
    assert wanted.matches(msgspec.convert(listed | changes, Listed)) is matches


@pytest.mark.parametrize("kind", ["image", "video", "carousel"])
async def test_a_post_without_text_is_known_by_its_kind_and_time(
    kind: str,
    threads: Platform,
    call: Call,
    make_delivery: Callable[..., Delivery],
    image: Callable[..., Media],
    video: Callable[..., Media],
    journal: MemoryJournal,
    lose: Any,
    post: Post,
    sandbox: Sandbox,
) -> None:
    media = {"image": (image(),), "video": (video(),), "carousel": (image(), video())}[kind]
    delivery = make_delivery("", media=media)
    await lose(delivery, "reset_after")
    await post(make_delivery("Something else"), MemoryJournal())
    finding = await threads.reconcile(call, delivery, journal)
    assert isinstance(finding, Published)
    assert finding.receipt.post_id == sandbox.truth.posts()[0].post_id


async def test_an_expired_container_was_never_shown(
    threads: Platform,
    call: Call,
    delivery: Delivery,
    journal: MemoryJournal,
    lose: Any,
    bring: Bring,
    clock: FixedClock,
    sandbox: Sandbox,
) -> None:
    await lose(delivery, "reset_before")
    clock.advance(timedelta(days=2))
    assert isinstance(await threads.reconcile(call, delivery, journal), Absent)
    await bring(delivery, journal)
    assert isinstance(await threads.publish(call, delivery, journal), Published)
    assert len(sandbox.truth.posts()) == 1


@pytest.mark.parametrize("shown", [True, False])
async def test_without_the_container_only_the_list_is_evidence(
    shown: bool,
    threads: Platform,
    call: Call,
    delivery: Delivery,
    journal: MemoryJournal,
    lose: Any,
    imitated: ThreadsSandbox,
    clock: FixedClock,
) -> None:
    await lose(delivery, "reset_after" if shown else "reset_before")
    imitated.state.containers.clear()
    if shown:
        assert isinstance(await threads.reconcile(call, delivery, journal), Published)
        return
    with pytest.raises(Transient, match="not_shown_yet"):
        await threads.reconcile(call, delivery, journal)
    clock.advance(timedelta(minutes=1))
    finding = await threads.reconcile(call, delivery, journal)
    assert isinstance(finding, Undecided)
    assert "neither" in finding.evidence["reason"]


@pytest.mark.promise("P42")
@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("shown", [True, False])
async def test_a_persons_word_that_it_is_not_there_shows_it_unless_it_is_proved_to_be_out(
    known: bool,
    shown: bool,
    threads: Platform,
    call: Call,
    delivery: Delivery,
    journal: MemoryJournal,
    lose: Any,
    post: Post,
    imitated: ThreadsSandbox,
    sandbox: Sandbox,
) -> None:
    await lose(delivery, "reset_after" if shown else "reset_before")
    if not known:
        imitated.state.containers.clear()
    assert isinstance(await post(replace(delivery, forgiven=1), journal), Published)
    assert [each.writes for each in sandbox.truth.posts()] == [1]
    assert sandbox.requests("threads", PUBLISH) == (1 if shown else 2)


async def test_a_container_shown_without_a_note_of_it_is_not_shown_again(
    threads: Platform, call: Call, delivery: Delivery, journal: MemoryJournal, bring: Bring, sandbox: Sandbox
) -> None:
    """A journal that was restored from before the visible call knows nothing of it."""
    await bring(delivery, journal)
    earlier = MemoryJournal()
    await earlier.record(**journal.facts)
    await threads.publish(call, delivery, journal)
    with pytest.raises(OutcomeUnknown):
        await threads.publish(call, delivery, earlier)
    assert isinstance(await threads.reconcile(call, delivery, earlier), Published)
    assert len(sandbox.truth.posts()) == 1
