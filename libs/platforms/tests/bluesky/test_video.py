"""Videos and GIFs: through the video service in parts, going on where it was cut, whole when the post appears."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from kit.clock import FixedClock
from platforms.errors import Misconfigured, PlatformError, RateLimited, Rejected, Transient
from platforms.platform import Platform
from platforms.shape import Call, Delivery, Media, MediaKind, Published
from sandbox.server import Sandbox
from sandbox.testing import BytesSource, MemoryJournal

START = "POST /xrpc/app.bsky.video.startUpload"
PART = "POST /xrpc/app.bsky.video.uploadPart"
FINISH = "POST /xrpc/app.bsky.video.finishUpload"
STATUS = "GET /xrpc/app.bsky.video.getJobStatus"
LIMITS = "GET /xrpc/app.bsky.video.getUploadLimits"
LEND = "GET /xrpc/com.atproto.server.getServiceAuth"


@pytest.fixture
def video(make_media: Callable[..., Media], sandbox: Sandbox) -> Media:
    """In three parts, the last one shorter."""
    sandbox.bluesky.video.part_bytes = 1_000_000
    return make_media(MediaKind.VIDEO, 2_500_000)


@pytest.fixture
def delivery(make_delivery: Callable[..., Delivery], video: Media) -> Delivery:
    return make_delivery("Moving", media=(video,))


@pytest.fixture
def bring(bluesky: Platform, bluesky_call: Call, journal: MemoryJournal, clock: FixedClock) -> Any:
    """Stage until the video is processed."""

    async def stage_and_wait(delivery: Delivery) -> None:
        with pytest.raises(RateLimited, match="video_processing") as waiting:
            await bluesky.stage(bluesky_call, delivery, journal)
        assert waiting.value.until == clock.now() + timedelta(seconds=5)
        clock.advance(timedelta(seconds=5))
        await bluesky.stage(bluesky_call, delivery, journal)

    return stage_and_wait


async def test_a_video_is_what_was_approved(
    bluesky: Platform,
    bluesky_call: Call,
    bring: Any,
    delivery: Delivery,
    video: Media,
    journal: MemoryJournal,
    sandbox: Sandbox,
) -> None:
    await bring(delivery)
    assert sandbox.truth.posts() == []
    assert isinstance(await bluesky.publish(bluesky_call, delivery, journal), Published)
    (post,) = sandbox.truth.posts()
    assert [(item.sha256, item.alt_text) for item in post.media] == [(video.sha256, video.alt_text)]
    embed = post.settings["embed"]
    assert (embed["$type"], embed["aspectRatio"]) == ("app.bsky.embed.video", {"width": 1080, "height": 1920})
    assert "presentation" not in embed
    assert isinstance(video.source, BytesSource)
    assert video.source.spans == [(0, 1_000_000), (1_000_000, 2_000_000), (2_000_000, 2_500_000)]


async def test_a_gif_moves(
    bluesky: Platform,
    bluesky_call: Call,
    bring: Any,
    make_delivery: Callable[..., Delivery],
    make_media: Callable[..., Media],
    journal: MemoryJournal,
    sandbox: Sandbox,
) -> None:
    gif = make_media(MediaKind.IMAGE, 400_000, content_type="image/gif")
    delivery = make_delivery("Look", media=(gif,))
    await bring(delivery)
    await bluesky.publish(bluesky_call, delivery, journal)
    (post,) = sandbox.truth.posts()
    assert [item.sha256 for item in post.media] == [gif.sha256]
    assert (post.settings["embed"]["presentation"], post.settings["embed"]["alt"]) == ("gif", gif.alt_text)


async def test_a_videos_token_is_lent_for_uploading_to_the_accounts_server_alone(
    bring: Any, delivery: Delivery, journal: MemoryJournal, sandbox: Sandbox, clock: FixedClock
) -> None:
    began = clock.now()
    await bring(delivery)
    server = "did:web:" + sandbox.base_urls["bluesky"].removeprefix("http://").replace(":", "%3A")
    lent = [(token.method, token.audience) for token in sandbox.bluesky.state.lent.values()]
    assert lent == [("app.bsky.video.getUploadLimits", server), ("com.atproto.repo.uploadBlob", server)]
    assert {token.until - began.timestamp() for token in sandbox.bluesky.state.lent.values()} == {1200}
    assert not any(token in str(journal.facts) for token in sandbox.bluesky.state.lent)


@pytest.mark.parametrize(
    ("route", "kind", "skip"),
    [
        (LEND, "answer", 0),
        (LEND, "answer", 1),
        (LIMITS, "answer", 0),
        (START, "reset_before", 0),
        (START, "reset_after", 0),
        (PART, "reset_before", 0),
        (PART, "reset_during", 1),
        (PART, "reset_after", 1),
        (PART, "reset_after", 2),
        (FINISH, "reset_before", 0),
        (FINISH, "reset_after", 0),
        (STATUS, "answer", 0),
    ],
)
async def test_staging_goes_on_where_it_was_cut(
    bluesky: Platform,
    bluesky_call: Call,
    bring: Any,
    delivery: Delivery,
    video: Media,
    journal: MemoryJournal,
    sandbox: Sandbox,
    route: str,
    kind: str,
    skip: int,
) -> None:
    sandbox.add_fault("bluesky", route, kind, skip=skip)
    with pytest.raises(Transient):
        await bluesky.stage(bluesky_call, delivery, journal)
    sent = sandbox.requests("bluesky", PART)
    await bring(delivery)
    await bluesky.publish(bluesky_call, delivery, journal)
    assert [item.sha256 for item in sandbox.truth.posts()[0].media] == [video.sha256]
    # Only the part that was cut is sent again.
    assert sandbox.requests("bluesky", PART) == 3 + (1 if route == PART else 0)
    assert sent <= 3


async def test_the_same_video_is_processed_once(
    bluesky: Platform, bluesky_call: Call, bring: Any, delivery: Delivery, sandbox: Sandbox, clock: FixedClock
) -> None:
    await bring(delivery)
    other = MemoryJournal()
    await bluesky.stage(bluesky_call, delivery, other)
    assert len(sandbox.bluesky.video.jobs) == 1
    assert other.facts["writes"]


@pytest.mark.parametrize("state", ["JOB_STATE_SCANNED", "JOB_STATE_INVENTED"])
async def test_a_blob_can_be_used_as_soon_as_it_is_there_and_unknown_states_are_waited_for(
    bluesky: Platform, bluesky_call: Call, delivery: Delivery, journal: MemoryJournal, sandbox: Sandbox, state: str
) -> None:
    status = {"jobId": "1", "did": bluesky_call.grant.account_id, "state": state}
    blob = {"$type": "blob", "ref": {"$link": "bafkreinone"}, "mimeType": "video/mp4", "size": 2_500_000}
    sandbox.add_fault("bluesky", STATUS, "answer", status=200, body={"jobStatus": status})
    sandbox.add_fault("bluesky", STATUS, "answer", status=200, body={"jobStatus": status | {"blob": blob}})
    with pytest.raises(RateLimited, match="video_processing"):
        await bluesky.stage(bluesky_call, delivery, journal)
    await bluesky.stage(bluesky_call, delivery, journal)
    assert journal.facts["writes"][0]["record"]["embed"]["video"] == blob


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        ("validation_failure", Rejected),
        ("encoding_failure", Rejected),
        ("pds_upload_unsupported_blob_size", Rejected),
        ("pds_upload_failure", Transient),
        ("generic_failure", Transient),
        ("failure_to_come", Transient),
    ],
)
async def test_every_reason_why_a_video_is_not_processed(
    bluesky: Platform,
    bluesky_call: Call,
    bring: Any,
    delivery: Delivery,
    journal: MemoryJournal,
    sandbox: Sandbox,
    clock: FixedClock,
    failure: str,
    expected: type[PlatformError],
) -> None:
    sandbox.bluesky.plan_outcome({"video_failure": failure})
    with pytest.raises(RateLimited):
        await bluesky.stage(bluesky_call, delivery, journal)
    clock.advance(timedelta(seconds=5))
    with pytest.raises(expected) as caught:
        await bluesky.stage(bluesky_call, delivery, journal)
    if isinstance(caught.value, Rejected):
        assert caught.value.advice
    else:
        await bring(delivery)
        assert isinstance(await bluesky.publish(bluesky_call, delivery, journal), Published)


@pytest.mark.parametrize("word", ["unconfirmed_email", "DailyLimitExceeded", "never_heard_of", "<script>"])
async def test_an_account_that_may_send_no_video_is_told_before_any_is_sent(
    bluesky: Platform, bluesky_call: Call, delivery: Delivery, journal: MemoryJournal, sandbox: Sandbox, word: str
) -> None:
    sandbox.bluesky.plan_outcome({"account": bluesky_call.grant.account_id, "videos_refused": word})
    with pytest.raises(Rejected) as caught:
        await bluesky.stage(bluesky_call, delivery, journal)
    assert caught.value.code == ("unknown" if "<" in word else word)
    assert caught.value.advice
    assert sandbox.requests("bluesky", START) == 0


@pytest.mark.parametrize("code", ["MissingParts", "UploadExpired"])
async def test_an_upload_that_is_lost_begins_anew(
    bluesky: Platform,
    bluesky_call: Call,
    bring: Any,
    delivery: Delivery,
    journal: MemoryJournal,
    sandbox: Sandbox,
    code: str,
) -> None:
    sandbox.add_fault("bluesky", FINISH, "answer", status=400, body={"error": code})
    with pytest.raises(Transient, match=code):
        await bluesky.stage(bluesky_call, delivery, journal)
    await bring(delivery)
    assert sandbox.requests("bluesky", START) == 2


async def test_a_token_that_is_not_lent_for_so_long_is_an_operators_matter(
    bluesky: Platform, bluesky_call: Call, delivery: Delivery, journal: MemoryJournal, sandbox: Sandbox
) -> None:
    sandbox.add_fault("bluesky", LEND, "answer", status=400, body={"error": "BadExpiration"})
    with pytest.raises(Misconfigured, match="clock"):
        await bluesky.stage(bluesky_call, delivery, journal)


@pytest.mark.parametrize(("part_bytes", "parts"), [(1_000_000, 2), (0, 3), (-1, 3), (1, 2_500_000)])
async def test_parts_that_do_not_make_up_the_file_are_not_sent(
    bluesky: Platform,
    bluesky_call: Call,
    delivery: Delivery,
    journal: MemoryJournal,
    sandbox: Sandbox,
    part_bytes: int,
    parts: int,
) -> None:
    begun = {"jobId": "1", "partSizeBytes": part_bytes, "partCount": parts, "expiresAt": "2026-11-23T10:00:00Z"}
    sandbox.add_fault("bluesky", START, "answer", status=200, body=begun)
    with pytest.raises(Transient, match="answer_malformed"):
        await bluesky.stage(bluesky_call, delivery, journal)
    assert sandbox.requests("bluesky", PART) == 0


async def test_a_processed_video_that_was_collected_is_sent_and_described_again(
    bluesky: Platform, bluesky_call: Call, bring: Any, delivery: Delivery, journal: MemoryJournal, sandbox: Sandbox
) -> None:
    await bring(delivery)
    sandbox.bluesky.state.blobs.clear()
    with pytest.raises(Transient, match="BlobNotFound"):
        await bluesky.publish(bluesky_call, delivery, journal)
    sandbox.bluesky.video.jobs.clear()
    await bring(delivery)
    assert isinstance(await bluesky.publish(bluesky_call, delivery, journal), Published)
