"""What will not go out is told minutes ahead; what may still heal is a warning, and goes out if it does."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from contracts.publisher import PublicationFailedV1
from platforms.errors import RateLimited
from platforms.limits import Per
from platforms.shape import Violation

from services.publisher.tests.budgeting import POSTS_OF_HOUR, plans_of, until
from services.publisher.tests.conftest import HOUR, Plan, World
from services.publisher.tests.fakes import raising, with_rates
from services.publisher.tests.test_pausing import paused

SECOND, SOON = timedelta(seconds=1), timedelta(minutes=9)


@pytest.mark.promise("P42")
async def test_a_rule_that_a_post_breaks_by_now_is_told_ahead(world: World, client: httpx.AsyncClient):
    world.platform.broken = [Violation("text_too_long", "/text", f"{each} too long") for each in range(7)]
    plan = world.plan(ahead=SOON)
    await world.tell(plan.created())
    (publication,) = await world.wait(client, plan, "failed", code="breaks_rules")
    assert publication["detail"].startswith("/text: 0 too long; /text: 1")
    assert publication["detail"].endswith("and 2 more")
    assert publication["advice"]
    assert world.platform.calls["stage"] == 0
    assert world.clock.now() < plan.due_at
    assert len(await world.bus.wait_told(PublicationFailedV1)) == 1


async def test_a_version_that_ends_before_the_post_is_for_an_operator(
    world: World, client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
):
    plan = world.plan(ahead=SOON)
    world.platform.limits = replace(world.platform.limits, api_version="v9", sunset=plan.due_at.date())
    with caplog.at_level(logging.ERROR):
        await world.tell(plan.created())
        (publication,) = await world.wait(client, plan, "failed", code="platform_version_ended")
    assert "v9 only until" in publication["detail"]
    assert "operator" in publication["advice"]
    assert "misconfigured" in caplog.text
    assert world.platform.calls["stage"] == 0


async def test_a_version_that_ends_later_is_no_obstacle(world: World, client: httpx.AsyncClient):
    plan = world.plan()
    world.platform.limits = replace(world.platform.limits, sunset=(plan.due_at + timedelta(days=1)).date())
    await world.tell(plan.due())
    await world.wait(client, plan, "published")


async def test_access_that_ends_before_the_post_is_a_warning(world: World, client: httpx.AsyncClient):
    plan = world.plan(ahead=SOON)
    (connection_id,) = plan.connection_ids
    lasting = world.auth.grants[connection_id]
    world.auth.grants[connection_id] = replace(lasting, expires_at=plan.due_at - timedelta(minutes=1))
    await world.tell(plan.created())
    (publication,) = await world.wait(client, plan, "staged", code="connection_ends")
    assert "ends at" in publication["detail"]
    assert "Connect" in publication["advice"]
    world.auth.grants[connection_id] = lasting
    world.clock.advance(SOON)
    await world.tell(plan.due())
    await world.wait(client, plan, "published", code=None)


def _used_up(world: World) -> None:
    """Nothing but the rate keeps it."""


def _closed(world: World) -> None:
    closing = RateLimited("slow_down", "too many", until=world.clock.now() + HOUR / 2, per=Per.ACCOUNT)
    world.platform.before["publish"].append(raising(closing))


@pytest.mark.parametrize(("obstacle", "first"), [(_used_up, "published"), (_closed, "staging")])
async def test_a_budget_that_will_be_short_is_a_warning(
    world: World, client: httpx.AsyncClient, obstacle: Callable[[World], None], first: str
):
    world.platform.limits = with_rates(replace(POSTS_OF_HOUR, maximum=1))
    connection_id = world.auth.connect(world.workspace_id)
    now, later = (
        world.plan_for(world.content.approve(world.workspace_id, (connection_id,)), ahead=ahead)
        for ahead in (timedelta(), SOON)
    )
    obstacle(world)
    await world.tell(now.due())
    await world.wait(client, now, first)
    await world.tell(later.created())
    (publication,) = await world.wait(client, later, "staged", code="budget_short")
    assert "probably until" in publication["detail"]
    assert publication["advice"]
    world.clock.advance(SOON)
    await world.tell(later.due())
    await world.wait(client, later, "staged", code="budget")
    # The first one may still wait as well, and which of them looks first is left to chance.
    world.platform.limits = with_rates(replace(POSTS_OF_HOUR, maximum=2))
    world.clock.advance(HOUR * 2)
    await until(world, client, [later], published=1)


async def test_who_is_due_before_takes_of_the_budget_that_a_later_post_is_warned_of(
    world: World, client: httpx.AsyncClient
):
    world.platform.limits = with_rates(replace(POSTS_OF_HOUR, maximum=2, window=SOON))
    connection_id, other_id = (world.auth.connect(world.workspace_id) for _ in range(2))

    def plan(ahead: timedelta, connection_id: UUID = connection_id) -> Plan:
        return world.plan_for(world.content.approve(world.workspace_id, (connection_id,)), ahead=ahead)

    stopped, first, second, third = (plan(SOON + each * SECOND) for each in range(4))
    elsewhere, much_later = plan(SOON, other_id), plan(3 * SOON)
    await world.tell(stopped.created())
    await world.wait(client, stopped, "staged")
    await world.tell(paused(stopped))
    await world.wait(client, stopped, "planned")
    for each in (elsewhere, much_later, first, second):
        await world.tell(each.created())
        await world.wait(client, each, "staged", "planned", code=None)
    for each in (first, second):
        await world.wait(client, each, "staged", code=None)
    await world.tell(third.created())
    (warned,) = await world.wait(client, third, "staged", code="budget_short")
    assert "will be used up by what is due before" in warned["detail"]
    # In a window of its own nothing is short.
    world.clock.advance(2 * SOON)
    await world.wait(client, much_later, "staged", code=None)


async def test_a_budget_that_suffices_is_no_warning(world: World, client: httpx.AsyncClient):
    world.platform.limits = with_rates(POSTS_OF_HOUR)
    (first,) = plans_of(world, 1)
    later = world.plan_for(world.content.approve(world.workspace_id, first.connection_ids), ahead=SOON)
    await world.tell(first.due())
    await world.wait(client, first, "published")
    await world.tell(later.created())
    await world.wait(client, later, "staged", code=None)
