"""A video's way to TikTok: streamed in chunks, posted once, found again after every kind of loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from kit.clock import FixedClock
from platforms.errors import (
    OutcomeUnknown,
    Rejected,
    Transient,
)
from platforms.platform import Platform
from platforms.shape import Absent, Call, Delivery, Media, Processing, Published, Undecided
from platforms.tiktok.upload import cut
from sandbox.server import Sandbox
from sandbox.testing import BytesSource, MemoryJournal

UPLOAD = "PUT /video/"
INIT = "POST /v2/post/publish/video/init/"
CREATOR = "POST /v2/post/publish/creator_info/query/"
STATUS = "POST /v2/post/publish/status/fetch/"
FOUR_CHUNKS = 42_000_123


@pytest.fixture
def long_delivery(delivery: Delivery, make_media: Callable[..., Media]) -> Delivery:
    return replace(delivery, text="Fresh paint", media=(make_media(size=FOUR_CHUNKS),))


@pytest.mark.parametrize(
    ("size", "count", "last"),
    [
        (1, 1, (0, 1)),
        (4_999_999, 1, (0, 4_999_999)),
        (19_999_999, 1, (0, 19_999_999)),
        (20_000_000, 2, (10_000_000, 20_000_000)),
        (50_000_123, 5, (40_000_000, 50_000_123)),
        (4_000_000_000, 400, (3_990_000_000, 4_000_000_000)),
    ],
)
def test_the_remainder_joins_the_last_chunk(size: int, count: int, last: tuple[int, int]) -> None:
    plan = cut(size)
    assert plan.count == count == max(size // plan.chunk_size, 1)
    assert plan.span(count - 1) == last


async def test_nothing_is_visible_until_the_last_chunk(
    tiktok: Platform,
    tiktok_call: Call,
    long_delivery: Delivery,
    journal: MemoryJournal,
    sandbox: Sandbox,
    clock: FixedClock,
) -> None:
    await tiktok.stage(tiktok_call, long_delivery, journal)
    clock.advance(timedelta(minutes=5))
    assert sandbox.requests("tiktok", UPLOAD) == 3
    assert sandbox.truth.posts() == []
    assert await tiktok.publish(tiktok_call, long_delivery, journal) == Processing(5.0)
    clock.advance(timedelta(seconds=1))
    outcome = await tiktok.status(tiktok_call, long_delivery, journal)
    (post,) = sandbox.truth.posts("tiktok", "sandbox-open-id-one")
    assert isinstance(outcome, Published)
    assert outcome.receipt.post_id == post.post_id
    assert outcome.receipt.url == f"{sandbox.base_urls['tiktok']}/@brand_one/video/{post.post_id}"
    assert post.text == "Fresh paint"
    assert "Fresh paint" in (await tiktok_call.http.get(outcome.receipt.url)).text
    assert [item.sha256 for item in post.media] == [long_delivery.media[0].sha256]
    source = long_delivery.media[0].source
    assert isinstance(source, BytesSource)
    assert source.spans[-1] == (30_000_000, FOUR_CHUNKS)


async def test_a_small_file_is_sent_whole_by_the_visible_step(
    tiktok: Platform, tiktok_call: Call, delivery: Delivery, journal: MemoryJournal, sandbox: Sandbox
) -> None:
    await tiktok.stage(tiktok_call, delivery, journal)
    assert sandbox.requests("tiktok", UPLOAD) == 0
    assert isinstance(await tiktok.publish(tiktok_call, delivery, journal), Processing)
    assert sandbox.requests("tiktok", UPLOAD) == 1


async def test_an_upload_cut_in_the_middle_goes_on_where_it_stopped(
    tiktok: Platform, tiktok_call: Call, long_delivery: Delivery, journal: MemoryJournal, sandbox: Sandbox
) -> None:
    sandbox.add_fault("tiktok", UPLOAD, "reset_during", after_bytes=3_000_000, skip=1)
    with pytest.raises(Transient):
        await tiktok.stage(tiktok_call, long_delivery, journal)
    await tiktok.stage(tiktok_call, long_delivery, journal)
    await tiktok.publish(tiktok_call, long_delivery, journal)
    source = long_delivery.media[0].source
    assert isinstance(source, BytesSource)
    assert [start for start, _ in source.spans] == [0, 10_000_000, 10_000_000, 20_000_000, 30_000_000]
    assert sandbox.requests("tiktok", INIT) == 1


async def test_a_chunk_that_arrived_without_an_answer_is_not_sent_again(
    tiktok: Platform, tiktok_call: Call, long_delivery: Delivery, journal: MemoryJournal, sandbox: Sandbox
) -> None:
    sandbox.add_fault("tiktok", UPLOAD, "reset_after", skip=1)
    with pytest.raises(Transient):
        await tiktok.stage(tiktok_call, long_delivery, journal)
    await tiktok.stage(tiktok_call, long_delivery, journal)
    assert sandbox.requests("tiktok", UPLOAD) == 3


async def test_a_mismatch_is_corrected_by_what_tiktok_holds(
    tiktok: Platform, tiktok_call: Call, long_delivery: Delivery, journal: MemoryJournal, sandbox: Sandbox
) -> None:
    await tiktok.stage(tiktok_call, long_delivery, journal)
    (upload,) = sandbox.tiktok.state.uploads.values()
    upload.stored = 10_000_000
    with pytest.raises(Transient, match="bytes_missing"):
        await tiktok.publish(tiktok_call, long_delivery, journal)
    await tiktok.stage(tiktok_call, long_delivery, journal)
    assert isinstance(await tiktok.publish(tiktok_call, long_delivery, journal), Processing)


async def test_lost_after_the_effect_it_is_found_and_not_repeated(
    tiktok: Platform,
    tiktok_call: Call,
    delivery: Delivery,
    journal: MemoryJournal,
    sandbox: Sandbox,
    clock: FixedClock,
) -> None:
    await tiktok.stage(tiktok_call, delivery, journal)
    sandbox.add_fault("tiktok", UPLOAD, "reset_after")
    with pytest.raises(OutcomeUnknown) as caught:
        await tiktok.publish(tiktok_call, delivery, journal)
    assert journal.facts["upload_url"] not in str(caught.value)
    assert isinstance(await tiktok.reconcile(tiktok_call, delivery, journal), Processing)
    clock.advance(timedelta(seconds=1))
    finding = await tiktok.reconcile(tiktok_call, delivery, journal)
    (post,) = sandbox.truth.posts()
    assert isinstance(finding, Published)
    assert finding.receipt.post_id == post.post_id
    assert sandbox.requests("tiktok", UPLOAD) == 1


async def test_lost_before_the_effect_it_is_absent_and_repeated_once(
    tiktok: Platform,
    tiktok_call: Call,
    delivery: Delivery,
    journal: MemoryJournal,
    sandbox: Sandbox,
    clock: FixedClock,
) -> None:
    await tiktok.stage(tiktok_call, delivery, journal)
    sandbox.add_fault("tiktok", UPLOAD, "reset_before")
    with pytest.raises(OutcomeUnknown):
        await tiktok.publish(tiktok_call, delivery, journal)
    finding = await tiktok.reconcile(tiktok_call, delivery, journal)
    assert isinstance(finding, Absent)
    assert finding.evidence["uploaded_bytes"] == 0
    await tiktok.stage(tiktok_call, delivery, journal)
    await tiktok.publish(tiktok_call, delivery, journal)
    clock.advance(timedelta(seconds=1))
    assert len(sandbox.truth.posts()) == 1


async def test_repeating_everything_after_the_effect_posts_nothing_more(
    tiktok: Platform,
    tiktok_call: Call,
    delivery: Delivery,
    journal: MemoryJournal,
    sandbox: Sandbox,
    clock: FixedClock,
) -> None:
    await tiktok.stage(tiktok_call, delivery, journal)
    sandbox.add_fault("tiktok", UPLOAD, "reset_after")
    with pytest.raises(OutcomeUnknown):
        await tiktok.publish(tiktok_call, delivery, journal)
    clock.advance(timedelta(seconds=1))
    await tiktok.stage(tiktok_call, delivery, journal)
    assert isinstance(await tiktok.publish(tiktok_call, delivery, journal), Published)
    assert len(sandbox.truth.posts()) == 1
    assert sandbox.requests("tiktok", INIT) == 1


async def test_a_server_error_on_the_visible_step_leaves_it_open(
    tiktok: Platform, tiktok_call: Call, delivery: Delivery, journal: MemoryJournal, sandbox: Sandbox
) -> None:
    await tiktok.stage(tiktok_call, delivery, journal)
    sandbox.add_fault("tiktok", UPLOAD, "answer_after", status=502)
    with pytest.raises(OutcomeUnknown):
        await tiktok.publish(tiktok_call, delivery, journal)
    assert isinstance(await tiktok.reconcile(tiktok_call, delivery, journal), Processing)


async def test_without_an_upload_nothing_can_have_been_posted(
    tiktok: Platform, tiktok_call: Call, delivery: Delivery, journal: MemoryJournal, sandbox: Sandbox
) -> None:
    sandbox.add_fault("tiktok", INIT, "reset_after")
    with pytest.raises(Transient):
        await tiktok.stage(tiktok_call, delivery, journal)
    assert isinstance(await tiktok.reconcile(tiktok_call, delivery, journal), Absent)


async def test_an_expired_upload_is_started_anew(
    tiktok: Platform,
    tiktok_call: Call,
    delivery: Delivery,
    journal: MemoryJournal,
    sandbox: Sandbox,
    clock: FixedClock,
) -> None:
    await tiktok.stage(tiktok_call, delivery, journal)
    first = journal.facts["publish_id"]
    clock.advance(timedelta(minutes=61))
    with pytest.raises(Transient, match="upload_expired"):
        await tiktok.publish(tiktok_call, delivery, journal)
    await tiktok.stage(tiktok_call, delivery, journal)
    assert journal.facts["abandoned_publish_ids"] == [first]
    assert isinstance(await tiktok.publish(tiktok_call, delivery, journal), Processing)


async def test_bytes_that_may_be_in_after_an_hour_are_for_a_person(
    tiktok: Platform,
    tiktok_call: Call,
    delivery: Delivery,
    journal: MemoryJournal,
    sandbox: Sandbox,
    clock: FixedClock,
) -> None:
    sandbox.tuning.processing_seconds = 24 * 3600
    await tiktok.stage(tiktok_call, delivery, journal)
    await tiktok.publish(tiktok_call, delivery, journal)
    clock.advance(timedelta(minutes=70))
    assert isinstance(await tiktok.reconcile(tiktok_call, delivery, journal), Undecided)


@pytest.mark.promise("P42")
@pytest.mark.parametrize(("known", "minutes", "uploads"), [(False, 0, 2), (True, 10, 1), (True, 70, 2)])
async def test_a_persons_word_that_it_is_not_there_uploads_it_anew_unless_tiktok_works_on_it(
    tiktok: Platform,
    tiktok_call: Call,
    delivery: Delivery,
    journal: MemoryJournal,
    sandbox: Sandbox,
    clock: FixedClock,
    known: bool,
    minutes: int,
    uploads: int,
) -> None:
    sandbox.tuning.processing_seconds = 24 * 3600
    await tiktok.stage(tiktok_call, delivery, journal)
    await tiktok.publish(tiktok_call, delivery, journal)
    if not known:
        sandbox.tiktok.state.uploads.clear()
    clock.advance(timedelta(minutes=minutes))
    told = replace(delivery, forgiven=1)
    await tiktok.stage(tiktok_call, told, journal)
    assert isinstance(await tiktok.publish(tiktok_call, told, journal), Processing)
    assert sandbox.requests("tiktok", UPLOAD) == uploads


async def test_an_id_that_comes_later_than_the_post(
    tiktok: Platform,
    tiktok_call: Call,
    delivery: Delivery,
    journal: MemoryJournal,
    sandbox: Sandbox,
    clock: FixedClock,
) -> None:
    sandbox.tuning.moderation_seconds = 600
    await tiktok.stage(tiktok_call, delivery, journal)
    await tiktok.publish(tiktok_call, delivery, journal)
    clock.advance(timedelta(seconds=1))
    early = await tiktok.status(tiktok_call, delivery, journal)
    assert isinstance(early, Published)
    assert (early.receipt.post_id, early.receipt.url) == (None, None)
    clock.advance(timedelta(seconds=600))
    late = await tiktok.status(tiktok_call, delivery, journal)
    assert isinstance(late, Published)
    assert late.receipt.post_id is not None


async def test_a_choice_that_is_no_longer_offered_is_never_downgraded(
    tiktok: Platform, tiktok_call: Call, delivery: Delivery, journal: MemoryJournal, sandbox: Sandbox
) -> None:
    sandbox.tiktok.state.accounts["sandbox-open-id-one"].private = True
    with pytest.raises(Rejected, match="privacy_level_option_mismatch") as caught:
        await tiktok.stage(tiktok_call, delivery, journal)
    assert caught.value.advice
    assert sandbox.requests("tiktok", INIT) == 0


async def test_a_video_longer_than_this_account_may_post(
    tiktok: Platform, tiktok_call: Call, delivery: Delivery, journal: MemoryJournal, sandbox: Sandbox
) -> None:
    sandbox.tiktok.state.accounts["sandbox-open-id-one"].max_video_post_duration_sec = 10
    with pytest.raises(Rejected, match="duration_check_failed"):
        await tiktok.stage(tiktok_call, delivery, journal)


async def test_an_unknown_publication_is_for_a_person(
    tiktok: Platform, tiktok_call: Call, delivery: Delivery, journal: MemoryJournal, sandbox: Sandbox
) -> None:
    await tiktok.stage(tiktok_call, delivery, journal)
    sandbox.tiktok.state.uploads.clear()
    assert isinstance(await tiktok.reconcile(tiktok_call, delivery, journal), Undecided)


async def test_insights_grow_and_leave_out_what_is_not_ours(
    tiktok: Platform,
    tiktok_call: Call,
    delivery: Delivery,
    journal: MemoryJournal,
    sandbox: Sandbox,
    clock: FixedClock,
) -> None:
    await tiktok.stage(tiktok_call, delivery, journal)
    await tiktok.publish(tiktok_call, delivery, journal)
    clock.advance(timedelta(minutes=10))
    (post,) = sandbox.truth.posts()
    early = await tiktok.insights(tiktok_call, [post.post_id, "123"])
    clock.advance(timedelta(hours=1))
    late = await tiktok.insights(tiktok_call, [post.post_id])
    assert set(early) == {post.post_id}
    assert (late[post.post_id].views or 0) > (early[post.post_id].views or 0) > 0
    assert late[post.post_id].impressions is None
