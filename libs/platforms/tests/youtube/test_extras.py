"""Thumbnail, playlist and first comment: done once each, and never a reason to call a shown video unpublished."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from kit.clock import FixedClock
from platforms.errors import OutcomeUnknown, RateLimited, ReauthorisationNeeded, Transient
from platforms.platform import Platform
from platforms.shape import Absent, Call, Delivery, Media, Published
from sandbox.server import Sandbox
from sandbox.testing import MemoryJournal
from sandbox.youtube.platform import YouTubeSandbox

SHOW = "PUT /youtube/v3/videos"
COMMENT = "POST /youtube/v3/commentThreads"
LIST = "POST /youtube/v3/playlistItems"
THUMBNAIL = "POST /upload/youtube/v3/thumbnails/set"
THUMBNAIL_REFUSALS = [
    (403, "forbidden"),
    (400, "invalidImage"),
    (400, "mediaBodyRequired"),
    (400, "imageFormatUnsupported"),
    (400, "imageTooTall"),
    (400, "imageTooWide"),
    (404, "videoNotFound"),
    (429, "uploadRateLimitExceeded"),
]


@pytest.fixture
def commented(make_video: Callable[..., Delivery], sandbox: Sandbox) -> Delivery:
    sandbox.tuning.processing_seconds = 0
    return make_video(first_comment="First!", playlist_id="PL-brand_one")


def evidence_of(outcome: object) -> Any:
    assert isinstance(outcome, Published)
    return outcome.receipt.evidence


async def test_a_comment_without_an_answer_is_found_and_not_written_again(
    youtube: Platform, call: Call, commented: Delivery, journal: MemoryJournal, sandbox: Sandbox, server: YouTubeSandbox
) -> None:
    await youtube.stage(call, commented, journal)
    sandbox.add_fault("youtube", COMMENT, "reset_after")
    with pytest.raises(OutcomeUnknown):
        await youtube.publish(call, commented, journal)
    assert isinstance(await youtube.reconcile(call, commented, journal), Published)
    assert isinstance(await youtube.publish(call, commented, journal), Published)
    assert [comment.text for comment in server.state.comments] == ["First!"]
    assert (sandbox.requests("youtube", SHOW), sandbox.requests("youtube", COMMENT)) == (1, 1)


async def test_a_comment_that_never_arrived_is_written_once_when_that_is_sure(
    youtube: Platform,
    call: Call,
    commented: Delivery,
    journal: MemoryJournal,
    sandbox: Sandbox,
    server: YouTubeSandbox,
    clock: FixedClock,
) -> None:
    await youtube.stage(call, commented, journal)
    sandbox.add_fault("youtube", COMMENT, "reset_before")
    with pytest.raises(OutcomeUnknown):
        await youtube.publish(call, commented, journal)
    with pytest.raises(Transient, match="comment_not_listed_yet"):
        await youtube.reconcile(call, commented, journal)
    with pytest.raises(OutcomeUnknown, match="comment_not_listed_yet"):
        await youtube.publish(call, commented, journal)
    clock.advance(timedelta(seconds=61))
    finding = await youtube.reconcile(call, commented, journal)
    assert isinstance(finding, Absent)
    assert finding.evidence["missing"] == "first_comment"
    await youtube.stage(call, commented, journal)
    assert isinstance(await youtube.publish(call, commented, journal), Published)
    assert [comment.text for comment in server.state.comments] == ["First!"]
    assert [post.writes for post in sandbox.truth.posts()] == [1]


async def test_a_crash_between_the_video_and_its_comment_goes_on_there(
    youtube: Platform, call: Call, commented: Delivery, journal: MemoryJournal, sandbox: Sandbox, server: YouTubeSandbox
) -> None:
    await youtube.stage(call, commented, journal)
    sandbox.add_fault("youtube", SHOW, "reset_after")
    with pytest.raises(OutcomeUnknown):
        await youtube.publish(call, commented, journal)
    finding = await youtube.reconcile(call, commented, journal)
    assert isinstance(finding, Absent)
    assert finding.evidence["missing"] == "playlist"
    await youtube.stage(call, commented, journal)
    assert isinstance(await youtube.publish(call, commented, journal), Published)
    assert (len(server.state.comments), sandbox.requests("youtube", SHOW)) == (1, 1)


async def test_a_playlist_without_an_answer_holds_the_video_once(
    youtube: Platform, call: Call, commented: Delivery, journal: MemoryJournal, sandbox: Sandbox, server: YouTubeSandbox
) -> None:
    await youtube.stage(call, commented, journal)
    sandbox.add_fault("youtube", LIST, "reset_after")
    with pytest.raises(Transient):
        await youtube.publish(call, commented, journal)
    assert isinstance(await youtube.publish(call, commented, journal), Published)
    assert len(server.state.playlists["PL-brand_one"].items) == 1
    assert (sandbox.requests("youtube", SHOW), sandbox.requests("youtube", LIST)) == (1, 1)


async def test_a_comment_that_is_refused_is_left_out_and_said(
    youtube: Platform, call: Call, commented: Delivery, journal: MemoryJournal, server: YouTubeSandbox
) -> None:
    server.state.channels[call.grant.account_id].comments_disabled = True
    await youtube.stage(call, commented, journal)
    outcome = await youtube.publish(call, commented, journal)
    assert evidence_of(outcome)["first_comment"] == {"left_out": "commentsDisabled"}
    assert isinstance(await youtube.status(call, commented, journal), Published)


async def test_a_comment_that_is_never_answered_is_given_up(
    youtube: Platform, call: Call, commented: Delivery, journal: MemoryJournal, sandbox: Sandbox, clock: FixedClock
) -> None:
    await youtube.stage(call, commented, journal)
    sandbox.add_fault("youtube", COMMENT, "reset_before", times=99)
    for _ in range(3):
        with pytest.raises(OutcomeUnknown):
            await youtube.publish(call, commented, journal)
        clock.advance(timedelta(seconds=61))
    assert isinstance(await youtube.reconcile(call, commented, journal), Published)
    outcome = await youtube.publish(call, commented, journal)
    assert evidence_of(outcome)["first_comment"] == {"left_out": "comment_unanswered"}
    assert sandbox.requests("youtube", COMMENT) == 3


async def test_a_step_that_fails_a_few_times_is_left_out(
    youtube: Platform, call: Call, commented: Delivery, journal: MemoryJournal, sandbox: Sandbox
) -> None:
    await youtube.stage(call, commented, journal)
    sandbox.add_fault("youtube", LIST, "answer", status=503, times=99)
    for _ in range(2):
        with pytest.raises(Transient):
            await youtube.publish(call, commented, journal)
    evidence = evidence_of(await youtube.publish(call, commented, journal))
    assert "left_out" in evidence["playlist"]
    assert "done" in evidence["first_comment"]


async def test_a_quota_of_the_day_does_not_hold_back_a_shown_video(
    youtube: Platform, call: Call, commented: Delivery, journal: MemoryJournal, sandbox: Sandbox
) -> None:
    await youtube.stage(call, commented, journal)
    quota = {"error": {"code": 403, "errors": [{"reason": "quotaExceeded"}]}}
    sandbox.add_fault("youtube", COMMENT, "answer", status=403, body=quota)
    evidence = evidence_of(await youtube.publish(call, commented, journal))
    assert evidence["first_comment"] == {"left_out": "quotaExceeded"}


async def test_a_short_pause_is_kept_and_the_step_done_then(
    youtube: Platform, call: Call, commented: Delivery, journal: MemoryJournal, sandbox: Sandbox, clock: FixedClock
) -> None:
    await youtube.stage(call, commented, journal)
    sandbox.add_fault("youtube", LIST, "answer", status=429, headers={"retry-after": "7"})
    with pytest.raises(RateLimited) as caught:
        await youtube.publish(call, commented, journal)
    assert caught.value.until == clock.now() + timedelta(seconds=7)
    evidence = evidence_of(await youtube.publish(call, commented, journal))
    assert {"done"} == {word for name in ("playlist", "first_comment") for word in evidence[name]}


async def test_an_expired_token_is_no_reason_to_leave_a_step_out(
    youtube: Platform, call: Call, commented: Delivery, journal: MemoryJournal, sandbox: Sandbox
) -> None:
    await youtube.stage(call, commented, journal)
    sandbox.add_fault("youtube", LIST, "expire_token")
    with pytest.raises(ReauthorisationNeeded):
        await youtube.publish(call, commented, journal)
    assert "playlist" not in journal.facts


async def test_a_thumbnail_that_is_refused_does_not_stop_the_video(
    youtube: Platform, call: Call, make_video: Callable[..., Delivery], thumbnail: Media, sandbox: Sandbox
) -> None:
    sandbox.tuning.processing_seconds = 0
    for status, reason in THUMBNAIL_REFUSALS:
        delivery, journal = make_video(thumbnail, size=1000), MemoryJournal()
        body = {"error": {"code": status, "errors": [{"reason": reason}]}}
        sandbox.add_fault("youtube", THUMBNAIL, "answer", status=status, body=body)
        await youtube.stage(call, delivery, journal)
        outcome = await youtube.publish(call, delivery, journal)
        assert evidence_of(outcome)["thumbnail"] == {"left_out": reason}
    assert len(sandbox.truth.posts()) == len(THUMBNAIL_REFUSALS)


async def test_a_thumbnail_whose_answer_was_lost_is_sent_again(
    youtube: Platform,
    call: Call,
    make_video: Callable[..., Delivery],
    thumbnail: Media,
    journal: MemoryJournal,
    sandbox: Sandbox,
    server: YouTubeSandbox,
) -> None:
    sandbox.add_fault("youtube", THUMBNAIL, "reset_after")
    delivery = make_video(thumbnail)
    with pytest.raises(Transient):
        await youtube.stage(call, delivery, journal)
    await youtube.stage(call, delivery, journal)
    (video,) = server.state.videos.values()
    assert video.thumbnail == (thumbnail.sha256, thumbnail.size_bytes, "image/jpeg")


async def test_a_video_that_is_uploaded_anew_gets_its_own_thumbnail_playlist_and_comment(
    youtube: Platform,
    call: Call,
    make_video: Callable[..., Delivery],
    thumbnail: Media,
    journal: MemoryJournal,
    sandbox: Sandbox,
    server: YouTubeSandbox,
    clock: FixedClock,
) -> None:
    delivery = make_video(thumbnail, first_comment="First!", playlist_id="PL-brand_one")
    server.plan_outcome({"processing_failure_reason": "streamingFailed"})
    await youtube.stage(call, delivery, journal)
    await youtube.publish(call, delivery, journal)
    failed = journal.facts["video_id"]
    clock.advance(timedelta(seconds=1))
    await youtube.stage(call, delivery, journal)
    await youtube.publish(call, delivery, journal)
    again = server.state.videos[journal.facts["video_id"]]
    assert again.video_id != failed
    assert again.thumbnail is not None
    assert [comment.video_id for comment in server.state.comments] == [failed, again.video_id]
    assert [item.video_id for item in server.state.playlists["PL-brand_one"].items] == [failed, again.video_id]


async def test_comments_switched_off_while_nobody_knew_are_noted_when_it_goes_on(
    youtube: Platform, call: Call, commented: Delivery, journal: MemoryJournal, sandbox: Sandbox, server: YouTubeSandbox
) -> None:
    await youtube.stage(call, commented, journal)
    sandbox.add_fault("youtube", COMMENT, "reset_before")
    with pytest.raises(OutcomeUnknown):
        await youtube.publish(call, commented, journal)
    server.state.channels[call.grant.account_id].comments_disabled = True
    assert isinstance(await youtube.reconcile(call, commented, journal), Absent)
    outcome = await youtube.publish(call, commented, journal)
    assert evidence_of(outcome)["first_comment"] == {"left_out": "commentsDisabled"}
