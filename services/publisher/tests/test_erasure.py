"""What the publisher holds is mapped, and a subject is forgotten without losing the agency's own record."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
from contracts.retention import ErasureRequestedV1, ErasureTaskDoneV1, SubjectKind
from kit.ids import new_id
from kit.testing import wait_for
from kit.testing.data_maps import differences, unprotected
from platforms.errors import Rejected
from publisher.data_map import DATA_MAP

from services.publisher.tests.conftest import Plan, World
from services.publisher.tests.fakes import raising


def test_every_column_is_in_the_data_map(environment: dict[str, str]):
    superuser_url = environment["DATABASE_SUPERUSER_URL_PUBLISHER"]
    assert differences(superuser_url, DATA_MAP) == []
    assert unprotected(superuser_url, "publisher") == []


async def erase(world: World, kind: SubjectKind, subject: Any) -> ErasureTaskDoneV1:
    before = len(await world.bus.told(ErasureTaskDoneV1))
    await world.bus.publish(
        ErasureRequestedV1(
            erasure_id=new_id(), subject_kind=kind, subject_id=subject, due_at=world.clock.now() + timedelta(days=30)
        )
    )
    done = (await world.bus.wait_told(ErasureTaskDoneV1, before + 1))[-1]
    assert isinstance(done, ErasureTaskDoneV1)
    assert not any(done.remaining.values())
    return done


async def removed(world: World, client: httpx.AsyncClient, plan: Plan, person: UUID) -> dict[str, Any]:
    """The plan's publication once this person had its post taken off."""
    (publication,) = await world.seen(client, schedule_id=plan.schedule_id)
    headers = world.passport(account_id=person, workspace_id=world.workspace_id, role="editor")
    path = f"/api/workspaces/{world.workspace_id}/publications/{publication['publication_id']}/post"
    assert (await client.delete(path, headers=headers)).status_code == 202

    async def gone() -> bool:
        nonlocal publication
        (publication,) = await world.seen(client, schedule_id=plan.schedule_id)
        return bool(publication["removal"]["state"] == "removed")

    await wait_for(gone)
    return publication


@pytest.mark.promise("P61")
async def test_a_connection_is_forgotten_but_the_history_stays(world: World, client: httpx.AsyncClient):
    plan, other = world.plan(), world.plan()
    await world.tell(plan.due(), other.due())
    await world.wait(client, plan, "published")
    before = await removed(world, client, plan, new_id())
    (untouched,) = await world.wait(client, other, "published")
    done = await erase(world, SubjectKind.CONNECTION, plan.connection_ids[0])
    assert done.anonymised == {"publication": 1, "removal": 1, "audit_finding": 0}
    (after,) = await world.seen(client, schedule_id=plan.schedule_id)
    assert (after["platform_post_id"], after["url"], after["receipt"]["evidence"]) == (None, None, None)
    assert after["removal"] == before["removal"] | {"evidence": None}
    assert after["history"] == before["history"]
    assert after["published_at"] == before["published_at"]
    assert await world.seen(client, schedule_id=other.schedule_id) == [untouched]


@pytest.mark.promise("P63")
async def test_a_workspace_is_forgotten_whole(world: World, client: httpx.AsyncClient):
    plan, waiting = world.plan(2), world.plan(ahead=timedelta(minutes=5))
    await world.tell(plan.due(), waiting.created(), waiting.cancelled(new_id()))
    await world.wait(client, plan, "published")
    await world.wait(client, waiting, "staged")
    headers = world.passport(workspace_id=world.workspace_id, role="owner")
    path = f"/api/workspaces/{world.workspace_id}/publications"
    for publication in await world.seen(client, in_state="published"):
        assert (await client.delete(f"{path}/{publication['publication_id']}/post", headers=headers)).status_code == 202
    await erase(world, SubjectKind.WORKSPACE, world.workspace_id)
    with psycopg.connect(world.environment["DATABASE_SUPERUSER_URL_PUBLISHER"]) as connection:
        for table in DATA_MAP.tables:
            query = psycopg.sql.SQL("SELECT count(*) FROM {}").format(psycopg.sql.Identifier(table.name))
            assert connection.execute(query).fetchone() == (0,), table.name
    # What arrives afterwards finds nothing to act on, and breaks nothing.
    await world.tell(waiting.cancelled())
    assert await world.seen(client) == []


@pytest.mark.promise("P63")
async def test_of_an_account_only_its_decisions_are_held_and_lose_its_name(world: World, client: httpx.AsyncClient):
    person = new_id()
    plan = world.plan()
    world.platform.before["publish"].append(raising(Rejected("no", "it is refused", advice="Change it.")))
    await world.tell(plan.due())
    (failed,) = await world.wait(client, plan, "failed")
    headers = world.passport(account_id=person, workspace_id=world.workspace_id, role="editor")
    path = f"/api/workspaces/{world.workspace_id}/publications/{failed['publication_id']}/answer"
    assert (await client.post(path, json={"answer": "try_again"}, headers=headers)).status_code == 200
    (published,) = await world.wait(client, plan, "published")
    assert [entry["actor"] for entry in published["history"]].count(str(person)) == 1
    await removed(world, client, plan, person)
    done = await erase(world, SubjectKind.ACCOUNT, person)
    assert (done.erased, done.anonymised) == ({}, {"history": 2, "removal": 1})
    (after,) = await world.seen(client)
    assert after["removal"]["asked_by"] is None
    assert all(entry["actor"] is None for entry in after["history"])
