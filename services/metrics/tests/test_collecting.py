"""Numbers are collected for what was published through the system, and for nothing else."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest
from contracts.metrics import MetricsCollectedV1
from kit.ids import new_id
from kit.testing import wait_for
from metrics.adapters.insights import REFUSALS_MAX
from platforms.errors import RateLimited, ReauthorisationNeeded, Transient
from platforms.shape import Counts

from services.metrics.tests.conftest import MakePublished, World, identified

SOME = Counts(views=100, likes=7, comments=None, shares=1)


@pytest.mark.promise("P50")
async def test_a_publication_has_numbers_at_once_and_again_later(world: World, published: MakePublished):
    event = published()
    world.platform.counts["at://post/1"] = SOME
    await world.bus.publish(event)
    told = await world.bus.wait_told(MetricsCollectedV1)
    assert isinstance(told[0], MetricsCollectedV1)
    assert told[0].publication_ids == (event.publication_id,)
    assert told[0].workspace_id == event.workspace_id
    world.platform.counts["at://post/1"] = Counts(views=150)
    world.clock.advance(timedelta(minutes=1))
    await world.bus.wait_told(MetricsCollectedV1, 2)
    rows = world.rows("SELECT views, likes, comments FROM snapshot ORDER BY taken_at")
    assert rows == [(100, 7, None), (150, None, None)]


@pytest.mark.promise("P50")
@pytest.mark.promise("P24")
async def test_nothing_is_asked_or_kept_of_foreign_posts(world: World, published: MakePublished):
    event = published()
    world.platform.counts["at://post/1"] = SOME
    world.platform.foreign["at://somebody/else"] = Counts(views=1_000_000)
    await world.bus.publish(event)
    await world.bus.wait_told(MetricsCollectedV1)
    assert world.platform.asked == {"at://post/1"}
    assert world.rows("SELECT publication_id, views FROM snapshot") == [(event.publication_id, 100)]


@pytest.mark.promise("P24")
async def test_grants_are_borrowed_for_the_call_and_returned(world: World, published: MakePublished):
    event = published()
    world.platform.counts["at://post/1"] = SOME
    await world.bus.publish(event)
    await world.bus.wait_told(MetricsCollectedV1)
    assert world.auth.lent == [event.connection_id]
    assert len(world.auth.returned) == 1
    assert world.platform.calls == [(str(event.connection_id), ("at://post/1",))]


async def test_a_post_whose_id_comes_later_is_waited_for(world: World, published: MakePublished):
    event = published(platform_post_id=None)
    await world.bus.publish(event)
    await wait_for(lambda: world.state(event.publication_id) == "waiting")
    assert world.platform.calls == []
    world.platform.counts["at://late"] = SOME
    await world.bus.publish(identified(event, "at://late"))
    await world.bus.wait_told(MetricsCollectedV1)
    assert world.platform.asked == {"at://late"}


async def test_an_id_that_comes_before_its_post_is_kept(world: World, published: MakePublished):
    event = published(platform_post_id=None)
    world.platform.counts["at://early"] = SOME
    await world.bus.publish(identified(event, "at://early"))
    await wait_for(lambda: world.state(event.publication_id) == "waiting")
    await world.bus.publish(event)
    await world.bus.wait_told(MetricsCollectedV1)


async def test_a_connection_is_asked_in_batches_that_its_platform_takes(world: World, published: MakePublished):
    connection_id, workspace_id = new_id(), new_id()
    for number in range(7):
        post = f"at://post/{number}"
        world.platform.counts[post] = SOME
        event = published(workspace_id=workspace_id, connection_id=connection_id, platform_post_id=post)
        await world.bus.publish(event)
    await wait_for(lambda: world.snapshot_count() == 7)
    assert max(len(posts) for _, posts in world.platform.calls) <= 3


@pytest.mark.promise("P51")
async def test_a_post_that_is_refused_keeps_no_other_from_being_told(world: World, published: MakePublished):
    connection_id, workspace_id = new_id(), new_id()
    world.platform.insights_batch_max = 10
    world.platform.error = Transient("away", "not yet")
    for number in range(7):
        world.platform.counts[f"at://{number}"] = SOME
        event = published(workspace_id=workspace_id, connection_id=connection_id, platform_post_id=f"at://{number}")
        await world.bus.publish(event)
    await wait_for(lambda: world.rows("SELECT min(failures) FROM tracked HAVING count(*) = 7") == [(1,)])
    world.platform.error, world.platform.refused = None, {"at://3"}
    world.platform.calls.clear()
    world.clock.advance(timedelta(minutes=1))
    await wait_for(lambda: world.snapshot_count() == 6)
    assert world.rows("SELECT platform_post_id, withheld FROM tracked WHERE withheld IS NOT NULL") == [
        ("at://3", "insights-refused")
    ]
    assert len(world.platform.calls[0][1]) == 7


@pytest.mark.parametrize("count", [2, 100])
async def test_where_everything_is_refused_few_calls_find_it_out(world: World, published: MakePublished, count: int):
    connection_id, workspace_id = new_id(), new_id()
    world.platform.insights_batch_max = 100
    world.platform.error = Transient("away", "not yet")
    events = [
        published(workspace_id=workspace_id, connection_id=connection_id, platform_post_id=f"at://{number}")
        for number in range(count)
    ]
    for event in events:
        await world.bus.publish(event)
    settled = "SELECT count(*) FROM tracked WHERE failures > 0 HAVING count(*) = %s"
    await wait_for(lambda: world.rows(settled, count))
    world.platform.error, world.platform.refused = None, {f"at://{number}" for number in range(count)}
    world.platform.calls.clear()
    world.clock.advance(timedelta(hours=1))
    await wait_for(lambda: world.rows("SELECT count(*) FROM tracked WHERE withheld IS NULL") == [(0,)])
    assert len(world.platform.calls) <= 2 * REFUSALS_MAX + 1


async def test_a_rate_limit_is_waited_out_by_the_whole_connection(world: World, published: MakePublished):
    connection_id, workspace_id = new_id(), new_id()
    world.platform.error = RateLimited("slow_down", "…", until=world.clock.now() + timedelta(minutes=30))
    for number in range(5):
        world.platform.counts[f"at://{number}"] = SOME
        event = published(workspace_id=workspace_id, connection_id=connection_id, platform_post_id=f"at://{number}")
        await world.bus.publish(event)
    limit = "SELECT count(*) FROM tracked WHERE next_at = %s"
    await wait_for(lambda: world.rows(limit, world.platform.error.until)[0][0] == 5)  # type: ignore[union-attr]
    calls = len(world.platform.calls)
    world.clock.advance(timedelta(minutes=29))
    world.platform.error = None
    probe = published(platform_post_id="at://probe")
    world.platform.counts["at://probe"] = SOME
    await world.bus.publish(probe)
    await world.bus.wait_told(MetricsCollectedV1)
    assert len(world.platform.calls) == calls + 1
    world.clock.advance(timedelta(minutes=2))
    await wait_for(lambda: world.rows("SELECT count(DISTINCT publication_id) FROM snapshot")[0][0] == 6)


async def test_a_failed_look_is_repeated_after_a_pause(world: World, published: MakePublished):
    event = published()
    world.platform.counts["at://post/1"] = SOME
    world.platform.error = Transient("down", "…")
    await world.bus.publish(event)
    failures = "SELECT failures FROM tracked WHERE publication_id = %s"
    await wait_for(lambda: world.rows(failures, event.publication_id) == [(1,)])
    assert world.snapshot_count() == 0
    world.platform.error = None
    world.clock.advance(timedelta(seconds=31))
    await wait_for(lambda: world.snapshot_count() == 1)
    assert world.rows(failures, event.publication_id) == [(0,)]


async def test_a_dead_grant_is_reported_and_not_used_again_soon(world: World, published: MakePublished):
    event = published()
    world.platform.error = ReauthorisationNeeded("token_dead", "…")
    await world.bus.publish(event)
    await wait_for(lambda: world.auth.dead == [(event.connection_id, "token_dead")])
    pause = "SELECT next_at FROM tracked WHERE publication_id = %s"
    await wait_for(lambda: world.rows(pause, event.publication_id)[0][0] > world.clock.now() + timedelta(minutes=50))
    assert len(world.platform.calls) == 1


async def test_a_refused_grant_means_no_call_and_another_look_later(world: World, published: MakePublished):
    event = published()
    world.platform.counts["at://post/1"] = SOME
    world.auth.refused[event.connection_id] = "reauth_required"
    await world.bus.publish(event)
    pause = "SELECT next_at > %s FROM tracked WHERE publication_id = %s"
    soon = world.clock.now() + timedelta(minutes=50)
    await wait_for(lambda: world.rows(pause, soon, event.publication_id) == [(True,)])
    assert world.platform.calls == []
    world.auth.refused.clear()
    world.clock.advance(timedelta(minutes=61))
    await wait_for(lambda: world.snapshot_count() == 1)


async def test_a_post_that_is_gone_is_given_up_after_three_looks(world: World, published: MakePublished):
    event = published()
    await world.bus.publish(event)
    absences = "SELECT absences FROM tracked WHERE publication_id = %s"
    for seen in (1, 2, 3):
        await wait_for(partial(_is, world, absences, event.publication_id, seen))
        world.clock.advance(timedelta(minutes=1))
    assert world.state(event.publication_id) == "gone"
    assert len(world.platform.calls) == 3


def _is(world: World, query: str, publication_id: UUID, value: int) -> bool:
    return world.rows(query, publication_id) == [(value,)]


async def test_an_old_post_is_looked_at_once_and_left_alone(world: World, published: MakePublished):
    event = published(published_at=world.clock.now() - timedelta(days=91))
    world.platform.counts["at://post/1"] = SOME
    await world.bus.publish(event)
    await wait_for(lambda: world.state(event.publication_id) == "finished")
    assert world.snapshot_count() == 1
