"""The journal: durable, sealed where it must be, gone when it has served, and only its owner's."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import httpx
import psycopg
import pytest
from kit.testing import wait_for

from services.publisher.tests.conftest import World
from services.publisher.tests.fakes import UPLOAD_URL, hang


def stored(world: World) -> list[dict[str, Any]]:
    with psycopg.connect(world.environment["DATABASE_SUPERUSER_URL_PUBLISHER"]) as connection:
        return [row[0] for row in connection.execute("SELECT facts FROM journal")]


@pytest.mark.promise("P24")
async def test_secret_facts_are_sealed_and_the_journal_ends_with_its_post(world: World, client: httpx.AsyncClient):
    plan = world.plan(ahead=timedelta(minutes=5))
    await world.tell(plan.created())
    await world.wait(client, plan, "staged")
    (facts,) = stored(world)
    assert facts["uploaded"] is True
    assert UPLOAD_URL not in json.dumps(facts)
    assert set(facts["upload_url"]) == {"sealed"}
    await world.tell(plan.due())
    await world.wait(client, plan, "published")
    assert stored(world) == []


async def test_a_cancelled_post_leaves_no_journal(world: World, client: httpx.AsyncClient):
    plan = world.plan(ahead=timedelta(minutes=5))
    await world.tell(plan.created())
    await world.wait(client, plan, "staged")
    await world.tell(plan.cancelled())
    await world.wait(client, plan, "cancelled")
    assert stored(world) == []


async def test_staging_goes_on_from_the_journal(world: World):
    plan = world.plan(ahead=timedelta(minutes=5))
    world.platform.after["stage"].append(hang)
    async with world.start():
        await world.tell(plan.created())
        (before,) = await wait_for(lambda: stored(world), what="the journal")
    async with world.start() as client:
        await world.wait(client, plan, "staged")
    assert stored(world) == [before]
