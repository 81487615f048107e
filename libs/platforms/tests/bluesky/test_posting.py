"""A post's way to Bluesky: one record under a key of our own, written once, found after every loss."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from kit.clock import FixedClock
from platforms.errors import (
    OutcomeUnknown,
    Rejected,
    Transient,
)
from platforms.platform import Platform
from platforms.shape import Absent, Call, Delivery, Media, MediaKind, Published, Refused, Undecided
from sandbox.server import Sandbox
from sandbox.testing import MemoryJournal

PUT = "POST /xrpc/com.atproto.repo.putRecord"
UPLOAD = "POST /xrpc/com.atproto.repo.uploadBlob"


@pytest.fixture
def images(make_media: Callable[..., Media]) -> tuple[Media, ...]:
    return tuple(make_media(MediaKind.IMAGE, size, alt_text=f"Image of {size} bytes") for size in (1_500_000, 20_000))


async def test_a_post_with_images_is_what_was_approved(
    bluesky: Platform,
    bluesky_call: Call,
    make_delivery: Callable[..., Delivery],
    images: tuple[Media, ...],
    journal: MemoryJournal,
    sandbox: Sandbox,
) -> None:
    settings = {"langs": ["en"], "labels": ["graphic-media"]}
    delivery = make_delivery("Hi @pub.test and @nobody.test #paint", media=images, settings=settings)
    await bluesky.stage(bluesky_call, delivery, journal)
    assert sandbox.truth.posts() == []
    outcome = await bluesky.publish(bluesky_call, delivery, journal)
    (post,) = sandbox.truth.posts()
    assert isinstance(outcome, Published)
    assert outcome.receipt.post_id == post.post_id
    rkey = post.post_id.rsplit("/", 1)[1]
    expected_url = f"{sandbox.base_urls['bluesky']}/profile/{bluesky_call.grant.account_id}/post/{rkey}"
    assert outcome.receipt.url == expected_url
    assert "@nobody.test" in (await bluesky_call.http.get(expected_url)).text
    assert post.text == delivery.text
    assert [(item.sha256, item.alt_text) for item in post.media] == [(i.sha256, i.alt_text) for i in images]
    assert post.settings["langs"] == ["en"]
    # Nobody has the second handle, so it stays plain text.
    kinds = [facet["features"][0]["$type"].rsplit("#")[1] for facet in post.settings["facets"]]
    assert kinds == ["mention", "tag"]


async def test_staging_goes_on_where_it_was_cut(
    bluesky: Platform,
    bluesky_call: Call,
    make_delivery: Callable[..., Delivery],
    images: tuple[Media, ...],
    journal: MemoryJournal,
    sandbox: Sandbox,
) -> None:
    delivery = make_delivery("Two", media=images)
    sandbox.add_fault("bluesky", UPLOAD, "reset_during", after_bytes=1000, skip=1)
    with pytest.raises(Transient):
        await bluesky.stage(bluesky_call, delivery, journal)
    uploads = sandbox.requests("bluesky", UPLOAD)
    await bluesky.stage(bluesky_call, delivery, journal)
    assert sandbox.requests("bluesky", UPLOAD) == uploads + 1
    writes = journal.facts["writes"]
    await bluesky.stage(bluesky_call, delivery, journal)
    assert journal.facts["writes"] == writes


@pytest.mark.parametrize("kind", ["reset_after", "answer_after"])
async def test_lost_after_the_effect_it_is_found_and_not_repeated(
    bluesky: Platform,
    bluesky_call: Call,
    make_delivery: Callable[..., Delivery],
    journal: MemoryJournal,
    sandbox: Sandbox,
    kind: str,
) -> None:
    delivery = make_delivery("Once")
    await bluesky.stage(bluesky_call, delivery, journal)
    # The first request fetches the nonce.
    sandbox.add_fault("bluesky", PUT, kind, status=500, skip=0)
    with pytest.raises(OutcomeUnknown):
        await bluesky.publish(bluesky_call, delivery, journal)
    finding = await bluesky.reconcile(bluesky_call, delivery, journal)
    (post,) = sandbox.truth.posts()
    assert isinstance(finding, Published)
    assert finding.receipt.post_id == post.post_id
    assert sandbox.requests("bluesky", PUT) == 1


async def test_lost_before_the_effect_it_is_absent_and_repeated_once(
    bluesky: Platform,
    bluesky_call: Call,
    make_delivery: Callable[..., Delivery],
    journal: MemoryJournal,
    sandbox: Sandbox,
) -> None:
    delivery = make_delivery("Once")
    await bluesky.stage(bluesky_call, delivery, journal)
    sandbox.add_fault("bluesky", PUT, "reset_before")
    with pytest.raises(OutcomeUnknown):
        await bluesky.publish(bluesky_call, delivery, journal)
    assert isinstance(await bluesky.reconcile(bluesky_call, delivery, journal), Absent)
    await bluesky.publish(bluesky_call, delivery, journal)
    assert len(sandbox.truth.posts()) == 1


async def test_repeating_the_call_neither_posts_twice_nor_overwrites(
    bluesky: Platform,
    bluesky_call: Call,
    make_delivery: Callable[..., Delivery],
    journal: MemoryJournal,
    sandbox: Sandbox,
) -> None:
    delivery = make_delivery("Once")
    await bluesky.stage(bluesky_call, delivery, journal)
    first = await bluesky.publish(bluesky_call, delivery, journal)
    second = await bluesky.publish(bluesky_call, delivery, journal)
    assert isinstance(first, Published)
    assert isinstance(second, Published)
    assert first.receipt.post_id == second.receipt.post_id
    (post,) = sandbox.truth.posts()
    assert post.writes == 1


async def test_a_key_that_holds_something_else_is_left_alone(
    bluesky: Platform,
    bluesky_call: Call,
    make_delivery: Callable[..., Delivery],
    journal: MemoryJournal,
    sandbox: Sandbox,
) -> None:
    other, mine = make_delivery("Something else"), make_delivery("Mine")
    await bluesky.stage(bluesky_call, other, MemoryJournal())
    await bluesky.stage(bluesky_call, mine, journal)
    foreign = MemoryJournal()
    await bluesky.stage(bluesky_call, other, foreign)
    await bluesky.publish(bluesky_call, other, foreign)
    assert isinstance(await bluesky.reconcile(bluesky_call, mine, journal), Undecided)
    outcome = await bluesky.publish(bluesky_call, mine, journal)
    assert isinstance(outcome, Refused)
    assert [post.text for post in sandbox.truth.posts()] == ["Something else"]


async def test_files_that_were_collected_are_sent_again(
    bluesky: Platform,
    bluesky_call: Call,
    make_delivery: Callable[..., Delivery],
    images: tuple[Media, ...],
    journal: MemoryJournal,
    sandbox: Sandbox,
    clock: FixedClock,
) -> None:
    delivery = make_delivery("Late", media=images)
    await bluesky.stage(bluesky_call, delivery, journal)
    writes = journal.facts["writes"]
    sandbox.bluesky.state.blobs.clear()
    with pytest.raises(Transient, match="BlobNotFound"):
        await bluesky.publish(bluesky_call, delivery, journal)
    await bluesky.stage(bluesky_call, delivery, journal)
    assert journal.facts["writes"] == writes
    assert isinstance(await bluesky.publish(bluesky_call, delivery, journal), Published)


async def test_the_record_says_when_it_was_planned_not_when_it_was_tried(
    bluesky: Platform,
    bluesky_call: Call,
    make_delivery: Callable[..., Delivery],
    journal: MemoryJournal,
    clock: FixedClock,
) -> None:
    delivery = make_delivery("Planned")
    clock.advance(timedelta(minutes=20))
    await bluesky.stage(bluesky_call, delivery, journal)
    assert journal.facts["writes"][0]["record"]["createdAt"] == "2026-11-22T10:00:00.000Z"


async def test_looking_works_with_a_dead_token(
    bluesky: Platform,
    bluesky_call: Call,
    make_delivery: Callable[..., Delivery],
    journal: MemoryJournal,
    sandbox: Sandbox,
) -> None:
    delivery = make_delivery("Once")
    await bluesky.stage(bluesky_call, delivery, journal)
    await bluesky.publish(bluesky_call, delivery, journal)
    sandbox.bluesky.expire_access_tokens()
    assert isinstance(await bluesky.reconcile(bluesky_call, delivery, journal), Published)
    assert isinstance(await bluesky.status(bluesky_call, delivery, journal), Published)


async def test_a_removed_post_is_told(
    bluesky: Platform,
    bluesky_call: Call,
    make_delivery: Callable[..., Delivery],
    journal: MemoryJournal,
    sandbox: Sandbox,
) -> None:
    delivery = make_delivery("Gone")
    await bluesky.stage(bluesky_call, delivery, journal)
    await bluesky.publish(bluesky_call, delivery, journal)
    sandbox.bluesky.state.records.clear()
    assert isinstance(await bluesky.status(bluesky_call, delivery, journal), Refused)


async def test_a_blocked_account_is_the_owners_matter(
    bluesky: Platform,
    bluesky_call: Call,
    make_delivery: Callable[..., Delivery],
    journal: MemoryJournal,
    sandbox: Sandbox,
) -> None:
    sandbox.bluesky.plan_outcome({"account": bluesky_call.grant.account_id, "blocked": "AccountTakedown"})
    delivery = make_delivery("Hello")
    await bluesky.stage(bluesky_call, delivery, journal)
    with pytest.raises(Rejected, match="AccountTakedown") as caught:
        await bluesky.publish(bluesky_call, delivery, journal)
    assert caught.value.advice


async def test_insights_count_shares_as_reposts_and_quotes(
    bluesky: Platform,
    bluesky_call: Call,
    make_delivery: Callable[..., Delivery],
    journal: MemoryJournal,
    clock: FixedClock,
) -> None:
    delivery = make_delivery("Counted")
    await bluesky.stage(bluesky_call, delivery, journal)
    outcome = await bluesky.publish(bluesky_call, delivery, journal)
    assert isinstance(outcome, Published)
    uri = outcome.receipt.post_id or ""
    clock.advance(timedelta(days=1))
    counts = await bluesky.insights(bluesky_call, [uri, uri.replace("feed.post/", "feed.post/3zzz")])
    assert set(counts) == {uri}
    assert counts[uri].views is None
    assert (counts[uri].likes or 0) > 0
    assert (counts[uri].shares or 0) > 0
    assert await bluesky.insights(bluesky_call, []) == {}
