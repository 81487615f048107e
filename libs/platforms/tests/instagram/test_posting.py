"""Every kind of post's way to Instagram, and what the platform truly received."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from kit.clock import FixedClock
from platforms.errors import PlatformError, RateLimited, Rejected, Transient
from platforms.platform import Platform
from platforms.shape import Absent, Call, Delivery, Journal, Media, Outcome, Published
from sandbox.instagram.platform import InstagramSandbox
from sandbox.server import Sandbox
from sandbox.testing import MemoryJournal

ACCOUNT = "17841400000000001"
CREATE = f"POST /v26.0/{ACCOUNT}/media"
PUBLISH = f"POST /v26.0/{ACCOUNT}/media_publish"
LIMIT = f"GET /v26.0/{ACCOUNT}/content_publishing_limit"

Deliveries = Mapping[str, Callable[..., Delivery]]
Bring = Callable[[Delivery, Journal], Awaitable[None]]
Post = Callable[[Delivery, Journal], Awaitable[Outcome]]

KINDS = {
    "image": ("IMAGE", "/p/"),
    "carousel": ("CAROUSEL", "/p/"),
    "reel": ("REELS", "/reel/"),
    "named_reel": ("REELS", "/reel/"),
    "image_story": ("STORIES", "/stories/brand_one/"),
    "video_story": ("STORIES", "/stories/brand_one/"),
}


@pytest.mark.parametrize("kind", list(KINDS))
async def test_every_kind_arrives_as_it_was_approved(
    call: Call, kinds: Deliveries, post: Post, journal: MemoryJournal, sandbox: Sandbox, kind: str
) -> None:
    delivery = kinds[kind]()
    outcome = await post(delivery, journal)
    (shown,) = sandbox.truth.posts("instagram", ACCOUNT)
    product, place = KINDS[kind]
    assert isinstance(outcome, Published)
    assert outcome.receipt.post_id == shown.post_id
    assert outcome.receipt.url is not None
    assert outcome.receipt.url.startswith(sandbox.base_urls["instagram"] + place)
    assert (shown.text, shown.settings["kind"]) == (delivery.text, product)
    assert [item.sha256 for item in shown.media] == [item.sha256 for item in delivery.media]
    assert sandbox.requests("instagram", PUBLISH) == 1
    page = await call.http.get(outcome.receipt.url)
    assert delivery.media[0].sha256 in page.text


async def test_staging_shows_nothing_and_waits_for_what_is_processed(
    instagram: Platform, call: Call, kinds: Deliveries, journal: MemoryJournal, sandbox: Sandbox, clock: FixedClock
) -> None:
    delivery = kinds["reel"]()
    with pytest.raises(RateLimited, match="container_processing") as caught:
        await instagram.stage(call, delivery, journal)
    assert clock.now() < caught.value.until < clock.now() + timedelta(minutes=1)
    clock.advance(timedelta(minutes=1))
    await instagram.stage(call, delivery, journal)
    assert sandbox.requests("instagram", CREATE) == 1
    assert sandbox.truth.posts() == []


async def test_alternative_texts_tags_collaborators_and_the_place_arrive(
    kinds: Deliveries, post: Post, journal: MemoryJournal, sandbox: Sandbox
) -> None:
    tags = [{"username": "nora.b", "x": 0.25, "y": 0.5, "media": 2}, {"username": "ole", "media": 1}]
    choices = {"collaborators": ["pub_two"], "location_id": "1234567", "user_tags": tags, "is_ai_generated": True}
    await post(kinds["carousel"](**choices), journal)
    (shown,) = sandbox.truth.posts()
    assert [item.alt_text for item in shown.media] == ["A red door in a white wall", "", "A red door in a white wall"]
    expected = {"collaborators": ["pub_two"], "location_id": "1234567", "is_ai_generated": True}
    assert expected.items() <= shown.settings.items()


@pytest.mark.parametrize("kind", ["image", "reel", "image_story", "video_story"])
async def test_people_are_tagged_with_a_place_on_images_only(
    kinds: Deliveries, post: Post, journal: MemoryJournal, sandbox: Sandbox, kind: str
) -> None:
    place = {"x": 0.25, "y": 0.5} if kind.startswith("image") else {}
    await post(kinds[kind](user_tags=[{"username": "nora.b", **place}]), journal)
    (shown,) = sandbox.truth.posts()
    assert shown.settings["user_tags"] == [{"username": "nora.b", **place}]


async def test_a_reel_takes_its_cover_from_an_image_or_from_a_frame(
    kinds: Deliveries,
    post: Post,
    image: Callable[..., Media],
    sandbox: Sandbox,
) -> None:
    reel = kinds["reel"](share_to_feed=False, cover_offset_ms=1500)
    await post(reel, MemoryJournal())
    cover = image(size=33_000)
    settings = dict(reel.settings) | {"cover_media": 0}
    await post(replace(reel, media=(cover, *reel.media), settings=settings), MemoryJournal())
    by_frame, by_image = sandbox.truth.posts()
    assert (by_frame.settings["thumb_offset"], by_frame.settings["share_to_feed"]) == ("1500", False)
    assert by_image.settings["cover"] == cover.sha256
    assert [item.sha256 for item in by_image.media] == [reel.media[0].sha256]


async def test_the_first_comment_is_written_once_below_the_post(
    instagram: Platform, call: Call, kinds: Deliveries, post: Post, journal: MemoryJournal, sandbox: Sandbox
) -> None:
    delivery = kinds["image"](first_comment="Who opens it? #door")
    outcome = await post(delivery, journal)
    again = await instagram.publish(call, delivery, journal)
    (shown,) = sandbox.truth.posts()
    assert shown.settings["comments"] == ["Who opens it? #door"]
    assert outcome == again
    assert isinstance(outcome, Published)
    assert outcome.receipt.evidence["comment_id"]


@pytest.mark.parametrize("lost", range(5))
async def test_staging_goes_on_where_it_broke_off(
    kinds: Deliveries, bring: Bring, post: Post, journal: MemoryJournal, sandbox: Sandbox, lost: int
) -> None:
    """Each of the carousel's four containers in turn, and none at all, is made without an answer."""
    delivery = kinds["carousel"]()
    if lost < 4:
        sandbox.add_fault("instagram", CREATE, "reset_after", skip=lost)
        with pytest.raises(Transient, match="no_answer"):
            await bring(delivery, journal)
    await post(delivery, journal)
    (shown,) = sandbox.truth.posts()
    assert [item.sha256 for item in shown.media] == [item.sha256 for item in delivery.media]
    # Only the one that nobody answered for is made twice, which shows nothing.
    assert sandbox.requests("instagram", CREATE) == 4 + (lost < 4)


async def test_a_container_that_is_too_old_is_made_anew(
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
    first = journal.facts["container"]
    clock.advance(timedelta(hours=23, minutes=50))
    with pytest.raises(Transient, match="not_staged"):
        await instagram.publish(call, delivery, journal)
    assert isinstance(await post(delivery, journal), Published)
    assert journal.facts["abandoned"] == [first]
    assert len(sandbox.truth.posts()) == 1


async def test_a_container_that_has_expired_after_all_is_made_anew(
    instagram: Platform,
    call: Call,
    delivery: Delivery,
    bring: Bring,
    journal: MemoryJournal,
    imitated: InstagramSandbox,
    clock: FixedClock,
) -> None:
    await bring(delivery, journal)
    container = imitated.state.containers[journal.facts["container"]]
    container.created_at -= timedelta(hours=24)
    with pytest.raises(Transient, match=r"24\.2207008"):
        await instagram.publish(call, delivery, journal)
    with pytest.raises(Transient, match="container_expired"):
        await instagram.stage(call, delivery, journal)
    await bring(delivery, journal)
    assert isinstance(await instagram.publish(call, delivery, journal), Published)


async def test_a_container_that_is_gone_before_it_was_tried_is_made_anew(
    instagram: Platform,
    call: Call,
    delivery: Delivery,
    bring: Bring,
    journal: MemoryJournal,
    imitated: InstagramSandbox,
) -> None:
    await bring(delivery, journal)
    imitated.state.containers.clear()
    with pytest.raises(Transient, match="container_gone"):
        await instagram.stage(call, delivery, journal)
    await bring(delivery, journal)
    assert isinstance(await instagram.publish(call, delivery, journal), Published)


async def test_a_container_that_never_gets_ready_is_given_up(
    instagram: Platform,
    call: Call,
    kinds: Deliveries,
    post: Post,
    journal: MemoryJournal,
    imitated: InstagramSandbox,
    clock: FixedClock,
) -> None:
    delivery = kinds["reel"]()
    imitated.plan_outcome({"stuck": True})
    with pytest.raises(RateLimited):
        await instagram.stage(call, delivery, journal)
    clock.advance(timedelta(minutes=61))
    with pytest.raises(Transient, match="container_stuck"):
        await instagram.stage(call, delivery, journal)
    assert isinstance(await post(delivery, journal), Published)


@pytest.mark.parametrize(("number", "expected"), [(2207026, Rejected), (2207082, Transient)])
async def test_why_a_container_failed_decides_what_is_done(
    instagram: Platform,
    call: Call,
    kinds: Deliveries,
    bring: Bring,
    journal: MemoryJournal,
    imitated: InstagramSandbox,
    number: int,
    expected: type[PlatformError],
) -> None:
    delivery = kinds["reel"]()
    imitated.plan_outcome({"error": number})
    with pytest.raises(expected) as caught:
        await bring(delivery, journal)
    assert caught.value.code == str(number)
    assert journal.facts["container"] is None
    await bring(delivery, journal)
    assert isinstance(await instagram.publish(call, delivery, journal), Published)


async def test_a_full_quota_is_noticed_before_anything_is_made(
    instagram: Platform,
    call: Call,
    delivery: Delivery,
    post: Post,
    journal: MemoryJournal,
    imitated: InstagramSandbox,
    sandbox: Sandbox,
    clock: FixedClock,
) -> None:
    imitated.state.accounts[ACCOUNT].quota_total = 1
    await post(delivery, MemoryJournal())
    made = sandbox.requests("instagram", CREATE)
    with pytest.raises(RateLimited, match="quota_reached") as caught:
        await instagram.stage(call, delivery, journal)
    assert caught.value.until > clock.now()
    assert sandbox.requests("instagram", CREATE) == made
    clock.advance(timedelta(hours=24))
    assert isinstance(await post(delivery, journal), Published)


async def test_an_account_whose_quota_is_not_told_may_post(
    post: Post, delivery: Delivery, journal: MemoryJournal, sandbox: Sandbox
) -> None:
    sandbox.add_fault("instagram", LIMIT, "answer", status=200, body={"data": []})
    assert isinstance(await post(delivery, journal), Published)


async def test_a_file_that_cannot_be_fetched_is_tried_again(
    instagram: Platform, call: Call, delivery: Delivery, journal: MemoryJournal, files: dict[str, Any]
) -> None:
    hidden = dict(files)
    files.clear()
    with pytest.raises(Transient, match=r"9004\.2207052") as caught:
        await instagram.stage(call, delivery, journal)
    assert "/media/" not in str(caught.value)
    files.update(hidden)
    await instagram.stage(call, delivery, journal)
    assert journal.facts["container"]


async def test_what_the_journal_holds_is_no_credential(
    kinds: Deliveries, post: Post, call: Call, journal: MemoryJournal
) -> None:
    await post(kinds["carousel"](first_comment="Who opens it?"), journal)
    kept = repr(journal.facts)
    assert call.grant.access_token.reveal() not in kept
    assert "/media/" not in kept


async def test_an_unknown_attempt_is_absent_before_it_was_made(
    instagram: Platform, call: Call, delivery: Delivery, bring: Bring, journal: MemoryJournal
) -> None:
    assert isinstance(await instagram.reconcile(call, delivery, journal), Absent)
    await bring(delivery, journal)
    assert isinstance(await instagram.reconcile(call, delivery, journal), Absent)


async def test_a_post_that_breaks_a_rule_is_not_sent(
    instagram: Platform, call: Call, make_delivery: Callable[..., Delivery], journal: MemoryJournal, sandbox: Sandbox
) -> None:
    with pytest.raises(Rejected, match="media_missing"):
        await instagram.stage(call, make_delivery("Words alone"), journal)
    assert sandbox.requests("instagram", CREATE) == 0
