"""Budgets on the real database: shared by all replicas, kept over restarts, closed by a refusal, fair to workspaces."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from contracts.access import Permission
from contracts.auth import ConnectionEstablishedV1
from kit.database import Database, Scope
from kit.ids import new_id
from kit.passport import KeyLimits
from kit.secret import Secret
from kit.testing import wait_for
from platforms.errors import RateLimited, Transient
from platforms.limits import Per, RateLimit, Spending, once
from publisher.adapters.store import Store
from publisher.domain.budget import Bill, Charge, Step
from publisher.domain.sharing import Ask

from services.publisher.tests.conftest import HOUR, Plan, World
from services.publisher.tests.fakes import raising, with_rates
from services.publisher.tests.test_budget_arithmetic import publication

POSTS_OF_HOUR = RateLimit("posts", 3, HOUR, Per.ACCOUNT, Spending("posts", publishing=once))
STARTS_OF_HOUR = RateLimit("starts of a post", 3, HOUR, Per.ACCOUNT, Spending("starts", staging=once))
POSTS_OF_ALL = RateLimit("posts", 4, HOUR, Per.APPLICATION, Spending("posts_of_all", publishing=once))


def plans_of(world: World, count: int, connection_id: UUID | None = None) -> list[Plan]:
    """Posts that are due now, all to one connection."""
    connection_id = connection_id or world.auth.connect(world.workspace_id)
    return [world.plan_for(world.content.approve(world.workspace_id, (connection_id,))) for _ in range(count)]


async def until(world: World, client: httpx.AsyncClient, plans: Sequence[Plan], **expected: int) -> None:
    """Wait until so many of these publications are in each state; one that waits for a budget is `budget`."""
    schedules = {str(plan.schedule_id) for plan in plans}
    found: dict[str, int] = {}

    async def reached() -> bool:
        found.clear()
        for row in await world.seen(client):
            if row["schedule_id"] in schedules:
                word = "budget" if row["code"] == "budget" and row["state"] != "missed" else row["state"]
                found[word] = found.get(word, 0) + 1
        return found == expected

    try:
        await wait_for(reached, 20)
    except AssertionError:
        raise AssertionError(f"waited for {expected}, but: {found}") from None


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


async def shown(client: httpx.AsyncClient, world: World, connection_id: UUID, **passport: Any) -> httpx.Response:
    path = f"/api/workspaces/{world.workspace_id}/connections/{connection_id}/budget"
    claims = {"workspace_id": world.workspace_id, "role": "viewer"} | passport
    return await client.get(path, headers=world.passport(**claims))


async def test_members_see_what_is_left_of_their_own_and_no_more_than_that_of_all(
    world: World, client: httpx.AsyncClient
):
    world.platform.limits = with_rates(POSTS_OF_HOUR, POSTS_OF_ALL)
    plans = plans_of(world, 2)
    (connection_id,) = plans[0].connection_ids
    established = ConnectionEstablishedV1(
        workspace_id=world.workspace_id, connection_id=connection_id, platform="bluesky"
    )
    await world.tell(established, *(plan.due() for plan in plans))
    await until(world, client, plans, published=2)
    told = (await shown(client, world, connection_id)).json()
    own, all_ = told["rates"]
    assert (own["name"], own["per"], own["left"]) == ("posts", "account", 1)
    assert (own["maximum"], own["window_seconds"]) == (3, 3600)
    assert timedelta() < datetime.fromisoformat(own["more_at"]) - world.clock.now() <= HOUR * 1.01
    assert (all_["per"], all_["left"], all_["more_at"], told["closed"]) == ("application", None, None, [])
    others = plans_of(world, 2)
    await world.tell(*(plan.due() for plan in others))
    await until(world, client, others, published=2)
    closing = RateLimited("slow_down", "too many", until=world.clock.now() + HOUR, per=Per.ACCOUNT)
    world.platform.before["stage"].append(raising(closing))
    (refused,) = plans_of(world, 1, connection_id)
    await world.tell(refused.due())
    await world.wait(client, refused, "staging", code="slow_down")
    told = (await shown(client, world, connection_id)).json()
    assert (told["rates"][1]["left"], told["rates"][1]["more_at"] is None) == (0, False)
    assert [(each["per"], each["step"], each["code"]) for each in told["closed"]] == [
        ("account", "staging", "slow_down")
    ]


async def test_a_budget_is_shown_to_nobody_else(world: World, client: httpx.AsyncClient):
    connection_id = world.auth.connect(world.workspace_id)
    await world.tell(
        ConnectionEstablishedV1(workspace_id=world.workspace_id, connection_id=connection_id, platform="bluesky")
    )

    async def known() -> bool:
        return (await shown(client, world, connection_id)).status_code == 200

    await wait_for(known)
    assert (await shown(client, world, new_id())).status_code == 404
    assert (await shown(client, replace(world, workspace_id=new_id()), connection_id)).status_code == 404
    bound = KeyLimits(new_id(), frozenset(Permission), frozenset({new_id()}))
    assert (await shown(client, world, connection_id, key=bound)).status_code == 404
