"""Members read the numbers of their workspace, and nobody else does."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import psycopg
import pytest
from contracts.access import Permission
from kit.clock import MovableClock
from kit.database import Database, Scope, Units
from kit.ids import new_id
from kit.passport import KeyLimits
from kit.secret import Secret
from kit.testing import wait_for
from kit.testing.data_maps import differences, unprotected
from kit.testing.services import MakePassport, ServiceEnvironment
from metrics.adapters.store import PostgresStore
from metrics.data_map import DATA_MAP
from platforms.shape import Counts

from services.metrics.tests.conftest import MakePublished, World

TYPE = "urn:signoff:problem:"


@pytest.mark.promise("P51")
async def test_members_read_every_snapshot_and_the_newest_of_all(
    world: World, published: MakePublished, passport: MakePassport
):
    event = published()
    world.platform.counts["at://post/1"] = Counts(views=10, likes=2, impressions=30)
    await world.bus.publish(event)
    await wait_for(lambda: world.snapshot_count() == 1)
    world.platform.counts["at://post/1"] = Counts(views=20)
    world.clock.advance(timedelta(minutes=1))
    await wait_for(lambda: world.snapshot_count() == 2)
    headers = passport(workspace_id=event.workspace_id, role="viewer")
    place = f"/api/workspaces/{event.workspace_id}"
    one = (await world.client.get(f"{place}/publications/{event.publication_id}/metrics", headers=headers)).json()
    assert one["publication_id"] == str(event.publication_id)
    assert [(s["views"], s["likes"], s["impressions"]) for s in one["snapshots"]] == [(10, 2, 30), (20, None, None)]
    every = (await world.client.get(f"{place}/metrics", headers=headers)).json()
    assert [(p["publication_id"], p["post_id"], p["views"], p["state"]) for p in every["publications"]] == [
        (str(event.publication_id), str(event.post_id), 20, "tracking")
    ]
    assert every["publications"][0]["taken_at"] == one["snapshots"][1]["taken_at"]


async def test_a_publication_without_numbers_is_listed_with_none(
    world: World, published: MakePublished, passport: MakePassport
):
    event = published(platform_post_id=None)
    await world.bus.publish(event)
    await wait_for(lambda: world.state(event.publication_id) == "waiting")
    headers = passport(workspace_id=event.workspace_id)
    place = f"/api/workspaces/{event.workspace_id}"
    every = (await world.client.get(f"{place}/metrics", headers=headers)).json()["publications"]
    assert [(p["views"], p["taken_at"], p["state"]) for p in every] == [(None, None, "waiting")]
    one = await world.client.get(f"{place}/publications/{event.publication_id}/metrics", headers=headers)
    assert one.json()["snapshots"] == []


@pytest.mark.promise("P06")
async def test_a_key_bound_to_connections_reads_no_numbers_of_others(
    world: World, published: MakePublished, passport: MakePassport
):
    event = published(platform_post_id=None)
    await world.bus.publish(event)
    await wait_for(lambda: world.state(event.publication_id) == "waiting")
    place = f"/api/workspaces/{event.workspace_id}"
    for connection_id, status, count in ((event.connection_id, 200, 1), (new_id(), 404, 0)):
        key = KeyLimits(new_id(), frozenset(Permission), frozenset({connection_id}))
        headers = passport(workspace_id=event.workspace_id, key=key)
        every = (await world.client.get(f"{place}/metrics", headers=headers)).json()["publications"]
        one = await world.client.get(f"{place}/publications/{event.publication_id}/metrics", headers=headers)
        assert (len(every), one.status_code) == (count, status)


async def test_strangers_get_nothing(world: World, published: MakePublished, passport: MakePassport):
    event = published()
    world.platform.counts["at://post/1"] = Counts(views=10)
    await world.bus.publish(event)
    await wait_for(lambda: world.snapshot_count() == 1)
    place = f"/api/workspaces/{event.workspace_id}/publications/{event.publication_id}/metrics"
    elsewhere = new_id()
    for headers, path, status, code in (
        ({}, place, 401, "unauthenticated"),
        (passport(workspace_id=elsewhere), place, 403, "forbidden"),
        (passport(service="publisher"), place, 401, "unauthenticated"),
        (passport(workspace_id=elsewhere), place.replace(str(event.workspace_id), str(elsewhere)), 404,
         "publication-unknown"),
        (passport(workspace_id=elsewhere), f"/api/workspaces/{event.workspace_id}/metrics", 403, "forbidden"),
    ):  # fmt: skip
        answer = await world.client.get(path, headers=headers)
        assert (answer.status_code, answer.json()["type"]) == (status, TYPE + code)
    others = await world.client.get(f"/api/workspaces/{elsewhere}/metrics", headers=passport(workspace_id=elsewhere))
    assert others.json() == {"publications": []}


@pytest.mark.parametrize("table", ["tracked", "snapshot"])
async def test_a_query_without_its_where_sees_one_workspace(
    service_environment: ServiceEnvironment, clock: MovableClock, table: str
):
    environment = service_environment("metrics")
    mine, theirs = new_id(), new_id()
    with psycopg.connect(environment["DATABASE_SUPERUSER_URL_METRICS"]) as connection:
        for workspace_id in (mine, theirs):
            publication_id = new_id()
            connection.execute(
                "INSERT INTO tracked (publication_id, workspace_id, connection_id, post_id, platform, state)"
                " VALUES (%s, %s, %s, %s, 'bluesky', 'waiting')",
                (publication_id, workspace_id, new_id(), new_id()),
            )
            connection.execute(
                "INSERT INTO snapshot (publication_id, taken_at, workspace_id, connection_id) VALUES (%s, %s, %s, %s)",
                (publication_id, clock.now(), workspace_id, new_id()),
            )
    database = Database("metrics", Secret(environment["DATABASE_URL_METRICS"]), clock, connections_max=2)
    await database.open()
    try:
        assert await _workspaces(database, Scope.workspace(mine), table) == [mine]
        assert await _workspaces(database, Scope.nobody(), table) == []
        async with Units(database, PostgresStore)(Scope.workspace(mine)) as store:
            assert await store.performances(theirs, 10, None) == []
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await _workspaces(database, Scope.workspace(mine), "ended")
    finally:
        await database.close()


async def _workspaces(database: Database, scope: Scope, table: str) -> list[UUID]:
    async with database.transaction(scope) as transaction:
        column = "subject_id" if table == "ended" else "workspace_id"
        return await transaction.scalars(f"SELECT {column} FROM {table}")  # noqa: S608


@pytest.mark.promise("P61")
def test_the_data_map_names_everything_that_is_stored(service_environment: ServiceEnvironment):
    superuser_url = service_environment("metrics")["DATABASE_SUPERUSER_URL_METRICS"]
    assert differences(superuser_url, DATA_MAP) == []
    assert unprotected(superuser_url, "metrics") == []
