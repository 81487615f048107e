"""What is left of a connection's budget, and who may see it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
from contracts.access import Permission
from contracts.auth import ConnectionEstablishedV1
from kit.ids import new_id
from kit.passport import KeyLimits
from kit.testing import wait_for
from platforms.errors import RateLimited
from platforms.limits import Per

from services.publisher.tests.budgeting import POSTS_OF_ALL, POSTS_OF_HOUR, plans_of, until
from services.publisher.tests.conftest import HOUR, World
from services.publisher.tests.fakes import raising, with_rates


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
