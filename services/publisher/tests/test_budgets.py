"""Budgets on the real database: shared by all replicas, kept over restarts, closed by a refusal, fair to workspaces."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import httpx
import psycopg
import pytest
from contracts.auth import ConnectionReauthRequiredV1
from contracts.retention import SubjectKind
from kit.database import Database, Scope
from kit.ids import new_id
from kit.secret import Secret
from kit.testing import wait_for
from platforms.errors import RateLimited, Transient
from platforms.limits import Per, RateLimit
from psycopg.types.json import Jsonb
from publisher.adapters.store import Store
from publisher.domain.budget import Bill, Charge, Step
from publisher.domain.sharing import Ask

from services.publisher.tests.budgeting import POSTS_OF_ALL, POSTS_OF_HOUR, STARTS_OF_HOUR, plans_of, publication, until
from services.publisher.tests.conftest import HOUR, World
from services.publisher.tests.fakes import hang, raising, with_rates
from services.publisher.tests.test_erasure import erase


@pytest.mark.promise("P42")
async def test_two_publishers_spend_one_budget_and_the_rest_waits_for_the_next_window(world: World):
    world.platform.limits = with_rates(POSTS_OF_HOUR)
    plans, others = plans_of(world, 8), plans_of(world, 3)
    async with world.start() as client, world.start():
        await world.tell(*(plan.due() for plan in (*plans, *others)))
        await until(world, client, plans, published=3, budget=5)
        await until(world, client, others, published=3)
        (waiting, *_) = [row for row in await world.seen(client) if row["code"] == "budget"]
        assert (waiting["state"], waiting["attempts"]) == ("staged", 0)
        assert "3 in 1 hour for this account" in waiting["detail"]
        assert waiting["advice"]
        world.clock.advance(HOUR * 1.01)
        await until(world, client, plans, published=6, budget=2)
        world.clock.advance(HOUR * 1.01)
        await until(world, client, plans, published=8)
    assert world.platform.calls["publish"] == len(world.platform.posts) == 11


@pytest.mark.parametrize("limit", [POSTS_OF_HOUR, replace(POSTS_OF_ALL, maximum=3)])
async def test_charges_of_one_moment_never_exceed_the_budget(world: World, limit: RateLimit):
    """Each in a transaction of its own, before there is a row to lock."""
    bill = Bill("bluesky", Step.PUBLISHING, (Charge(limit, 1),))
    connection_id, workspace_id = new_id(), new_id()
    asks = [Ask(publication(workspace_id, connection_id), bill) for _ in range(8)]
    database = Database(
        "publisher", Secret(world.environment["DATABASE_URL_PUBLISHER"]), world.clock, connections_max=8
    )
    await database.open()

    async def charge(ask: Ask) -> bool:
        async with database.transaction(Scope.worker()) as transaction:
            (payment,) = await Store(transaction).charge([ask])
        return payment.shortage is None

    paid = await asyncio.gather(*(charge(ask) for ask in asks))
    await database.close()
    assert sum(paid) == 3


async def test_what_was_spent_survives_a_restart(world: World):
    world.platform.limits = with_rates(POSTS_OF_HOUR)
    first, second = plans_of(world, 1), []
    second = plans_of(world, 4, first[0].connection_ids[0])
    async with world.start() as client:
        await world.tell(*(plan.due() for plan in first))
        await until(world, client, first, published=1)
    async with world.start() as client:
        await world.tell(*(plan.due() for plan in second))
        await until(world, client, second, published=2, budget=2)


async def test_a_repeat_after_a_refusal_costs_nothing(world: World, client: httpx.AsyncClient):
    world.platform.limits = with_rates(replace(POSTS_OF_HOUR, maximum=1))
    world.platform.before["publish"].append(raising(Transient("busy", "later")))
    plans = plans_of(world, 1)
    await world.tell(plans[0].due())

    async def published() -> bool:
        world.clock.advance(timedelta(seconds=5))
        return bool(world.platform.posts)

    await wait_for(published)
    await until(world, client, plans, published=1)
    more = plans_of(world, 1, plans[0].connection_ids[0])
    await world.tell(more[0].due())
    await until(world, client, more, budget=1)


async def test_what_has_no_place_in_its_window_is_missed(world: World, client: httpx.AsyncClient):
    world.platform.limits = with_rates(replace(POSTS_OF_HOUR, maximum=1))
    (first,) = plans_of(world, 1)
    (late, soon) = plans_of(world, 2, first.connection_ids[0])
    await world.tell(first.due())
    await until(world, client, [first], published=1)
    await world.tell(late.due().model_copy(update={"publish_until": late.due_at + HOUR / 2}), soon.due())
    await world.wait(client, late, "missed", code="budget")
    await until(world, client, [soon], budget=1)


async def test_staging_has_a_budget_of_its_own(world: World, client: httpx.AsyncClient):
    world.platform.limits = with_rates(STARTS_OF_HOUR)
    plans = plans_of(world, 5)
    await world.tell(*(plan.due() for plan in plans))
    await until(world, client, plans, published=3, budget=2)
    assert world.platform.calls["stage"] == 3
    world.clock.advance(HOUR * 1.01)
    await until(world, client, plans, published=5)


async def test_what_is_held_takes_nothing_of_what_others_need(world: World, client: httpx.AsyncClient):
    world.platform.limits = with_rates(replace(STARTS_OF_HOUR, per=Per.APPLICATION))
    held, *free = (plans_of(world, 1)[0] for _ in range(4))
    (connection_id,) = held.connection_ids
    world.auth.refusals[connection_id] = "reauth_required"
    await world.tell(
        ConnectionReauthRequiredV1(workspace_id=world.workspace_id, connection_id=connection_id, reason="dead")
    )
    await wait_for(lambda: world.bus.settled("publisher-auth"))
    await world.tell(held.due())
    await world.wait(client, held, "staging", held=True)
    await world.tell(*(plan.due() for plan in free))
    await until(world, client, free, published=3)


@pytest.mark.promise("P42")
@pytest.mark.parametrize("per", [Per.ACCOUNT, Per.APPLICATION])
async def test_a_refusal_holds_back_all_whom_it_is_about_in_every_publisher(world: World, per: Per):
    again_at = world.clock.now() + HOUR / 2
    world.platform.before["publish"].append(raising(RateLimited("slow_down", "too many", until=again_at, per=per)))
    (refused,) = plans_of(world, 1)
    alike, others = plans_of(world, 4, refused.connection_ids[0]), plans_of(world, 2)
    async with world.start() as client, world.start():
        await world.tell(refused.due())
        await world.wait(client, refused, "staging", code="slow_down")
        await world.tell(*(plan.due() for plan in (*alike, *others)))
        await until(world, client, alike, budget=4)
        if per is Per.ACCOUNT:
            await until(world, client, others, published=2)
        else:
            await until(world, client, others, budget=2)
        assert world.platform.calls["publish"] == 1 + 2 * (per is Per.ACCOUNT)
        assert all("slow_down" in row["detail"] for row in await world.seen(client) if row["code"] == "budget")
        world.clock.advance(HOUR / 2)
        await until(world, client, [refused, *alike, *others], published=7)
    assert world.platform.calls["publish"] == 8


async def test_a_refusal_about_one_post_holds_back_no_other(world: World, client: httpx.AsyncClient):
    later = world.clock.now() + HOUR
    world.platform.before["publish"].append(raising(RateLimited("media_processing", "still working", until=later)))
    (refused,) = plans_of(world, 1)
    await world.tell(refused.due())
    await world.wait(client, refused, "staging", code="media_processing")
    alike = plans_of(world, 2, refused.connection_ids[0])
    await world.tell(*(plan.due() for plan in alike))
    await until(world, client, alike, published=2)


@pytest.mark.promise("P43")
async def test_what_the_application_may_is_shared_between_workspaces_that_wait(world: World):
    world.platform.limits = with_rates(POSTS_OF_ALL)
    small = replace(world, workspace_id=new_id())
    backlog = plans_of(world, 30)
    async with world.start() as client, world.start():
        await world.tell(*(plan.due() for plan in backlog))
        await until(world, client, backlog, published=4, budget=26)
        few = plans_of(small, 2)
        await world.tell(*(plan.due() for plan in few))
        await until(small, client, few, budget=2)
        # So late that all of them look in the same moment.
        world.clock.advance(HOUR * 20)
        await until(small, client, few, published=2)
        await until(world, client, backlog, published=6, budget=24)


@pytest.mark.promise("P43")
async def test_a_publisher_that_dies_between_intent_and_call_has_paid_for_its_successor(world: World):
    world.platform.limits = with_rates(replace(POSTS_OF_HOUR, maximum=1))
    (plan,) = plans_of(world, 1)
    hanging = world.platform.before["publish"]
    hanging.append(hang)
    async with world.start():
        await world.tell(plan.due())
        await wait_for(lambda: not hanging, what="the call that hangs")
    async with world.start() as client:
        await world.wait(client, plan, "published", attempts=2)
        (more,) = plans_of(world, 1, plan.connection_ids[0])
        await world.tell(more.due())
        await world.wait(client, more, "staged", code="budget")
    assert len(world.platform.posts) == 1


@pytest.mark.promise("P63")
async def test_an_erased_workspace_leaves_the_line_and_takes_its_budgets_along(world: World, client: httpx.AsyncClient):
    world.platform.limits = with_rates(POSTS_OF_HOUR, replace(POSTS_OF_ALL, maximum=2))
    other = replace(world, workspace_id=new_id())
    mine, theirs = plans_of(world, 4), plans_of(other, 4)
    await world.tell(*(plan.due() for plan in mine))
    await until(world, client, mine, published=2, budget=2)
    await world.tell(*(plan.due() for plan in theirs))
    await until(other, client, theirs, budget=4)
    url = world.environment["DATABASE_SUPERUSER_URL_PUBLISHER"]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "UPDATE application_budget SET turns = %s",
            (Jsonb({str(world.workspace_id): 2, str(other.workspace_id): 1}),),
        )
        await erase(world, SubjectKind.WORKSPACE, world.workspace_id)
        left = connection.execute("SELECT turns FROM application_budget").fetchall()
        assert left == [({str(other.workspace_id): 1},)]
        owners = connection.execute("SELECT DISTINCT workspace_id FROM connection_budget").fetchall()
        assert owners in ([], [(other.workspace_id,)])
