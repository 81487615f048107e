"""Refusals that can be repeated are repeated in time; those that cannot say why and what to do."""

from __future__ import annotations

from datetime import datetime, timedelta

import httpx
import pytest
from kit.testing import wait_for
from platforms.errors import Misconfigured, RateLimited, Rejected, Transient
from platforms.shape import Refused

from services.publisher.tests.conftest import World, states
from services.publisher.tests.fakes import answering, raising


@pytest.mark.promise("P42")
@pytest.mark.parametrize("step", ["stage", "publish"])
async def test_a_rate_limit_is_waited_for(world: World, client: httpx.AsyncClient, step: str):
    plan, witness = world.plan(), world.plan()
    until = world.clock.now() + timedelta(minutes=30)
    world.platform.before[step].append(raising(RateLimited("rate_limit_exceeded", "too many posts", until=until)))
    await world.tell(plan.due())
    await world.wait(client, plan, "staging", code="rate_limit_exceeded")
    world.clock.advance(timedelta(minutes=29))
    await world.tell(witness.due())
    await world.wait(client, witness, "published")
    assert len(world.platform.posts) == 1
    world.clock.advance(timedelta(minutes=2))
    (publication,) = await world.wait(client, plan, "published")
    assert datetime.fromisoformat(publication["published_at"]) >= until


@pytest.mark.promise("P42")
@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (raising(Rejected("InvalidRecord", "too long", advice="Shorten the text.")), "invalidrecord"),
        (answering(Refused("spam_risk", "looks like spam", "Shorten the text.")), "spam_risk"),
    ],
)
async def test_a_refused_post_says_why_and_what_to_do(world: World, client: httpx.AsyncClient, fault, code: str):
    plan = world.plan()
    world.platform.before["publish"].append(fault)
    await world.tell(plan.due())
    (publication,) = await world.wait(client, plan, "failed")
    assert (publication["code"], publication["advice"]) == (code, "Shorten the text.")
    assert publication["detail"]
    assert world.platform.calls["publish"] == 1


async def test_a_wrong_setup_is_for_an_operator(world: World, client: httpx.AsyncClient):
    plan = world.plan()
    world.platform.before["stage"].append(raising(Misconfigured("unauthorized_client", "not audited")))
    await world.tell(plan.due())
    (publication,) = await world.wait(client, plan, "failed", code="unauthorized_client")
    assert "operator" in publication["advice"]


async def test_a_platform_that_is_not_offered_is_told(world: World, client: httpx.AsyncClient):
    plan = world.plan(platform="tiktok")
    await world.tell(plan.due())
    await world.wait(client, plan, "failed", code="platform_not_offered")


@pytest.mark.promise("P42")
async def test_passing_failures_are_retried_until_they_are_too_many(world: World, client: httpx.AsyncClient):
    plan, hopeless = world.plan(), world.plan()
    world.platform.before["publish"] += [raising(Transient("busy", "try later"))] * 2
    world.platform.before["publish"] += [answering(Refused("frozen", "later", "Wait.", repeatable=True))]
    await world.tell(plan.due())

    async def passed() -> bool:
        world.clock.advance(timedelta(seconds=10))
        (publication,) = await world.wait(client, plan, *_ANY)
        return bool(publication["state"] == "published")

    await wait_for(passed)
    (publication,) = await world.wait(client, plan, "published", attempts=4, code=None)
    assert states(publication).count("publishing") == 4
    assert world.platform.posted(publication["publication_id"]) == 1
    world.platform.before["stage"] += [raising(Transient("busy", "try later"))] * 99
    await world.tell(hopeless.due())

    async def given_up() -> bool:
        world.clock.advance(timedelta(minutes=6))
        (publication,) = await world.wait(client, hopeless, *_ANY)
        return bool(publication["state"] == "failed")

    await wait_for(given_up)
    (publication,) = await world.wait(client, hopeless, "failed", code="platform_unavailable")
    assert world.platform.calls["stage"] <= 4 + 8
    assert publication["advice"]


_ANY = ("planned", "staging", "staged", "publishing", "published", "failed")


@pytest.mark.promise("P42")
async def test_failures_before_the_time_do_not_end_a_post(world: World, client: httpx.AsyncClient):
    plan = world.plan(ahead=timedelta(hours=5))
    await world.tell(plan.created())
    world.platform.before["stage"] += [raising(Transient("busy", "try later"))] * 12

    async def used_up() -> bool:
        world.clock.advance(timedelta(minutes=20))
        return not world.platform.before["stage"]

    await wait_for(used_up, 30)
    await world.tell(plan.due())

    async def published() -> bool:
        # The last pause is counted from when the failure was noticed, which may be after any one step of the clock.
        world.clock.advance(timedelta(minutes=6))
        rows = await world.seen(client, schedule_id=plan.schedule_id)
        return [row["state"] for row in rows] == ["published"] * len(plan.connection_ids)

    await wait_for(published, 30)


async def test_neighbours_that_are_away_are_waited_for(world: World, client: httpx.AsyncClient):
    plan = world.plan()
    world.content.down = True
    await world.tell(plan.due())
    await world.wait(client, plan, "planned", code="neighbour_unavailable")
    world.content.down = False
    await world.wait(client, plan, "published", attempts=1)
