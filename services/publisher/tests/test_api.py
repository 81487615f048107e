"""What members see, and what nobody else does."""

from __future__ import annotations

from uuid import UUID

import httpx
import psycopg
import pytest
from contracts.access import Permission
from kit.database import Scope
from kit.ids import new_id
from kit.passport import KeyLimits
from kit.testing.services import MakePassport

from services.publisher.tests.conftest import World


@pytest.fixture
def path(world: World) -> str:
    return f"/api/workspaces/{world.workspace_id}/publications"


@pytest.mark.promise("P41")
async def test_a_publication_is_shown_with_its_history(
    world: World, client: httpx.AsyncClient, path: str, passport: MakePassport
):
    plan, other = world.plan(), world.plan()
    await world.tell(plan.due(), other.due())
    (publication,) = await world.wait(client, plan, "published")
    await world.wait(client, other, "published")
    viewer = passport(workspace_id=world.workspace_id, role="viewer")
    shown = await client.get(f"{path}/{publication['publication_id']}", headers=viewer)
    assert shown.json() == publication
    assert [entry["state"] for entry in publication["history"]][-1] == "published"
    assert len(await world.seen(client)) == 2
    assert await world.seen(client, post_id=plan.revision.post_id) == [publication]
    assert await world.seen(client, schedule_id=new_id()) == []


async def test_bad_requests_and_strangers_are_refused(
    world: World, client: httpx.AsyncClient, path: str, passport: MakePassport
):
    plan = world.plan()
    await world.tell(plan.due())
    (publication,) = await world.wait(client, plan, "published")
    one = f"{path}/{publication['publication_id']}"
    viewer = passport(workspace_id=world.workspace_id, role="viewer")
    stranger = passport(workspace_id=new_id(), role="owner")
    for url in (path, one):
        assert (await client.get(url)).status_code == 401
        assert (await client.get(url, headers=stranger)).status_code == 403
        assert (await client.get(url, headers=passport(service="metrics"))).status_code == 401
        assert (await client.post(url, headers=viewer)).status_code == 405
    missing = await client.get(f"{path}/{new_id()}", headers=viewer)
    assert (missing.status_code, missing.json()["type"]) == (404, "urn:signoff:problem:not-found")
    wrong = await client.get(path, params={"post_id": "x"}, headers=viewer)
    assert (wrong.status_code, wrong.json()["type"]) == (422, "urn:signoff:problem:invalid")


@pytest.mark.promise("P06")
async def test_a_key_bound_to_connections_sees_no_publication_of_others(
    world: World, client: httpx.AsyncClient, path: str, passport: MakePassport
):
    plan = world.plan(connections=2)
    await world.tell(plan.due())
    own, other = sorted(await world.wait(client, plan, "published"), key=lambda each: str(each["connection_id"]))
    key = KeyLimits(new_id(), frozenset(Permission), frozenset({UUID(own["connection_id"])}))
    headers = passport(workspace_id=world.workspace_id, key=key)
    assert (await client.get(path, headers=headers)).json() == {"publications": [own]}
    assert (await client.get(f"{path}/{own['publication_id']}", headers=headers)).json() == own
    assert (await client.get(f"{path}/{other['publication_id']}", headers=headers)).status_code == 404


async def test_another_workspace_finds_nothing(world: World, client: httpx.AsyncClient, passport: MakePassport):
    plan = world.plan()
    await world.tell(plan.due())
    (publication,) = await world.wait(client, plan, "published")
    other = new_id()
    headers = passport(workspace_id=other)
    listed = await client.get(f"/api/workspaces/{other}/publications", headers=headers)
    assert listed.json() == {"publications": []}
    one = await client.get(f"/api/workspaces/{other}/publications/{publication['publication_id']}", headers=headers)
    assert one.status_code == 404


async def test_rows_are_hidden_without_their_workspace_even_where_a_where_is_forgotten(
    world: World, client: httpx.AsyncClient
):
    plan = world.plan()
    await world.tell(plan.created(), plan.due())
    await world.wait(client, plan, "published")
    tables = ("publication", "history", "attempt", "journal", "connection", "cancellation")
    async with await psycopg.AsyncConnection.connect(world.environment["DATABASE_URL_PUBLISHER"]) as connection:
        for scope in (Scope.nobody(), Scope.workspace(new_id())):
            for table in tables:
                await connection.rollback()
                await connection.execute(scope.begin("publisher"), prepare=False)
                found = await connection.execute(
                    psycopg.sql.SQL("SELECT * FROM {}").format(psycopg.sql.Identifier(table))
                )
                assert await found.fetchall() == []
        await connection.rollback()
        await connection.execute(Scope.workspace(world.workspace_id).begin("publisher"), prepare=False)
        found = await connection.execute("SELECT count(*) FROM publication")
        assert await found.fetchone() == (1,)
