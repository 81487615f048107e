"""Every kind of post on a Page: staged unseen, shown by one call, as approved to the byte."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

import pytest
from kit.clock import FixedClock
from platforms.errors import Rejected, Transient
from platforms.platform import Platform
from platforms.shape import Call, Delivery, Media, MediaKind, Outcome, Processing, Published, Refused
from sandbox.facebook.platform import FacebookSandbox
from sandbox.server import Sandbox
from sandbox.testing import BytesSource, MemoryJournal
from sandbox.truth import Post

Kinds = Mapping[str, Callable[..., Delivery]]
Settle = Callable[..., Awaitable[Outcome]]
PAGE = "101000000000001"
EVERY_KIND = ("text", "link", "image", "carousel", "video", "reel", "image_story", "video_story")
WITH_COMMENT = ("text", "carousel", "video", "reel")


def only_post(sandbox: Sandbox) -> Post:
    (post,) = sandbox.truth.posts("facebook", PAGE)
    return post


@pytest.mark.parametrize("kind", EVERY_KIND)
async def test_a_post_of_each_kind_is_shown_once_as_it_was_approved(
    facebook: Platform, call: Call, kinds: Kinds, settle: Settle, sandbox: Sandbox, clock: FixedClock, kind: str
) -> None:
    delivery, journal = kinds[kind](), MemoryJournal()
    await facebook.stage(call, delivery, journal)
    clock.advance(timedelta(minutes=5))
    assert sandbox.truth.posts("facebook") == []
    outcome = await settle(delivery, journal, await facebook.publish(call, delivery, journal))
    post = only_post(sandbox)
    assert isinstance(outcome, Published)
    assert outcome.receipt.post_id == post.post_id
    assert post.text == delivery.text
    assert [(item.sha256, item.size_bytes) for item in post.media] == [
        (item.sha256, item.size_bytes) for item in delivery.media
    ]
    assert post.settings.get("link", "") == delivery.settings.get("link", "")
    assert post.settings.get("title", "") == delivery.settings.get("title", "")
    if kind != "image_story":
        assert outcome.receipt.url is not None
        assert delivery.text in (await call.http.get(outcome.receipt.url)).text.replace("&lt;", "<")


async def test_alt_texts_go_with_the_images(
    facebook: Platform, call: Call, kinds: Kinds, sandbox: Sandbox, journal: MemoryJournal
) -> None:
    delivery = kinds["carousel"]()
    await facebook.stage(call, delivery, journal)
    await facebook.publish(call, delivery, journal)
    assert {item.alt_text for item in only_post(sandbox).media} == {"A red door in a white wall"}


@pytest.mark.parametrize("kind", WITH_COMMENT)
async def test_the_first_comment_follows_the_post(
    facebook: Platform, call: Call, kinds: Kinds, settle: Settle, sandbox: Sandbox, kind: str
) -> None:
    delivery, journal = kinds[kind](first_comment="More at our door"), MemoryJournal()
    await facebook.stage(call, delivery, journal)
    outcome = await settle(delivery, journal, await facebook.publish(call, delivery, journal))
    assert isinstance(outcome, Published)
    assert outcome.receipt.evidence["first_comment_id"]
    assert only_post(sandbox).settings["comments"] == ["More at our door"]


async def test_a_comment_whose_answer_was_lost_is_found_and_not_repeated(
    facebook: Platform, call: Call, kinds: Kinds, settle: Settle, sandbox: Sandbox, journal: MemoryJournal
) -> None:
    delivery = kinds["text"](first_comment="More at our door")
    await facebook.stage(call, delivery, journal)
    sandbox.add_fault("facebook", "POST /v26.0/*/comments", "reset_after")
    outcome = await facebook.publish(call, delivery, journal)
    assert isinstance(outcome, Processing)
    assert isinstance(await settle(delivery, journal, outcome), Published)
    assert only_post(sandbox).settings["comments"] == ["More at our door"]


async def test_a_comment_that_never_arrived_is_posted_again_and_the_post_is_not(
    facebook: Platform,
    call: Call,
    kinds: Kinds,
    settle: Settle,
    sandbox: Sandbox,
    clock: FixedClock,
    journal: MemoryJournal,
) -> None:
    delivery = kinds["image"](first_comment="More at our door")
    await facebook.stage(call, delivery, journal)
    sandbox.add_fault("facebook", "POST /v26.0/*/comments", "reset_before", times=2)
    assert isinstance(await facebook.publish(call, delivery, journal), Processing)
    clock.advance(timedelta(hours=25))
    # Whoever forgot that answer begins anew; what is posted stays posted once, and its images need no second upload.
    await facebook.stage(call, delivery, journal)
    assert sandbox.requests("facebook", f"POST /v26.0/{PAGE}/photos") == 1
    again = await facebook.publish(call, delivery, journal)
    assert isinstance(await settle(delivery, journal, again), Published)
    assert only_post(sandbox).settings["comments"] == ["More at our door"]


@pytest.mark.parametrize(("code", "times"), [(368, 1), (2, 9)])
async def test_a_comment_that_is_refused_never_makes_the_post_look_unpublished(
    facebook: Platform, call: Call, kinds: Kinds, settle: Settle, sandbox: Sandbox, code: int, times: int
) -> None:
    delivery, journal = kinds["text"](first_comment="More at our door"), MemoryJournal()
    await facebook.stage(call, delivery, journal)
    body = {"error": {"code": code, "message": "No"}}
    sandbox.add_fault("facebook", "POST /v26.0/*/comments", "answer", status=400, body=body, times=times)
    outcome = await settle(delivery, journal, await facebook.publish(call, delivery, journal))
    assert isinstance(outcome, Published)
    assert outcome.receipt.post_id == only_post(sandbox).post_id
    assert outcome.receipt.evidence["first_comment_refused"] == str(code)


@pytest.mark.parametrize("lost", [0, 1, 2])
async def test_staging_goes_on_at_the_image_that_was_lost(
    facebook: Platform, call: Call, kinds: Kinds, sandbox: Sandbox, imitated: FacebookSandbox, lost: int
) -> None:
    delivery, journal = kinds["carousel"](), MemoryJournal()
    photos = f"POST /v26.0/{PAGE}/photos"
    sandbox.add_fault("facebook", photos, "reset_before", skip=lost)
    with pytest.raises(Transient):
        await facebook.stage(call, delivery, journal)
    await facebook.stage(call, delivery, journal)
    assert sandbox.requests("facebook", photos) == 4
    await facebook.publish(call, delivery, journal)
    assert [item.sha256 for item in only_post(sandbox).media] == [item.sha256 for item in delivery.media]
    assert len(imitated.state.photos) == 3


async def test_images_of_yesterday_are_uploaded_again(
    facebook: Platform, call: Call, kinds: Kinds, clock: FixedClock, sandbox: Sandbox, journal: MemoryJournal
) -> None:
    delivery = kinds["image"]()
    await facebook.stage(call, delivery, journal)
    clock.advance(timedelta(hours=25))
    with pytest.raises(Transient, match="not_staged"):
        await facebook.publish(call, delivery, journal)
    await facebook.stage(call, delivery, journal)
    assert isinstance(await facebook.publish(call, delivery, journal), Published)
    assert only_post(sandbox).text == "One door"


async def test_a_video_is_sent_in_the_chunks_that_facebook_asks_for(
    facebook: Platform, call: Call, kinds: Kinds, journal: MemoryJournal
) -> None:
    delivery = kinds["video"]()
    await facebook.stage(call, delivery, journal)
    source = delivery.media[0].source
    assert isinstance(source, BytesSource)
    assert source.spans == [(0, 100_000), (100_000, 200_000), (200_000, 250_000)]
    await facebook.stage(call, delivery, journal)
    assert len(source.spans) == 3


@pytest.mark.parametrize(("fault", "sent"), [("reset_before", 4), ("reset_after", 4)])
async def test_a_chunk_that_was_lost_is_put_right_by_the_offsets_facebook_tells(
    facebook: Platform, call: Call, kinds: Kinds, settle: Settle, sandbox: Sandbox, fault: str, sent: int
) -> None:
    delivery, journal = kinds["video"](), MemoryJournal()
    videos = f"POST /v26.0/{PAGE}/videos"
    sandbox.add_fault("facebook", videos, fault, skip=2)
    with pytest.raises(Transient):
        await facebook.stage(call, delivery, journal)
    await facebook.stage(call, delivery, journal)
    assert sandbox.requests("facebook", videos) == 1 + sent
    outcome = await facebook.publish(call, delivery, journal)
    assert isinstance(await settle(delivery, journal, outcome), Published)
    assert only_post(sandbox).media[0].sha256 == delivery.media[0].sha256


async def test_a_chunk_that_is_never_right_ends_in_no_loop(
    facebook: Platform, call: Call, kinds: Kinds, sandbox: Sandbox, journal: MemoryJournal
) -> None:
    error = {"code": 6001, "error_subcode": 1363037, "error_data": {"start_offset": "0", "end_offset": "9"}}
    sandbox.add_fault("facebook", "*/videos", "answer", status=400, body={"error": error}, skip=1, times=99)
    with pytest.raises(Transient, match="no_progress"):
        await facebook.stage(call, kinds["video"](), journal)
    assert sandbox.requests("facebook", f"POST /v26.0/{PAGE}/videos") == 7


@pytest.mark.parametrize("kind", ["reel", "video_story"])
async def test_an_upload_goes_on_at_the_byte_that_facebook_has(
    facebook: Platform,
    call: Call,
    kinds: Kinds,
    settle: Settle,
    imitated: FacebookSandbox,
    sandbox: Sandbox,
    kind: str,
) -> None:
    delivery, journal = kinds[kind](), MemoryJournal()
    sandbox.add_fault("facebook", "POST /video-upload/*", "reset_during", after_bytes=90_000)
    with pytest.raises(Transient):
        await facebook.stage(call, delivery, journal)
    (video,) = imitated.state.videos.values()
    source = delivery.media[0].source
    assert isinstance(source, BytesSource)
    first = b"".join([piece async for piece in source.read(0, 90_000)])
    video.upload.size = delivery.media[0].size_bytes
    video.upload.take(first)
    await facebook.stage(call, delivery, journal)
    assert source.spans[-1] == (90_000, 250_000)
    assert list(imitated.state.videos.values()) == [video]
    assert isinstance(await settle(delivery, journal, await facebook.publish(call, delivery, journal)), Published)
    assert only_post(sandbox).media[0].sha256 == delivery.media[0].sha256


async def test_an_upload_whose_answer_was_lost_is_not_sent_again(
    facebook: Platform, call: Call, kinds: Kinds, sandbox: Sandbox, journal: MemoryJournal
) -> None:
    delivery = kinds["reel"]()
    sandbox.add_fault("facebook", "POST /video-upload/*", "reset_after")
    with pytest.raises(Transient):
        await facebook.stage(call, delivery, journal)
    await facebook.stage(call, delivery, journal)
    source = delivery.media[0].source
    assert isinstance(source, BytesSource)
    assert source.spans == [(0, 250_000)]


@pytest.mark.parametrize("kind", ["video", "reel", "video_story"])
async def test_success_that_is_followed_by_a_processing_error_is_a_refusal(
    facebook: Platform,
    call: Call,
    kinds: Kinds,
    settle: Settle,
    imitated: FacebookSandbox,
    sandbox: Sandbox,
    kind: str,
) -> None:
    imitated.plan_outcome({"processing_error": {"code": 1363026, "message": "The video cannot be read"}})
    delivery, journal = kinds[kind](), MemoryJournal()
    await facebook.stage(call, delivery, journal)
    outcome = await facebook.publish(call, delivery, journal)
    assert isinstance(outcome, Processing)
    settled = await settle(delivery, journal, outcome)
    assert isinstance(settled, Refused)
    assert (settled.code, settled.repeatable) == ("1363026", False)
    assert sandbox.truth.posts() == []


async def test_a_post_whose_id_comes_late_is_published_before_it_has_one(
    facebook: Platform, call: Call, kinds: Kinds, clock: FixedClock, sandbox: Sandbox, journal: MemoryJournal
) -> None:
    sandbox.tuning.moderation_seconds = 60
    delivery = kinds["reel"]()
    await facebook.stage(call, delivery, journal)
    await facebook.publish(call, delivery, journal)
    clock.advance(timedelta(seconds=1))
    early = await facebook.status(call, delivery, journal)
    assert isinstance(early, Published)
    assert early.receipt.post_id is None
    clock.advance(timedelta(seconds=60))
    late = await facebook.status(call, delivery, journal)
    assert isinstance(late, Published)
    assert late.receipt.post_id == only_post(sandbox).post_id


async def test_a_comment_waits_for_the_posts_id_but_not_forever(
    facebook: Platform,
    call: Call,
    kinds: Kinds,
    imitated: FacebookSandbox,
    clock: FixedClock,
    journal: MemoryJournal,
) -> None:
    imitated.plan_outcome({"id_never_told": True})
    delivery = kinds["reel"](first_comment="More at our door")
    await facebook.stage(call, delivery, journal)
    await facebook.publish(call, delivery, journal)
    clock.advance(timedelta(minutes=59))
    assert isinstance(await facebook.status(call, delivery, journal), Processing)
    clock.advance(timedelta(minutes=1))
    outcome = await facebook.status(call, delivery, journal)
    assert isinstance(outcome, Published)
    assert outcome.receipt.evidence["first_comment_refused"] == "post_id_unknown"


async def test_publishing_needs_staging(facebook: Platform, call: Call, kinds: Kinds) -> None:
    for kind in ("image", "video", "reel", "image_story", "video_story"):
        with pytest.raises(Transient, match="not_staged"):
            await facebook.publish(call, kinds[kind](), MemoryJournal())


async def test_what_breaks_a_rule_is_not_even_staged(
    facebook: Platform, call: Call, make_delivery: Callable[..., Delivery], make_media: Callable[..., Media]
) -> None:
    mixed = make_delivery(media=(make_media(), make_media(MediaKind.IMAGE)))
    with pytest.raises(Rejected, match="media_mixed"):
        await facebook.stage(call, mixed, MemoryJournal())
