"""Who the account is, and its pins in numbers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from kit.clock import FixedClock
from platforms.errors import RateLimited
from platforms.platform import Platform
from platforms.shape import Call, Delivery, Media, Published
from sandbox.testing import MemoryJournal


async def test_the_account_shows_its_name(pinterest: Platform, call: Call):
    profile = await pinterest.profile(call)
    assert (profile.handle, profile.display_name, profile.account_type) == ("brand_one", "Brand One", "business")
    assert [one.account_id for one in await pinterest.accounts(call)] == [call.grant.account_id]


async def test_counts_grow_and_a_gone_pin_is_absent(
    pinterest: Platform,
    call: Call,
    make_pin: Callable[..., Delivery],
    make_media: Callable[..., Media],
    clock: FixedClock,
):
    ids = []
    for delivery in (make_pin(), make_pin(make_media(size=100_000))):
        journal = MemoryJournal()
        clock.advance(timedelta(seconds=10))
        if delivery.media[0].duration_seconds:
            await _stage_slowly(pinterest, call, delivery, journal, clock)
        else:
            await pinterest.stage(call, delivery, journal)
        outcome = await pinterest.publish(call, delivery, journal)
        assert isinstance(outcome, Published)
        ids.append(str(outcome.receipt.post_id))
    clock.advance(timedelta(hours=1))
    early = await pinterest.insights(call, [*ids, "123"])
    clock.advance(timedelta(days=2))
    late = await pinterest.insights(call, ids)
    assert early.keys() == late.keys() == set(ids)
    image, video = (late[post_id] for post_id in ids)
    assert (image.impressions or 0) > (early[ids[0]].impressions or 0) > 0
    assert image.views is None
    assert video.views
    assert None not in (image.likes, image.comments, image.saves, image.clicks)


async def _stage_slowly(
    pinterest: Platform, call: Call, delivery: Delivery, journal: MemoryJournal, clock: FixedClock
) -> None:
    while not journal.facts.get("processed"):
        try:
            await pinterest.stage(call, delivery, journal)
        except RateLimited as processing:
            clock.advance(processing.until - clock.now())


async def test_no_pins_are_no_question(pinterest: Platform, call: Call):
    assert await pinterest.insights(call, []) == {}
