"""From a plan to a published post, once, whatever the bus repeats."""

from __future__ import annotations

from datetime import datetime

import httpx
import pytest
from contracts.publisher import PublicationPublishedV1, PublicationStagedV1
from kit.testing import wait_for

from services.publisher.tests.conftest import HOUR, World, states


@pytest.mark.promise("P40")
@pytest.mark.promise("P41")
async def test_an_approved_post_is_staged_ahead_and_published_at_its_time(world: World, client: httpx.AsyncClient):
    plan = world.plan(2, ahead=HOUR, text="Hello, world")
    await world.tell(plan.created())
    await world.wait(client, plan, "planned")
    world.clock.advance(HOUR - (HOUR / 12))
    await world.wait(client, plan, "staged")
    assert world.platform.posts == []
    world.clock.advance(HOUR / 12)
    await world.tell(plan.due())
    published = await world.wait(client, plan, "published")
    for publication in published:
        assert world.platform.posted(publication["publication_id"]) == 1
        assert states(publication) == ["planned", "staging", "staged", "publishing", "published"]
        assert publication["platform"] == "bluesky"
        assert publication["attempts"] == 1
        assert publication["platform_post_id"] == f"post-{publication['publication_id']}"
        assert publication["receipt"]["evidence"] == {"cid": "abc"}
        assert datetime.fromisoformat(publication["published_at"]) >= plan.due_at
    assert {text for _, text in world.platform.posts} == {"Hello, world"}
    told = await world.bus.wait_told(PublicationPublishedV1, 2)
    assert {(str(e.publication_id), e.platform_post_id) for e in told} == {  # type: ignore[attr-defined]
        (p["publication_id"], p["platform_post_id"]) for p in published
    }
    assert len(await world.bus.told(PublicationStagedV1)) == 2


@pytest.mark.promise("P43")
async def test_repeated_events_and_two_publishers_publish_once(world: World):
    plans = [world.plan(2) for _ in range(6)]
    async with world.start() as client, world.start():
        for plan in plans:
            for event in (plan.created(), plan.due()):
                event_id = await world.bus.publish(event)
                await world.bus.publish(event, event_id=event_id)
                await world.bus.publish(event)
        for plan in plans:
            await world.wait(client, plan, "published")
        await wait_for(lambda: world.bus.settled("publisher-scheduler"))
    assert sorted(str(found) for found, _ in world.platform.posts) == sorted(
        {str(found) for found, _ in world.platform.posts}
    )
    assert len(world.platform.posts) == 12
    assert len(await world.bus.told(PublicationPublishedV1)) == 12


async def test_due_alone_is_enough_when_created_is_late(world: World, client: httpx.AsyncClient):
    plan = world.plan()
    await world.tell(plan.due())
    (publication,) = await world.wait(client, plan, "published")
    await world.tell(plan.created())
    await wait_for(lambda: world.bus.settled("publisher-scheduler"))
    assert world.platform.posted(publication["publication_id"]) == 1
    assert len(await world.seen(client, schedule_id=plan.schedule_id)) == 1


async def test_nothing_is_published_before_scheduler_says_so(world: World, client: httpx.AsyncClient):
    early, plan = world.plan(ahead=HOUR), world.plan()
    await world.tell(early.created())
    world.clock.advance(2 * HOUR)
    await world.wait(client, early, "staged")
    await world.tell(plan.due())
    await world.wait(client, plan, "published")
    assert len(world.platform.posts) == 1
    await world.tell(early.due())
    await world.wait(client, early, "published")


@pytest.mark.promise("P24")
async def test_every_grant_is_given_back(world: World, client: httpx.AsyncClient):
    plan = world.plan()
    await world.tell(plan.created(), plan.due())
    await world.wait(client, plan, "published")
    await wait_for(lambda: not world.auth.out)
    assert set(world.platform.tokens) == {f"token-of-{plan.connection_ids[0]}"}
