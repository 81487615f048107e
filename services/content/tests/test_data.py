"""What is held, who sees it, and that it can be forgotten."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg
import pytest
from content.data_map import data_map
from contracts.publisher import PublicationPublishedV1
from contracts.retention import ErasureRequestedV1, ErasureTaskDoneV1, SubjectKind
from kit.clock import SystemClock
from kit.database import Database, Scope
from kit.erasure import DataMap
from kit.ids import new_id
from kit.secret import Secret
from kit.testing import wait_for
from kit.testing.data_maps import differences, unprotected
from kit.testing.services import Bus

TABLES = ("media", "post", "revision", "variant", "variant_media", "seal", "decision", "publication")


def the_map() -> DataMap:
    async def none(kind: SubjectKind, subject: UUID) -> int:
        return 0

    return data_map(erase_objects=none, count_objects=none)


def counts(environment: dict[str, str], workspace_id: UUID) -> dict[str, int]:
    found: dict[str, int] = {}
    with psycopg.connect(environment["DATABASE_SUPERUSER_URL_CONTENT"]) as connection:
        for table in TABLES:
            query = psycopg.sql.SQL("SELECT count(*) FROM {} WHERE workspace_id = %s")
            row = connection.execute(query.format(psycopg.sql.Identifier(table)), (workspace_id,)).fetchone()
            assert row is not None
            found[table] = int(row[0])
    return found


async def fill(team: Any, image: Any, bus: Bus) -> dict[str, Any]:
    """A row in every table."""
    media_id = (await team.upload(image())).json()["media_id"]
    saved: dict[str, Any] = await team.approved(team.variant(media=[{"media_id": media_id, "alt_text": "x"}]))
    await bus.publish(
        PublicationPublishedV1(
            workspace_id=team.workspace_id,
            publication_id=new_id(),
            schedule_id=new_id(),
            post_id=UUID(saved["post_id"]),
            revision_id=UUID(saved["revision_id"]),
            connection_id=team.bluesky,
            platform="bluesky",
            published_at=SystemClock().now(),
        )
    )
    await wait_for(lambda: bus.settled("content-publisher"))
    return saved


async def erase(bus: Bus, kind: SubjectKind, subject: UUID) -> ErasureTaskDoneV1:
    event = ErasureRequestedV1(erasure_id=new_id(), subject_kind=kind, subject_id=subject, due_at=SystemClock().now())
    await bus.publish(event)
    (done,) = await bus.wait_told(ErasureTaskDoneV1)
    assert isinstance(done, ErasureTaskDoneV1)
    assert (done.erasure_id, done.service) == (event.erasure_id, "content")
    return done


def test_the_data_map_names_everything_that_is_stored(environment):
    assert differences(environment["DATABASE_SUPERUSER_URL_CONTENT"], the_map()) == []


@pytest.mark.promise("P12")
def test_every_table_of_a_workspace_is_protected(environment):
    assert unprotected(environment["DATABASE_SUPERUSER_URL_CONTENT"], "content") == []


@pytest.mark.promise("P12")
@pytest.mark.parametrize("scope", ["other workspace", "nobody"])
async def test_a_query_without_its_where_sees_one_workspace_only(team, environment, image, bus: Bus, clock, scope: str):
    await fill(team, image, bus)
    assert all(counts(environment, team.workspace_id).values())
    database = Database("content", Secret(environment["DATABASE_URL_CONTENT"]), clock, connections_max=2)
    await database.open()
    try:
        seen = Scope.workspace(new_id()) if scope == "other workspace" else Scope.nobody()
        for table in TABLES:
            count = psycopg.sql.SQL("SELECT count(*) FROM {}").format(psycopg.sql.Identifier(table))
            change = psycopg.sql.SQL("DELETE FROM {}").format(psycopg.sql.Identifier(table))
            async with database.transaction(seen) as transaction:
                cursor = await transaction.connection.execute(count)
                assert await cursor.fetchone() == (0,), table
                assert (await transaction.connection.execute(change)).rowcount == 0, table
            async with database.transaction(Scope.workspace(team.workspace_id)) as transaction:
                cursor = await transaction.connection.execute(count)
                assert await cursor.fetchone() != (0,), table
    finally:
        await database.close()


@pytest.mark.promise("P12")
async def test_a_row_cannot_be_written_into_or_point_into_another_workspace(
    team, other_team, environment, image, clock
):
    foreign = (await other_team.upload(image())).json()["media_id"]
    saved = await team.write()
    database = Database("content", Secret(environment["DATABASE_URL_CONTENT"]), clock, connections_max=2)
    await database.open()
    insert = (
        "INSERT INTO variant_media (workspace_id, revision_id, variant_position, position, media_id, alt_text)"
        " VALUES (%s, %s, 0, 0, %s, '')"
    )
    try:
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            async with database.transaction(Scope.workspace(team.workspace_id)) as transaction:
                await transaction.execute(insert, (team.workspace_id, saved["revision_id"], foreign))
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            async with database.transaction(Scope.workspace(team.workspace_id)) as transaction:
                await transaction.execute(insert, (other_team.workspace_id, saved["revision_id"], foreign))
    finally:
        await database.close()


@pytest.mark.promise("P12")
async def test_one_team_sees_and_uses_nothing_of_another(team, other_team, image):
    saved = await other_team.approved()
    media_id = (await other_team.upload(image())).json()["media_id"]
    assert (await team.call("GET", "/posts")).json() == {"posts": []}
    assert (await team.call("GET", f"/posts/{saved['post_id']}")).status_code == 404
    assert (await team.call("DELETE", f"/posts/{saved['post_id']}")).status_code == 404
    for variant in (team.variant(media=[{"media_id": media_id}]), other_team.variant()):
        answer = await team.call("POST", "/posts", json={"title": "x", "variants": [variant]})
        assert answer.status_code == 422
    assert (await other_team.post(saved))["state"] == "approved"


@pytest.mark.promise("P33")
async def test_an_erased_workspace_leaves_no_row_and_no_object(
    team, other_team, image, bus: Bus, environment, stored_files
):
    for each in (team, other_team):
        await fill(each, image, bus)
    before = counts(environment, other_team.workspace_id)
    done = await erase(bus, SubjectKind.WORKSPACE, team.workspace_id)
    assert done.erased == {"media_objects": 1} | counts_filled()
    assert not any(done.remaining.values())
    assert not any(counts(environment, team.workspace_id).values())
    assert counts(environment, other_team.workspace_id) == before
    assert [key.split("/")[1] for key in stored_files()] == [str(other_team.workspace_id)]


def counts_filled() -> dict[str, int]:
    return dict.fromkeys(TABLES, 1) | {"decision": 2}


async def test_an_erased_person_is_taken_out_of_what_others_own(team, image, bus: Bus, environment):
    saved = await fill(team, image, bus)
    done = await erase(bus, SubjectKind.ACCOUNT, team.account_id)
    assert {name: count for name, count in done.anonymised.items() if count} == {
        "post": 1,
        "revision": 1,
        "decision": 2,
        "media": 1,
    }
    assert not any(done.remaining.values())
    post = await team.post(saved)
    assert (post["created_by"], post["revisions"][0]["created_by"]) == (None, None)
    assert [step["decided_by"] for step in post["history"]] == [None, None]
    assert (await team.sealed(saved)).json()["seal"]["content_hash"] == saved["content_hash"]


async def test_the_end_of_a_connection_leaves_the_workspaces_own_content(team, image, bus: Bus, environment):
    saved = await fill(team, image, bus)
    before = await team.post(saved)
    done = await erase(bus, SubjectKind.CONNECTION, team.bluesky)
    assert not any((done.erased | done.anonymised | done.remaining).values())
    assert await team.post(saved) == before
