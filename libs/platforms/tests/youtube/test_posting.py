"""A video's way to YouTube: uploaded as private, shown once, found again after every kind of loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from kit.clock import FixedClock
from platforms.errors import OutcomeUnknown, ReauthorisationNeeded, Rejected, Transient
from platforms.platform import Platform
from platforms.shape import Absent, Call, ClientCredentials, Delivery, Media, Processing, Published, Refused, Undecided
from platforms.youtube.limits import CHUNK_BYTES, CHUNK_STEP_BYTES
from sandbox.server import Sandbox
from sandbox.testing import BytesSource, MemoryJournal
from sandbox.youtube.platform import YouTubeSandbox

START = "POST /upload/youtube/v3/videos"
SEND = "PUT /upload/youtube/v3/videos"
SHOW = "PUT /youtube/v3/videos"
THREE_CHUNKS = 2 * CHUNK_BYTES + 12_345


@pytest.fixture
def long_delivery(make_video: Callable[..., Delivery]) -> Delivery:
    return make_video(size=THREE_CHUNKS)


def spans(delivery: Delivery) -> list[tuple[int, int]]:
    source = delivery.media[0].source
    assert isinstance(source, BytesSource)
    return source.spans


async def test_nothing_is_visible_until_it_is_shown(
    youtube: Platform, call: Call, delivery: Delivery, journal: MemoryJournal, sandbox: Sandbox, clock: FixedClock
) -> None:
    await youtube.stage(call, delivery, journal)
    clock.advance(timedelta(minutes=5))
    assert sandbox.truth.posts() == []
    outcome = await youtube.publish(call, delivery, journal)
    (post,) = sandbox.truth.posts("youtube", call.grant.account_id)
    assert isinstance(outcome, Published)
    assert outcome.receipt.post_id == post.post_id
    assert outcome.receipt.url == f"{sandbox.base_urls['youtube']}/watch?v={post.post_id}"
    assert "Fresh paint" in (await read_page(call, outcome.receipt.url)).text
    assert (post.text, post.writes) == ("Fresh paint", 1)
    assert [item.sha256 for item in post.media] == [delivery.media[0].sha256]


async def test_every_setting_arrives_as_it_was_chosen(
    youtube: Platform,
    call: Call,
    make_video: Callable[..., Delivery],
    thumbnail: Media,
    journal: MemoryJournal,
    sandbox: Sandbox,
    server: YouTubeSandbox,
) -> None:
    chosen = make_video(
        thumbnail,
        title="Tür · 門",
        visibility="unlisted",
        category_id="26",
        tags=["red", "two words"],
        language="de-CH",
        contains_synthetic_media=True,
        has_paid_promotion=True,
        license="creativeCommon",
        embeddable=False,
        public_stats_viewable=False,
        notify_subscribers=False,
        playlist_id="PL-brand_one",
        first_comment="What colour next?",
    )
    sandbox.tuning.processing_seconds = 0
    await youtube.stage(call, chosen, journal)
    outcome = await youtube.publish(call, chosen, journal)
    assert isinstance(outcome, Published)
    (post,) = sandbox.truth.posts()
    assert post.settings == {
        "title": "Tür · 門",
        "categoryId": "26",
        "tags": ["red", "two words"],
        "defaultLanguage": "de-CH",
        "privacyStatus": "unlisted",
        "license": "creativeCommon",
        "embeddable": False,
        "publicStatsViewable": False,
        "selfDeclaredMadeForKids": False,
        "containsSyntheticMedia": True,
        "hasPaidProductPlacement": True,
    }
    assert [item.sha256 for item in post.media] == [media.sha256 for media in chosen.media]
    assert [item.video_id for item in server.state.playlists["PL-brand_one"].items] == [post.post_id]
    assert [comment.text for comment in server.state.comments] == ["What colour next?"]
    assert outcome.receipt.evidence["thumbnail"] == {"done": thumbnail.sha256}
    assert "done" in outcome.receipt.evidence["first_comment"]


async def test_an_upright_video_is_a_short_with_its_address(
    youtube: Platform,
    call: Call,
    make_video: Callable[..., Delivery],
    as_short: Callable[[Delivery], Delivery],
    journal: MemoryJournal,
    sandbox: Sandbox,
) -> None:
    sandbox.tuning.processing_seconds = 0
    short = as_short(make_video(kind="short"))
    await youtube.stage(call, short, journal)
    outcome = await youtube.publish(call, short, journal)
    assert isinstance(outcome, Published)
    assert outcome.receipt.url is not None
    assert outcome.receipt.url.endswith(f"/shorts/{outcome.receipt.post_id}")
    assert (await read_page(call, outcome.receipt.url)).status_code == 200


async def test_a_private_video_is_published_to_nobody(
    youtube: Platform,
    call: Call,
    make_video: Callable[..., Delivery],
    journal: MemoryJournal,
    sandbox: Sandbox,
    clock: FixedClock,
) -> None:
    private = make_video(visibility="private")
    await youtube.stage(call, private, journal)
    clock.advance(timedelta(minutes=1))
    assert isinstance(await youtube.publish(call, private, journal), Published)
    assert isinstance(await youtube.reconcile(call, private, journal), Published)
    assert sandbox.truth.posts() == []
    assert sandbox.requests("youtube", SHOW) == 0


async def test_a_video_is_sent_in_chunks_that_google_takes(
    youtube: Platform, call: Call, long_delivery: Delivery, journal: MemoryJournal, sandbox: Sandbox
) -> None:
    assert CHUNK_BYTES % CHUNK_STEP_BYTES == 0
    await youtube.stage(call, long_delivery, journal)
    assert spans(long_delivery) == [(0, CHUNK_BYTES), (CHUNK_BYTES, 2 * CHUNK_BYTES), (2 * CHUNK_BYTES, THREE_CHUNKS)]
    assert journal.facts["session_uri"] is None
    await youtube.publish(call, long_delivery, journal)


async def test_an_upload_goes_on_where_google_stands_whatever_was_sent(
    youtube: Platform,
    call: Call,
    long_delivery: Delivery,
    journal: MemoryJournal,
    sandbox: Sandbox,
    server: YouTubeSandbox,
) -> None:
    server.plan_outcome({"accept_bytes": 3 * CHUNK_STEP_BYTES})
    await youtube.stage(call, long_delivery, journal)
    assert [start for start, _ in spans(long_delivery)][:2] == [0, 3 * CHUNK_STEP_BYTES]
    (video,) = server.state.videos.values()
    assert video.sha256 == long_delivery.media[0].sha256


async def test_an_upload_that_does_not_move_is_left_for_later(
    youtube: Platform, call: Call, long_delivery: Delivery, journal: MemoryJournal, server: YouTubeSandbox
) -> None:
    for _ in range(10):
        server.plan_outcome({"accept_bytes": 0})
    with pytest.raises(Transient, match="no_progress"):
        await youtube.stage(call, long_delivery, journal)


@pytest.mark.parametrize("kind", ["reset_before", "reset_during", "reset_after"])
@pytest.mark.parametrize("chunk", [0, 1, 2])
async def test_an_upload_cut_at_any_chunk_goes_on(
    youtube: Platform,
    call: Call,
    long_delivery: Delivery,
    journal: MemoryJournal,
    sandbox: Sandbox,
    server: YouTubeSandbox,
    kind: str,
    chunk: int,
) -> None:
    sandbox.add_fault("youtube", SEND, kind, skip=chunk)
    with pytest.raises(Transient) as caught:
        await youtube.stage(call, long_delivery, journal)
    assert journal.facts["session_uri"] not in str(caught.value)
    await youtube.stage(call, long_delivery, journal)
    (video,) = server.state.videos.values()
    assert video.sha256 == long_delivery.media[0].sha256
    assert sandbox.requests("youtube", START) == 1
    assert len(spans(long_delivery)) == (3 if kind == "reset_after" else 4)


async def test_a_start_without_an_answer_left_nothing(
    youtube: Platform, call: Call, delivery: Delivery, journal: MemoryJournal, sandbox: Sandbox, server: YouTubeSandbox
) -> None:
    sandbox.add_fault("youtube", START, "reset_after")
    with pytest.raises(Transient):
        await youtube.stage(call, delivery, journal)
    assert isinstance(await youtube.reconcile(call, delivery, journal), Absent)
    await youtube.stage(call, delivery, journal)
    assert len(server.state.videos) == 1


async def test_staging_again_changes_nothing(
    youtube: Platform,
    call: Call,
    make_video: Callable[..., Delivery],
    thumbnail: Media,
    journal: MemoryJournal,
    sandbox: Sandbox,
    server: YouTubeSandbox,
) -> None:
    delivery = make_video(thumbnail)
    await youtube.stage(call, delivery, journal)
    facts = dict(journal.facts)
    await youtube.stage(call, delivery, journal)
    assert journal.facts == facts
    assert len(server.state.videos) == 1
    assert sandbox.requests("youtube", "POST /upload/youtube/v3/thumbnails/set") == 1


async def test_an_expired_session_is_begun_anew(
    youtube: Platform,
    call: Call,
    long_delivery: Delivery,
    journal: MemoryJournal,
    sandbox: Sandbox,
    server: YouTubeSandbox,
) -> None:
    sandbox.add_fault("youtube", SEND, "reset_before", skip=1)
    with pytest.raises(Transient):
        await youtube.stage(call, long_delivery, journal)
    server.state.sessions.clear()
    await youtube.stage(call, long_delivery, journal)
    assert sandbox.requests("youtube", START) == 2
    assert len(server.state.videos) == 1


async def test_a_video_made_by_a_lost_session_is_found_among_the_uploads(
    youtube: Platform, call: Call, delivery: Delivery, journal: MemoryJournal, sandbox: Sandbox, server: YouTubeSandbox
) -> None:
    sandbox.add_fault("youtube", SEND, "reset_after")
    with pytest.raises(Transient):
        await youtube.stage(call, delivery, journal)
    server.state.sessions.clear()
    await youtube.stage(call, delivery, journal)
    (video,) = server.state.videos.values()
    assert journal.facts["video_id"] == video.video_id


async def test_a_video_that_may_be_anothers_is_never_taken_for_ours(
    youtube: Platform,
    call: Call,
    make_video: Callable[..., Delivery],
    journal: MemoryJournal,
    sandbox: Sandbox,
    server: YouTubeSandbox,
) -> None:
    await youtube.stage(call, make_video(size=999_999), MemoryJournal())
    sandbox.add_fault("youtube", SEND, "reset_before")
    with pytest.raises(Transient):
        await youtube.stage(call, make_video(), journal)
    server.state.sessions.clear()
    await youtube.stage(call, make_video(), journal)
    assert {video.size for video in server.state.videos.values()} == {999_999, 1_000_000}


async def test_lost_after_the_effect_it_is_found_and_not_repeated(
    youtube: Platform, call: Call, delivery: Delivery, journal: MemoryJournal, sandbox: Sandbox, clock: FixedClock
) -> None:
    await youtube.stage(call, delivery, journal)
    sandbox.add_fault("youtube", SHOW, "reset_after")
    with pytest.raises(OutcomeUnknown):
        await youtube.publish(call, delivery, journal)
    assert isinstance(await youtube.reconcile(call, delivery, journal), Processing)
    clock.advance(timedelta(seconds=1))
    finding = await youtube.reconcile(call, delivery, journal)
    (post,) = sandbox.truth.posts()
    assert isinstance(finding, Published)
    assert (finding.receipt.post_id, post.writes) == (post.post_id, 1)
    assert isinstance(await youtube.publish(call, delivery, journal), Published)
    assert (sandbox.requests("youtube", SHOW), post.writes) == (1, 1)


async def test_lost_before_the_effect_it_is_absent_and_repeated_once(
    youtube: Platform, call: Call, delivery: Delivery, journal: MemoryJournal, sandbox: Sandbox, clock: FixedClock
) -> None:
    await youtube.stage(call, delivery, journal)
    sandbox.add_fault("youtube", SHOW, "reset_before")
    with pytest.raises(OutcomeUnknown):
        await youtube.publish(call, delivery, journal)
    finding = await youtube.reconcile(call, delivery, journal)
    assert isinstance(finding, Absent)
    assert finding.evidence["privacy_status"] == "private"
    await youtube.stage(call, delivery, journal)
    await youtube.publish(call, delivery, journal)
    clock.advance(timedelta(seconds=1))
    (post,) = sandbox.truth.posts()
    assert post.writes == 1


async def test_a_server_error_on_the_visible_step_leaves_it_open(
    youtube: Platform, call: Call, delivery: Delivery, journal: MemoryJournal, sandbox: Sandbox
) -> None:
    await youtube.stage(call, delivery, journal)
    sandbox.add_fault("youtube", SHOW, "answer_after", status=503)
    with pytest.raises(OutcomeUnknown):
        await youtube.publish(call, delivery, journal)
    assert isinstance(await youtube.reconcile(call, delivery, journal), Processing)


@pytest.mark.parametrize("body", [{"odd": True}, {"id": "x"}])
async def test_an_answer_of_another_form_leaves_the_visible_step_open(
    youtube: Platform, call: Call, delivery: Delivery, journal: MemoryJournal, sandbox: Sandbox, body: object
) -> None:
    await youtube.stage(call, delivery, journal)
    sandbox.add_fault("youtube", SHOW, "answer_after", status=200, body=body)
    with pytest.raises(OutcomeUnknown):
        await youtube.publish(call, delivery, journal)


async def test_an_update_that_did_not_show_the_video_is_no_success(
    youtube: Platform, call: Call, delivery: Delivery, journal: MemoryJournal, sandbox: Sandbox
) -> None:
    await youtube.stage(call, delivery, journal)
    kept = {"id": journal.facts["video_id"], "status": {"privacyStatus": "private", "uploadStatus": "processed"}}
    sandbox.add_fault("youtube", SHOW, "answer", status=200, body=kept)
    outcome = await youtube.publish(call, delivery, journal)
    assert isinstance(outcome, Refused)
    assert outcome.code == "not_shown_as_chosen"


async def test_a_video_that_its_owner_has_since_hidden_from_search_is_out_all_the_same(
    youtube: Platform, call: Call, delivery: Delivery, journal: MemoryJournal, server: YouTubeSandbox, clock: FixedClock
) -> None:
    await youtube.stage(call, delivery, journal)
    await youtube.publish(call, delivery, journal)
    clock.advance(timedelta(seconds=1))
    server.state.videos[journal.facts["video_id"]].status["privacyStatus"] = "unlisted"
    assert isinstance(await youtube.status(call, delivery, journal), Published)
    assert isinstance(await youtube.reconcile(call, delivery, journal), Published)


async def test_a_video_that_is_still_processed_is_asked_for_later(
    youtube: Platform, call: Call, delivery: Delivery, journal: MemoryJournal, sandbox: Sandbox, clock: FixedClock
) -> None:
    await youtube.stage(call, delivery, journal)
    video_id = journal.facts["video_id"]
    for outcome in (await youtube.publish(call, delivery, journal), await youtube.status(call, delivery, journal)):
        assert isinstance(outcome, Processing)
        assert outcome.ask_again_seconds == 15
        assert outcome.evidence["upload_status"] == "uploaded"
        assert outcome.evidence["url"].endswith(f"?v={video_id}")
    clock.advance(timedelta(seconds=1))
    outcome = await youtube.status(call, delivery, journal)
    assert isinstance(outcome, Published)
    assert outcome.receipt.post_id == journal.facts["video_id"]


OUTCOMES = [
    ("failure_reason", "conversion", False),
    ("failure_reason", "invalidFile", False),
    ("failure_reason", "emptyFile", False),
    ("failure_reason", "tooSmall", False),
    ("failure_reason", "codec", False),
    ("failure_reason", "uploadAborted", True),
    ("processing_failure_reason", "uploadFailed", True),
    ("processing_failure_reason", "transcodeFailed", False),
    ("processing_failure_reason", "streamingFailed", True),
    ("processing_failure_reason", "other", True),
    ("rejection_reason", "copyright", False),
    ("rejection_reason", "inappropriate", False),
    ("rejection_reason", "duplicate", False),
    ("rejection_reason", "termsOfUse", False),
    ("rejection_reason", "uploaderAccountSuspended", False),
    ("rejection_reason", "length", False),
    ("rejection_reason", "claim", False),
    ("rejection_reason", "uploaderAccountClosed", False),
    ("rejection_reason", "trademark", False),
    ("rejection_reason", "legal", False),
]


async def test_every_reason_why_a_video_is_not_shown(
    youtube: Platform,
    call: Call,
    make_video: Callable[..., Delivery],
    sandbox: Sandbox,
    server: YouTubeSandbox,
    clock: FixedClock,
) -> None:
    sandbox.tuning.rate_limits = False
    for name, reason, repeatable in OUTCOMES:
        journal, delivery = MemoryJournal(), make_video(size=1000)
        server.plan_outcome({name: reason})
        await youtube.stage(call, delivery, journal)
        assert isinstance(await youtube.publish(call, delivery, journal), Processing)
        clock.advance(timedelta(seconds=1))
        for outcome in (
            await youtube.status(call, delivery, journal),
            await youtube.reconcile(call, delivery, journal),
            await youtube.publish(call, delivery, journal),
        ):
            assert isinstance(outcome, Refused)
            assert (outcome.code, outcome.repeatable) == (reason, repeatable)
            assert outcome.advice
        assert sandbox.truth.posts() == []
        if repeatable:
            failed = journal.facts["video_id"]
            await youtube.stage(call, delivery, journal)
            assert journal.facts["abandoned_video_ids"] == [failed]
            assert journal.facts["video_id"] != failed
        else:
            with pytest.raises(Rejected, match=reason):
                await youtube.stage(call, delivery, journal)


async def test_a_staged_video_that_somebody_deleted_is_uploaded_again(
    youtube: Platform, call: Call, delivery: Delivery, journal: MemoryJournal, server: YouTubeSandbox
) -> None:
    await youtube.stage(call, delivery, journal)
    server.delete_video(journal.facts["video_id"])
    with pytest.raises(Transient, match="not_staged"):
        await youtube.publish(call, delivery, journal)
    assert isinstance(await youtube.reconcile(call, delivery, journal), Absent)
    await youtube.stage(call, delivery, journal)
    assert isinstance(await youtube.publish(call, delivery, journal), Processing)


async def test_a_shown_video_that_somebody_deleted_is_posted_again_at_a_persons_word_alone(
    youtube: Platform, call: Call, delivery: Delivery, journal: MemoryJournal, server: YouTubeSandbox, sandbox: Sandbox
) -> None:
    await youtube.stage(call, delivery, journal)
    await youtube.publish(call, delivery, journal)
    server.delete_video(journal.facts["video_id"])
    status = await youtube.status(call, delivery, journal)
    assert isinstance(status, Refused)
    assert status.code == "videoNotFound"
    assert isinstance(await youtube.reconcile(call, delivery, journal), Undecided)
    assert isinstance(await youtube.publish(call, delivery, journal), Refused)
    with pytest.raises(Rejected, match="videoNotFound"):
        await youtube.stage(call, delivery, journal)
    assert server.state.videos == {}
    told = replace(delivery, forgiven=1)
    await youtube.stage(call, told, journal)
    assert isinstance(await youtube.publish(call, told, journal), Processing)
    assert len(server.state.videos) == 1


async def test_an_application_that_is_not_audited_is_told_why_nothing_is_seen(
    youtube: Platform, call: Call, delivery: Delivery, journal: MemoryJournal, server: YouTubeSandbox, sandbox: Sandbox
) -> None:
    server.state.clients["sandbox-client-id"].audited = False
    await youtube.stage(call, delivery, journal)
    with pytest.raises(Rejected, match="forbiddenPrivacySetting") as caught:
        await youtube.publish(call, delivery, journal)
    assert "audited" in caught.value.advice
    assert sandbox.truth.posts() == []


async def test_a_video_that_youtube_keeps_private_is_no_success(
    youtube: Platform, call: Call, delivery: Delivery, journal: MemoryJournal, server: YouTubeSandbox
) -> None:
    await youtube.stage(call, delivery, journal)
    await youtube.publish(call, delivery, journal)
    server.state.videos[journal.facts["video_id"]].status["privacyStatus"] = "private"
    outcome = await youtube.status(call, delivery, journal)
    assert isinstance(outcome, Refused)
    assert outcome.code == "not_shown_as_chosen"


async def test_a_long_video_needs_a_verified_channel(
    youtube: Platform,
    call: Call,
    make_video: Callable[..., Delivery],
    make_media: Callable[..., Media],
    make_delivery: Callable[..., Delivery],
    journal: MemoryJournal,
    server: YouTubeSandbox,
) -> None:
    long = make_delivery(media=(make_media(duration_seconds=901.0),), settings=make_video().settings)
    server.state.channels[call.grant.account_id].phone_verified = False
    with pytest.raises(Rejected, match="length"):
        await youtube.stage(call, long, journal)
    server.state.channels[call.grant.account_id].phone_verified = True
    await youtube.stage(call, long, journal)
    assert len(server.state.videos) == 1


@pytest.mark.parametrize("playlist", ["PL-nowhere", "PL-brand_two"])
async def test_a_playlist_that_is_not_the_channels_is_told_before_the_upload(
    youtube: Platform,
    call: Call,
    make_video: Callable[..., Delivery],
    journal: MemoryJournal,
    sandbox: Sandbox,
    playlist: str,
) -> None:
    with pytest.raises(Rejected, match="playlistNotFound"):
        await youtube.stage(call, make_video(playlist_id=playlist), journal)
    assert sandbox.requests("youtube", START) == 0


async def test_a_post_that_breaks_a_rule_is_not_staged(
    youtube: Platform, call: Call, make_video: Callable[..., Delivery], journal: MemoryJournal, sandbox: Sandbox
) -> None:
    with pytest.raises(Rejected, match="text_too_long"):
        await youtube.stage(call, make_video(text="x" * 5001), journal)
    assert journal.facts == {}


async def test_an_expired_token_keeps_the_session(
    youtube: Platform,
    call: Call,
    long_delivery: Delivery,
    journal: MemoryJournal,
    sandbox: Sandbox,
    client: ClientCredentials,
    server: YouTubeSandbox,
) -> None:
    sandbox.add_fault("youtube", SEND, "expire_token", skip=1)
    with pytest.raises(ReauthorisationNeeded, match="authError"):
        await youtube.stage(call, long_delivery, journal)
    renewed = await youtube.refresh(call.http, client, call.grant, clock=call.clock)
    await youtube.stage(Call(call.http, call.clock, renewed), long_delivery, journal)
    assert sandbox.requests("youtube", START) == 1
    (video,) = server.state.videos.values()
    assert video.sha256 == long_delivery.media[0].sha256


async def read_page(call: Call, url: str | None) -> httpx.Response:
    assert url is not None
    return await call.http.get(url)
