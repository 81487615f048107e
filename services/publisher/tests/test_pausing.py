"""A schedule is paused: nothing of it begins to go out, even if its time had come, until it goes on."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest
from contracts.scheduler import SchedulePausedV1, ScheduleResumedV1
from kit.testing import wait_for
from platforms.errors import RateLimited

from services.publisher.tests.conftest import Plan, World
from services.publisher.tests.fakes import raising


def paused(plan: Plan) -> SchedulePausedV1:
    return SchedulePausedV1(
        workspace_id=plan.workspace_id, schedule_id=plan.schedule_id, occurrence=1, reason="workspace_paused"
    )


def resumed(plan: Plan) -> ScheduleResumedV1:
    return ScheduleResumedV1(
        workspace_id=plan.workspace_id,
        schedule_id=plan.schedule_id,
        occurrence=1,
        due_at=plan.due_at,
        publish_until=plan.due_at + timedelta(hours=2),
    )


@pytest.mark.promise("P43")
async def test_a_post_that_waits_to_be_repeated_is_stopped_and_goes_out_once_when_it_goes_on(
    world: World, client: httpx.AsyncClient
):
    plan, witness = world.plan(), world.plan()
    until = world.clock.now() + timedelta(minutes=10)
    world.platform.before["publish"].append(raising(RateLimited("rate_limit_exceeded", "too many", until=until)))
    await world.tell(plan.due())
    await world.wait(client, plan, "staging", code="rate_limit_exceeded")
    await world.tell(paused(plan))
    await world.wait(client, plan, "planned")
    world.clock.advance(timedelta(minutes=30))
    await world.tell(witness.due())
    await world.wait(client, witness, "published")
    assert len(world.platform.posts) == 1
    await world.tell(resumed(plan), plan.due())
    await world.wait(client, plan, "published")
    assert len(world.platform.posts) == 2


async def test_of_many_that_are_told_together_each_ends_as_it_was_told_last(world: World, client: httpx.AsyncClient):
    plans = [world.plan(ahead=timedelta(hours=1)) for _ in range(4)]
    await world.tell(*(plan.created() for plan in plans))
    for plan in plans:
        await world.wait(client, plan, "planned")
    await world.tell(*(event for plan in plans for event in (paused(plan), resumed(plan))))
    await world.tell(*(paused(plan) for plan in plans[:2]))
    await wait_for(lambda: world.bus.settled("publisher-scheduler"))
    world.clock.advance(timedelta(minutes=55))
    for plan in plans[2:]:
        await world.wait(client, plan, "staged")
    for plan in plans[:2]:
        await world.wait(client, plan, "planned")


async def test_what_is_paused_is_not_staged_and_misses_its_window_only_when_it_goes_on(
    world: World, client: httpx.AsyncClient
):
    plan, witness = world.plan(ahead=timedelta(hours=1)), world.plan()
    await world.tell(plan.created(), paused(plan))
    await wait_for(lambda: world.bus.settled("publisher-scheduler"))
    world.clock.advance(timedelta(hours=5))
    await world.tell(witness.due())
    await world.wait(client, witness, "published")
    await world.wait(client, plan, "planned")
    await world.tell(resumed(plan), plan.due().model_copy(update={"publish_until": resumed(plan).publish_until}))
    await world.wait(client, plan, "missed")
    assert len(world.platform.posts) == 1
