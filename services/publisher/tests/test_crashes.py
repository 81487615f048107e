"""A publisher dies at every step, and another one goes on: never twice, never lost."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from contracts.publisher import PublicationOutcomeUnknownV1, PublicationPublishedV1
from kit.testing import wait_for
from platforms.errors import OutcomeUnknown, Transient
from platforms.shape import Processing, Published, Receipt, Undecided
from publisher.domain.publication import LEASE

from services.publisher.tests.conftest import World, states
from services.publisher.tests.fakes import Fault, answering, hang, raising

BEYOND_LEASE = LEASE + timedelta(seconds=1)


@pytest.mark.promise("P43")
@pytest.mark.parametrize("step", ["stage", "publish"])
@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_publisher_that_stops_in_a_call_is_followed_by_another(world: World, step: str, moment: str):
    plan = world.plan()
    faults = getattr(world.platform, moment)[step]
    faults.append(hang)
    async with world.start():
        await world.tell(plan.created(), plan.due())
        await wait_for(lambda: not faults, what="the call that hangs")
    async with world.start() as client:
        (publication,) = await world.wait(client, plan, "published")
        await world.bus.wait_told(PublicationPublishedV1)
    assert world.platform.posted(publication["publication_id"]) == 1
    assert world.platform.calls["publish"] == (2 if (step, moment) == ("publish", "before") else 1)
    assert ("outcome_unknown" in states(publication)) is (step == "publish")
    assert len(await world.bus.told(PublicationPublishedV1)) == 1


@pytest.mark.promise("P43")
@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_publisher_that_was_only_slow_changes_nothing_any_more(world: World, moment: str):
    """Its lease ran out and another took over; then its own call comes back."""
    plan, go_on = world.plan(), asyncio.Event()

    async def slow() -> None:
        await go_on.wait()
        if moment == "before":
            raise Transient("busy", "the platform refused")

    getattr(world.platform, moment)["publish"].append(slow)
    async with world.start():
        await world.tell(plan.created(), plan.due())
        await wait_for(lambda: world.platform.calls["publish"] == 1)
        async with world.start() as client:
            world.clock.advance(BEYOND_LEASE)
            (publication,) = await world.wait(client, plan, "published")
            go_on.set()
            await wait_for(lambda: not world.auth.out)
            (after,) = await world.wait(client, plan, "published")
            await world.bus.wait_told(PublicationPublishedV1)
    assert after == publication
    assert world.platform.posted(publication["publication_id"]) == 1
    assert len(await world.bus.told(PublicationPublishedV1)) == 1


@pytest.mark.promise("P43")
async def test_a_receipt_that_comes_late_ends_the_search(world: World):
    """While another one looks in vain, the call that was thought lost comes back with a receipt."""
    plan, go_on = world.plan(), asyncio.Event()
    world.platform.before["reconcile"] += [raising(Transient("down", "no answer"))] * 20
    world.platform.after["publish"].append(_then_receipt(go_on))
    async with world.start():
        await world.tell(plan.created(), plan.due())
        await wait_for(lambda: world.platform.calls["publish"] == 1)
        async with world.start() as client:
            world.clock.advance(BEYOND_LEASE)
            await world.wait(client, plan, "outcome_unknown")
            await wait_for(lambda: world.platform.calls["reconcile"] > 0)
            go_on.set()
            (publication,) = await world.wait(client, plan, "published")
    assert publication["platform_post_id"] == "late"
    assert world.platform.posted(publication["publication_id"]) == 1


def _then_receipt(go_on: asyncio.Event) -> Fault:
    async def fault() -> Any:
        await go_on.wait()
        return Published(Receipt("late", None, {}))

    return fault


@pytest.mark.promise("P43")
@pytest.mark.parametrize(
    "error", [OutcomeUnknown("no_answer", "cut"), ValueError("a defect"), TimeoutError(), ConnectionError()]
)
async def test_a_call_without_an_answer_is_looked_up_not_repeated(world: World, error: Exception):
    plan = world.plan()
    world.platform.after["publish"].append(raising(error))
    async with world.start() as client:
        await world.tell(plan.created(), plan.due())
        (publication,) = await world.wait(client, plan, "published")
        await world.bus.wait_told(PublicationOutcomeUnknownV1)
    assert states(publication)[-3:] == ["publishing", "outcome_unknown", "published"]
    assert world.platform.calls["publish"] == world.platform.calls["reconcile"] == 1
    assert len(await world.bus.told(PublicationOutcomeUnknownV1)) == 1


@pytest.mark.promise("P42")
async def test_what_provably_came_to_nothing_is_repeated(world: World):
    plan = world.plan()
    world.platform.before["publish"].append(raising(OutcomeUnknown("no_answer", "cut before it")))
    async with world.start() as client:
        await world.tell(plan.created(), plan.due())
        (publication,) = await world.wait(client, plan, "published")
    assert publication["attempts"] == 2
    assert world.platform.posted(publication["publication_id"]) == 1


@pytest.mark.promise("P42")
async def test_what_nobody_can_decide_is_handed_to_a_person(world: World):
    plan = world.plan()
    world.platform.before["publish"].append(raising(OutcomeUnknown("no_answer", "cut")))
    world.platform.before["reconcile"].append(answering(Undecided({"reason": "another post is there"})))
    async with world.start() as client:
        await world.tell(plan.created(), plan.due())
        (publication,) = await world.wait(client, plan, "needs_attention")
    assert publication["evidence"] == {"reason": "another post is there"}
    assert publication["advice"]
    assert world.platform.posts == []


async def test_a_post_that_is_processed_is_asked_for(world: World):
    plan = world.plan()
    world.platform.before["publish"].append(answering(Processing(0.2)))
    world.platform.before["status"] += [
        answering(Processing(0.2)),
        raising(Transient("busy", "ask later")),
        answering(Published(Receipt(None, None, {"status": "done"}))),
        answering(Published(Receipt(None, None, {"status": "done"}))),
        answering(Published(Receipt("named", "https://social.example/named", {}))),
    ]
    async with world.start() as client:
        await world.tell(plan.created(), plan.due())
        await world.wait(client, plan, "published")
        world.clock.advance(timedelta(seconds=30))
        (publication,) = await world.wait(client, plan, "published", platform_post_id="named")
    assert states(publication)[-3:] == ["publishing", "processing", "published"]
    assert publication["url"] == "https://social.example/named"
    assert world.platform.calls["publish"] == 1


async def test_a_database_that_goes_away_after_the_call_loses_no_receipt(world: World, database_administrator: Any):
    """The connection is cut exactly while the platform answers."""
    plan = world.plan()
    name = world.environment["DATABASE_NAME_PUBLISHER"]

    async def cut() -> None:
        database_administrator.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,)
        )

    world.platform.after["publish"].append(cut)
    async with world.start() as client:
        await world.tell(plan.created(), plan.due())
        await wait_for(lambda: world.platform.calls["publish"] == 1)
        world.clock.advance(BEYOND_LEASE)

        async def published() -> list[dict[str, Any]]:
            # Each connection that was cut costs whoever is given it one 503.
            answer = await world.ask(client)
            assert answer.status_code in (200, 503)
            found = answer.json()["publications"] if answer.status_code == 200 else []
            return [row for row in found if row["state"] == "published"]

        (publication,) = await wait_for(published, 30)
    assert world.platform.posted(publication["publication_id"]) == 1
    assert world.platform.calls["publish"] == 1
