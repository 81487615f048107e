"""Counts of videos: what everybody may know at once, what only Analytics knows days later."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from kit.clock import FixedClock
from platforms.errors import Transient
from platforms.platform import Platform
from platforms.shape import Call, Delivery
from platforms.youtube.oauth import MANAGE
from sandbox.server import Sandbox
from sandbox.testing import MemoryJournal
from sandbox.youtube.platform import YouTubeSandbox

REPORTS = "GET /v2/reports"


@pytest.fixture
async def video_id(youtube: Platform, call: Call, delivery: Delivery, journal: MemoryJournal) -> str:
    await youtube.stage(call, delivery, journal)
    await youtube.publish(call, delivery, journal)
    return str(journal.facts["video_id"])


async def test_counts_grow_and_what_is_gone_is_absent(
    youtube: Platform, call: Call, video_id: str, clock: FixedClock, server: YouTubeSandbox
) -> None:
    clock.advance(timedelta(minutes=1))
    early = await youtube.insights(call, [video_id, "neverexists"])
    clock.advance(timedelta(minutes=50))
    late = await youtube.insights(call, [video_id])
    assert set(early) == {video_id}
    assert (late[video_id].views or 0) > (early[video_id].views or 0) > 0
    assert None not in (late[video_id].likes, late[video_id].comments)
    assert (late[video_id].impressions, late[video_id].shares, late[video_id].watch_seconds) == (None, None, None)
    server.delete_video(video_id)
    assert await youtube.insights(call, [video_id]) == {}


async def test_analytics_adds_shares_and_watched_time_two_days_late(
    youtube: Platform, later: Callable[..., Any], video_id: str
) -> None:
    counts = (await youtube.insights(await later(days=5), [video_id]))[video_id]
    assert counts.shares is not None
    assert (counts.watch_seconds or 0) > 0


async def test_a_number_that_the_owner_hides_is_not_told(
    youtube: Platform, call: Call, video_id: str, server: YouTubeSandbox
) -> None:
    server.state.channels[call.grant.account_id].comments_disabled = True
    assert (await youtube.insights(call, [video_id]))[video_id].comments is None


async def test_without_its_permission_analytics_is_not_asked(
    youtube: Platform, connect: Callable[..., Any], sandbox: Sandbox, make_video: Callable[..., Delivery]
) -> None:
    call, journal = await connect(scopes=[MANAGE]), MemoryJournal()
    await youtube.stage(call, make_video(), journal)
    assert set(await youtube.insights(call, [journal.facts["video_id"]])) == {journal.facts["video_id"]}
    assert sandbox.requests("youtube", REPORTS) == 0


async def test_where_analytics_fails_the_other_counts_are_still_told(
    youtube: Platform, later: Callable[..., Any], video_id: str, sandbox: Sandbox
) -> None:
    sandbox.add_fault("youtube", REPORTS, "answer", status=403, body={"error": {"code": 403}})
    counts = (await youtube.insights(await later(days=5), [video_id]))[video_id]
    assert (counts.views or 0) > 0
    assert counts.shares is None


async def test_counts_that_cannot_be_had_are_an_error_and_no_zero(
    youtube: Platform, call: Call, video_id: str, sandbox: Sandbox
) -> None:
    sandbox.add_fault("youtube", "GET /youtube/v3/videos", "answer", status=500)
    with pytest.raises(Transient):
        await youtube.insights(call, [video_id])


async def test_fifty_are_asked_for_at_once(youtube: Platform, call: Call, video_id: str, sandbox: Sandbox) -> None:
    before = sandbox.requests("youtube", "GET /youtube/v3/videos")
    ids = [video_id, *(f"unknown{number:04}" for number in range(49))]
    assert len(ids) == youtube.insights_batch_max
    assert set(await youtube.insights(call, ids)) == {video_id}
    assert sandbox.requests("youtube", "GET /youtube/v3/videos") == before + 1
