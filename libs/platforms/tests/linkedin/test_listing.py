"""An organisation's own posts are listed with plain words; a member's are nobody's to read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from kit.clock import FixedClock
from platforms.platform import Platform
from platforms.shape import Call, Delivery
from sandbox.testing import MemoryJournal


async def test_an_organisations_posts_are_listed_as_they_are_read(
    linkedin: Platform,
    organisation: Call,
    make_post: Callable[..., Delivery],
    journal: MemoryJournal,
    clock: FixedClock,
):
    delivery = make_post(text="Fresh (red) paint #door")
    await linkedin.stage(organisation, delivery, journal)
    await linkedin.publish(organisation, delivery, journal)
    clock.advance(timedelta(seconds=5))
    listed = await linkedin.own_posts(organisation, since=clock.now() - timedelta(minutes=1))
    urn = journal.facts["post_urn"]
    assert [(shown.post_id, shown.text) for shown in listed.posts] == [(urn, delivery.text)]
    assert listed.complete
    assert (await linkedin.own_posts(organisation, since=clock.now() + timedelta(minutes=1))).posts == ()
