"""A pin's way to Pinterest, judged by the sandbox's truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from kit.clock import FixedClock
from platforms.errors import Misconfigured, OutcomeUnknown, RateLimited, ReauthorisationNeeded, Rejected, Transient
from platforms.pinterest.limits import INLINE_IMAGE_BYTES_MAX
from platforms.platform import Platform
from platforms.shape import Absent, Call, Delivery, Media, MediaKind, Published, Refused, Undecided
from sandbox.pinterest.platform import PinterestSandbox
from sandbox.pinterest.state import number_of
from sandbox.server import Sandbox
from sandbox.testing import BytesSource, MediaServer, MemoryJournal

CREATE = "POST /v5/pins"


async def publish(pinterest: Platform, call: Call, delivery: Delivery, journal: MemoryJournal) -> Published:
    await pinterest.stage(call, delivery, journal)
    outcome = await pinterest.publish(call, delivery, journal)
    assert isinstance(outcome, Published)
    return outcome


async def test_an_image_reaches_its_board_with_every_word(
    pinterest: Platform,
    call: Call,
    make_pin: Callable[..., Delivery],
    journal: MemoryJournal,
    sandbox: Sandbox,
):
    section = number_of("section", "brand_one")
    delivery = make_pin(link="https://example.test/doors", board_section_id=section)
    receipt = (await publish(pinterest, call, delivery, journal)).receipt
    (post,) = sandbox.truth.posts("pinterest")
    assert (post.post_id, post.text, post.account_id) == (receipt.post_id, "Fresh paint", call.grant.account_id)
    assert post.settings["title"] == "A red door"
    assert post.settings["link"] == "https://example.test/doors"
    assert post.settings["board_section_id"] == section
    (file,) = post.media
    assert (file.sha256, file.alt_text) == (delivery.media[0].sha256, delivery.media[0].alt_text)
    assert receipt.url
    page = await call.http.get(receipt.url)
    assert "Fresh paint" in page.text


async def test_an_image_is_read_in_pieces_and_arrives_whole(
    pinterest: Platform,
    call: Call,
    make_pin: Callable[..., Delivery],
    make_media: Callable[..., Media],
    journal: MemoryJournal,
    sandbox: Sandbox,
):
    """Pieces of a mebibyte are no multiple of three, which Base64 counts in."""
    image = make_media(MediaKind.IMAGE, size=2_500_000)
    await publish(pinterest, call, make_pin(image), journal)
    (post,) = sandbox.truth.posts("pinterest")
    assert post.media[0].sha256 == image.sha256


async def test_words_that_look_like_ours_stay_words(
    pinterest: Platform, call: Call, make_pin: Callable[..., Delivery], journal: MemoryJournal, sandbox: Sandbox
):
    delivery = make_pin(text='\0000\0 "\\u00000" \x000\x00', title="\x000\x00")
    await publish(pinterest, call, delivery, journal)
    (post,) = sandbox.truth.posts("pinterest")
    assert (post.text, post.settings["title"]) == (delivery.text, "\x000\x00")


async def test_a_carousel_keeps_its_order_and_words(
    pinterest: Platform,
    call: Call,
    make_pin: Callable[..., Delivery],
    make_media: Callable[..., Media],
    journal: MemoryJournal,
    sandbox: Sandbox,
    server: PinterestSandbox,
):
    images = [make_media(MediaKind.IMAGE, size=10_000 + number) for number in range(3)]
    slides = [{"title": "One", "link": "https://example.test/1"}, {"description": "Two"}, {}]
    outcome = await publish(pinterest, call, make_pin(*images, slides=slides), journal)
    (post,) = sandbox.truth.posts("pinterest")
    assert [file.sha256 for file in post.media] == [image.sha256 for image in images]
    items = server.state.pins[str(outcome.receipt.post_id)].fields["media_source"]["items"]
    assert [(item.get("title"), item.get("description"), item.get("link")) for item in items] == [
        ("One", None, "https://example.test/1"),
        (None, "Two", None),
        (None, None, None),
    ]


async def test_a_large_image_is_fetched_by_its_address(
    pinterest: Platform,
    call: Call,
    make_pin: Callable[..., Delivery],
    make_media: Callable[..., Media],
    journal: MemoryJournal,
    sandbox: Sandbox,
):
    image = make_media(MediaKind.IMAGE, size=INLINE_IMAGE_BYTES_MAX + 1)
    async with MediaServer() as server:
        await publish(pinterest, call, make_pin(server.offer(image)), journal)
    (post,) = sandbox.truth.posts("pinterest")
    assert post.media[0].sha256 == image.sha256


async def test_an_address_that_does_not_answer_is_tried_again(
    pinterest: Platform,
    call: Call,
    make_pin: Callable[..., Delivery],
    make_media: Callable[..., Media],
    journal: MemoryJournal,
    free_port: int,
):
    source = BytesSource(b"", f"http://127.0.0.1:{free_port}/gone")
    image = make_media(MediaKind.IMAGE, size=10, size_bytes=INLINE_IMAGE_BYTES_MAX + 1, source=source)
    delivery = make_pin(image)
    await pinterest.stage(call, delivery, journal)
    with pytest.raises(Transient):
        await pinterest.publish(call, delivery, journal)


async def test_a_video_is_uploaded_waited_for_and_pinned(
    pinterest: Platform,
    call: Call,
    make_pin: Callable[..., Delivery],
    make_media: Callable[..., Media],
    journal: MemoryJournal,
    sandbox: Sandbox,
    clock: FixedClock,
):
    video = make_media(size=1_500_000)
    delivery = make_pin(video, cover_second=3)
    with pytest.raises(RateLimited, match="still processing") as waiting:
        await pinterest.stage(call, delivery, journal)
    assert sandbox.truth.posts("pinterest") == []
    clock.advance(waiting.value.until - clock.now())
    await publish(pinterest, call, delivery, journal)
    (post,) = sandbox.truth.posts("pinterest")
    assert post.media[0].sha256 == video.sha256
    assert sandbox.requests("pinterest", "POST /upload/") == 1
    assert sandbox.requests("pinterest", "POST /v5/media") == 1


@pytest.mark.parametrize(("route", "fault"), [("POST /upload/", "reset_during"), ("GET /v5/media/*", "answer")])
async def test_staging_goes_on_where_it_broke(
    pinterest: Platform,
    call: Call,
    make_pin: Callable[..., Delivery],
    make_media: Callable[..., Media],
    journal: MemoryJournal,
    sandbox: Sandbox,
    clock: FixedClock,
    route: str,
    fault: str,
):
    delivery = make_pin(make_media(size=300_000))
    sandbox.add_fault("pinterest", route, fault)
    with pytest.raises(Transient):
        await pinterest.stage(call, delivery, journal)
    with pytest.raises(RateLimited):
        await pinterest.stage(call, delivery, journal)
    clock.advance(timedelta(seconds=10))
    await publish(pinterest, call, delivery, journal)
    assert sandbox.requests("pinterest", "POST /v5/media") == 1
    assert len(sandbox.truth.posts("pinterest")) == 1


async def test_an_upload_whose_permission_ran_out_is_registered_anew(
    pinterest: Platform,
    call: Call,
    make_pin: Callable[..., Delivery],
    make_media: Callable[..., Media],
    journal: MemoryJournal,
    sandbox: Sandbox,
    clock: FixedClock,
):
    delivery = make_pin(make_media(size=300_000))
    sandbox.add_fault("pinterest", "POST /upload/", "reset_before")
    with pytest.raises(Transient):
        await pinterest.stage(call, delivery, journal)
    clock.advance(timedelta(hours=2))
    with pytest.raises(Transient, match="registered anew"):
        await pinterest.stage(call, delivery, journal)
    with pytest.raises(RateLimited):
        await pinterest.stage(call, delivery, journal)
    assert sandbox.requests("pinterest", "POST /v5/media") == 2


async def test_a_video_that_cannot_be_processed_is_refused_with_advice(
    pinterest: Platform,
    call: Call,
    make_pin: Callable[..., Delivery],
    make_media: Callable[..., Media],
    journal: MemoryJournal,
    server: PinterestSandbox,
    clock: FixedClock,
):
    server.plan_outcome({"status": "failed"})
    delivery = make_pin(make_media(size=300_000))
    with pytest.raises(RateLimited):
        await pinterest.stage(call, delivery, journal)
    clock.advance(timedelta(seconds=10))
    with pytest.raises(Rejected) as refused:
        await pinterest.stage(call, delivery, journal)
    assert (refused.value.code, bool(refused.value.advice)) == ("media_failed", True)


async def test_lost_after_the_effect_it_is_found_and_not_repeated(
    pinterest: Platform,
    call: Call,
    make_pin: Callable[..., Delivery],
    journal: MemoryJournal,
    sandbox: Sandbox,
):
    delivery = make_pin()
    await pinterest.stage(call, delivery, journal)
    sandbox.add_fault("pinterest", CREATE, "reset_after")
    with pytest.raises(OutcomeUnknown):
        await pinterest.publish(call, delivery, journal)
    finding = await pinterest.reconcile(call, delivery, journal)
    (post,) = sandbox.truth.posts("pinterest")
    assert isinstance(finding, Published)
    assert finding.receipt.post_id == post.post_id


async def test_lost_before_the_effect_it_is_absent_once_the_list_has_settled_and_repeated_once(
    pinterest: Platform,
    call: Call,
    make_pin: Callable[..., Delivery],
    journal: MemoryJournal,
    sandbox: Sandbox,
    clock: FixedClock,
):
    delivery = make_pin()
    await pinterest.stage(call, delivery, journal)
    sandbox.add_fault("pinterest", CREATE, "reset_before")
    with pytest.raises(OutcomeUnknown):
        await pinterest.publish(call, delivery, journal)
    with pytest.raises(Transient, match="not_listed_yet"):
        await pinterest.reconcile(call, delivery, journal)
    clock.advance(timedelta(seconds=61))
    assert isinstance(await pinterest.reconcile(call, delivery, journal), Absent)
    await pinterest.publish(call, delivery, journal)
    assert len(sandbox.truth.posts("pinterest")) == 1


async def test_a_list_that_lags_is_not_taken_for_absence(
    pinterest: Platform,
    call: Call,
    make_pin: Callable[..., Delivery],
    journal: MemoryJournal,
    sandbox: Sandbox,
    server: PinterestSandbox,
    clock: FixedClock,
):
    server.state.listing_lag_seconds = 40
    delivery = make_pin()
    await pinterest.stage(call, delivery, journal)
    sandbox.add_fault("pinterest", CREATE, "reset_after")
    with pytest.raises(OutcomeUnknown):
        await pinterest.publish(call, delivery, journal)
    with pytest.raises(Transient, match="not_listed_yet"):
        await pinterest.reconcile(call, delivery, journal)
    clock.advance(timedelta(seconds=45))
    assert isinstance(await pinterest.reconcile(call, delivery, journal), Published)


async def test_the_list_is_given_its_time_from_the_last_attempt_on(
    pinterest: Platform,
    call: Call,
    make_pin: Callable[..., Delivery],
    journal: MemoryJournal,
    sandbox: Sandbox,
    server: PinterestSandbox,
    clock: FixedClock,
):
    """The first attempt came to nothing, a minute ago; only the second one left a pin, which is not listed yet."""
    server.state.listing_lag_seconds = 40
    delivery = make_pin()
    await pinterest.stage(call, delivery, journal)
    sandbox.add_fault("pinterest", CREATE, "reset_before")
    with pytest.raises(OutcomeUnknown):
        await pinterest.publish(call, delivery, journal)
    clock.advance(timedelta(seconds=61))
    sandbox.add_fault("pinterest", CREATE, "reset_after")
    with pytest.raises(OutcomeUnknown):
        await pinterest.publish(call, delivery, journal)
    with pytest.raises(Transient, match="not_listed_yet"):
        await pinterest.reconcile(call, delivery, journal)
    clock.advance(timedelta(seconds=45))
    assert isinstance(await pinterest.reconcile(call, delivery, journal), Published)
    assert len(sandbox.truth.posts("pinterest")) == 1


async def test_a_pin_of_yesterday_that_says_the_same_is_not_ours(
    pinterest: Platform,
    call: Call,
    make_pin: Callable[..., Delivery],
    sandbox: Sandbox,
    clock: FixedClock,
):
    delivery = make_pin()
    await publish(pinterest, call, delivery, MemoryJournal())
    clock.advance(timedelta(days=1))
    journal = MemoryJournal()
    await pinterest.stage(call, delivery, journal)
    sandbox.add_fault("pinterest", CREATE, "reset_before")
    with pytest.raises(OutcomeUnknown):
        await pinterest.publish(call, delivery, journal)
    clock.advance(timedelta(seconds=61))
    assert isinstance(await pinterest.reconcile(call, delivery, journal), Absent)


async def test_two_pins_that_say_the_same_are_for_a_person_to_tell_apart(
    pinterest: Platform, call: Call, make_pin: Callable[..., Delivery], sandbox: Sandbox
):
    delivery, other = make_pin(), MemoryJournal()
    await publish(pinterest, call, delivery, other)
    journal = MemoryJournal()
    await pinterest.stage(call, delivery, journal)
    sandbox.add_fault("pinterest", CREATE, "reset_after")
    with pytest.raises(OutcomeUnknown):
        await pinterest.publish(call, delivery, journal)
    finding = await pinterest.reconcile(call, delivery, journal)
    assert isinstance(finding, Undecided)
    assert len(finding.evidence["pins"]) == 2


async def test_a_removed_pin_is_no_longer_there(
    pinterest: Platform,
    call: Call,
    make_pin: Callable[..., Delivery],
    journal: MemoryJournal,
    server: PinterestSandbox,
):
    delivery = make_pin()
    receipt = (await publish(pinterest, call, delivery, journal)).receipt
    assert isinstance(await pinterest.status(call, delivery, journal), Published)
    del server.state.pins[str(receipt.post_id)]
    assert isinstance(await pinterest.status(call, delivery, journal), Refused)


async def test_a_board_that_is_gone_is_found_before_the_second(
    pinterest: Platform, call: Call, make_pin: Callable[..., Delivery], journal: MemoryJournal, sandbox: Sandbox
):
    with pytest.raises(Rejected, match=r"404\.40"):
        await pinterest.stage(call, make_pin(board_id="1"), journal)
    assert sandbox.requests("pinterest", CREATE) == 0


async def test_trial_access_is_an_operators_matter(
    pinterest: Platform,
    call: Call,
    make_pin: Callable[..., Delivery],
    journal: MemoryJournal,
    server: PinterestSandbox,
    sandbox: Sandbox,
):
    server.register_client({"access": "trial"})
    delivery = make_pin()
    await pinterest.stage(call, delivery, journal)
    with pytest.raises(Misconfigured, match=r"403\.29"):
        await pinterest.publish(call, delivery, journal)
    assert sandbox.truth.posts("pinterest") == []


async def test_a_missing_permission_is_asked_for_again(
    pinterest: Platform,
    connect: Callable[..., Any],
    make_pin: Callable[..., Delivery],
    journal: MemoryJournal,
):
    call = await connect(scopes=["user_accounts:read", "boards:read"])
    delivery = make_pin()
    await pinterest.stage(call, delivery, journal)
    with pytest.raises(ReauthorisationNeeded, match=r"401\.3"):
        await pinterest.publish(call, delivery, journal)


async def test_the_same_delivery_makes_the_same_request(
    pinterest: Platform, call: Call, make_pin: Callable[..., Delivery], server: PinterestSandbox
):
    delivery = make_pin()
    for _ in range(2):
        await publish(pinterest, call, replace(delivery), MemoryJournal())
    first, second = (pin.fields for pin in server.state.pins.values())
    assert first == second
