"""A video is taken off as Google's published description has it."""

from __future__ import annotations

from platforms.platform import Platform
from platforms.shape import Call, Delivery, NotThere, Receipt, Removed
from sandbox.server import Sandbox
from sandbox.testing import MemoryJournal


async def test_a_video_is_removed_and_then_not_there(
    youtube: Platform, call: Call, delivery: Delivery, journal: MemoryJournal, sandbox: Sandbox
):
    await youtube.stage(call, delivery, journal)
    assert (await youtube.own_posts(call, since=delivery.planned_at)).posts == ()
    await youtube.publish(call, delivery, journal)
    listed = await youtube.own_posts(call, since=delivery.planned_at)
    assert [video.text for video in listed.posts] == ["Fresh paint"]
    receipt = Receipt(journal.facts["video_id"], None, {})
    assert isinstance(await youtube.remove(call, receipt), Removed)
    assert sandbox.truth.posts("youtube") == []
    assert isinstance(await youtube.remove(call, receipt), NotThere)
