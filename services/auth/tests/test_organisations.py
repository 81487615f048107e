"""Organisations own workspaces; who runs one, and what becomes of it when they go."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg
import pytest
from auth.domain import organisations as rules
from auth.ports.store import Transactions
from auth.use_cases import organisations
from contracts.retention import ErasureTaskDoneV1, SubjectKind
from kit.clock import MovableClock
from kit.database import Scope
from kit.ids import new_id
from kit.testing.services import Bus

from services.auth.tests.client import Auth, Room
from services.auth.tests.team import Team, code
from services.auth.tests.test_closing import delete_account, erase
from services.auth.tests.test_connecting import counts

Rows = psycopg.Connection[Any]


async def own(auth: Auth, account_id: UUID) -> list[tuple[str, str]]:
    """Name and role of each organisation that a person runs."""
    shown = await auth.ask("GET", "/api/organisations", headers=auth.passport(account_id=account_id))
    return [(each["name"], each["role"]) for each in shown["organisations"]]


async def organisation_of(auth: Auth, account_id: UUID) -> str:
    shown = await auth.ask("GET", "/api/organisations", headers=auth.passport(account_id=account_id))
    return f"/api/organisations/{shown['organisations'][0]['organisation_id']}"


async def open_workspace(auth: Auth, account_id: UUID, body: dict[str, Any], expect: int = 201) -> Any:
    headers = auth.passport(account_id=account_id)
    return await auth.ask("POST", "/api/workspaces", {"time_zone": "UTC"} | body, headers, expect)


async def test_a_first_workspace_opens_an_organisation_and_the_next_joins_it(auth: Auth):
    agency, person = await auth.sign_up("agency@example.com", company="Acorn & Sons"), await auth.sign_up()
    for name in ("First", "Second"):
        await auth.create_workspace(agency, name)
        await auth.create_workspace(person, name)
    assert await own(auth, agency) == [("Acorn & Sons", "owner")]
    assert await own(auth, person) == [("First", "owner")]
    shown = await auth.ask("GET", await organisation_of(auth, person), headers=auth.passport(account_id=person))
    assert [each["name"] for each in shown["workspaces"]] == ["First", "Second"]
    assert [(each["email"], each["role"]) for each in shown["members"]] == [("owner@example.com", "owner")]


async def test_who_runs_several_says_which(auth: Auth):
    account_id, other = await auth.sign_up(), await auth.sign_up("other@example.com")
    headers = auth.passport(account_id=account_id)
    made = [
        (await auth.ask("POST", "/api/organisations", {"name": name}, headers, 201))["organisation_id"]
        for name in ("Acorn", "Birch")
    ]
    refused = await open_workspace(auth, account_id, {"name": "Cedar"}, 422)
    assert [error["pointer"] for error in refused["errors"]] == ["/organisation_id"]
    await open_workspace(auth, account_id, {"name": "Cedar", "organisation_id": made[1]})
    listed = await auth.ask("GET", "/api/workspaces", headers=headers)
    assert [each["organisation_id"] for each in listed["workspaces"]] == [made[1]]
    for organisation_id in (made[0], str(new_id())):
        refused = await open_workspace(auth, other, {"name": "Mine", "organisation_id": organisation_id}, 403)
        assert refused["needs"] == "organisation.admin"


@pytest.mark.promise("P11")
async def test_who_runs_an_organisation_opens_workspaces_and_sees_into_none_of_others(team: Team):
    auth = team.auth
    editor = await team.add("editor")
    path = await organisation_of(auth, team.owner)
    owner = await auth.headers(await auth.sign_in())
    await auth.ask("PUT", f"{path}/members/{editor}", {"role": "admin"}, owner, 204)
    assert await own(auth, editor) == [("Acorn", "admin")]
    await open_workspace(auth, editor, {"name": "Birch"})
    shown = await auth.ask("GET", path, headers=owner)
    assert [each["name"] for each in shown["workspaces"]] == ["Acorn", "Birch"]
    birch = UUID(shown["workspaces"][1]["workspace_id"])
    token = await auth.sign_in()
    assert (await auth.ask_passport(token, birch)).status_code == 404
    refused = await auth.ask("PATCH", path, {"name": "Mine"}, auth.passport(account_id=editor), 403)
    assert refused["needs"] == "organisation.owner"
    renamed = await auth.ask("PATCH", path, {"name": "Acorn Ltd"}, owner)
    assert renamed["name"] == "Acorn Ltd"


async def test_only_people_of_its_workspaces_run_an_organisation(team: Team):
    auth, stranger = team.auth, await team.auth.sign_up("stranger@example.com")
    path = await organisation_of(auth, team.owner)
    owner = await auth.headers(await auth.sign_in())
    for account_id in (stranger, new_id()):
        refused = await auth.ask("PUT", f"{path}/members/{account_id}", {"role": "admin"}, owner, 422)
        assert code(refused) == "not-of-organisation"
    as_stranger = await auth.headers(await auth.sign_in("stranger@example.com"))
    await auth.ask("GET", path, headers=as_stranger, expect=404)
    await auth.ask("PATCH", path, {"name": "Mine"}, as_stranger, 404)
    await auth.ask("PUT", f"{path}/members/{stranger}", {"role": "owner"}, as_stranger, 404)
    await auth.ask("DELETE", f"{path}/members/{team.owner}", headers=as_stranger, expect=404)
    without_proof = auth.passport(account_id=team.owner)
    refused = await auth.ask("PUT", f"{path}/members/{team.owner}", {"role": "admin"}, without_proof, 403)
    assert code(refused) == "presence-needed"


async def test_an_organisation_keeps_an_owner(team: Team):
    auth, admin = team.auth, await team.add("admin")
    path = await organisation_of(auth, team.owner)
    owner = await auth.headers(await auth.sign_in())
    for refused in (
        await auth.ask("PUT", f"{path}/members/{team.owner}", {"role": "admin"}, owner, 409),
        await auth.ask("DELETE", f"{path}/members/{team.owner}", headers=owner, expect=409),
    ):
        assert code(refused) == "last-owner"
    await auth.ask("PUT", f"{path}/members/{admin}", {"role": "owner"}, owner, 204)
    await auth.ask("DELETE", f"{path}/members/{team.owner}", headers=owner, expect=204)
    assert await own(auth, team.owner) == []
    assert await own(auth, admin) == [("Acorn", "owner")]


async def test_who_has_gone_is_followed_by_who_stays_longest(room: Room, superuser: Rows):
    """First whoever runs the organisation, else whoever owns one of its workspaces."""
    team = Team(room.auth, room.account_id, room.workspace_id)
    heir, admin = await team.add("owner", "heir"), await team.add("admin")
    path = await organisation_of(room.auth, room.account_id)
    headers = await room.auth.headers(await room.auth.sign_in())
    await room.auth.ask("PUT", f"{path}/members/{admin}", {"role": "admin"}, headers, 204)
    assert (await delete_account(room)).status_code == 202
    assert await own(room.auth, admin) == [("Acorn", "owner")]
    assert (await delete_account(room, account_id=admin)).status_code == 202
    assert await own(room.auth, heir) == [("Acorn", "owner")]
    assert superuser.execute("SELECT closed_by FROM organisation").fetchall() == [(None,)]


@pytest.mark.promise("P63")
async def test_an_organisation_that_nobody_is_left_for_is_erased(
    room: Room, bus: Bus, superuser: Rows, clock: MovableClock
):
    erasures = (await delete_account(room)).json()["erasures"]
    (erasure_id,) = [UUID(each["erasure_id"]) for each in erasures if each["subject_kind"] == "account"]
    await erase(bus, clock, SubjectKind.ACCOUNT, room.account_id, erasure_id)
    (done,) = await bus.wait_told(ErasureTaskDoneV1)
    assert isinstance(done, ErasureTaskDoneV1)
    assert (done.erased["organisation"], any(done.remaining.values())) == (1, False)
    assert counts(superuser, "organisation", "organisation_member", "account") == [0, 0, 0]


async def test_there_is_a_limit_to_organisations(auth: Auth, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(organisations, "OWNED_MAX", 1)
    account_id = await auth.sign_up()
    headers = auth.passport(account_id=account_id)
    await auth.ask("POST", "/api/organisations", {"name": "Acorn"}, headers, 201)
    refused = await auth.ask("POST", "/api/organisations", {"name": "Birch"}, headers, 409)
    assert code(refused) == "too-many-organisations"
    assert rules.OWNED_MAX > 1


@pytest.mark.promise("P12")
async def test_no_scope_sees_more_organisations_than_its_own_even_without_a_where(
    team: Team, transactions: Transactions, superuser: Rows
):
    stranger = await team.auth.sign_up("stranger@example.com")
    await team.auth.create_workspace(stranger, "Birch")
    rows = superuser.execute("SELECT name, organisation_id FROM organisation").fetchall()
    mine = dict(rows)["Acorn"]

    async def seen(scope: Scope) -> list[int]:
        async with transactions(scope) as store:
            transaction = store._transaction  # type: ignore[attr-defined]
            return [
                await transaction.scalar(f"SELECT count(*) FROM {table}")  # noqa: S608
                for table in ("organisation", "organisation_member", "workspace", "account", "invitation", "member")
            ]

    await team.invite()
    assert await seen(Scope.nobody()) == [0, 0, 0, 0, 0, 0]
    assert await seen(Scope.account(team.owner)) == [1, 1, 1, 1, 0, 1]
    assert await seen(Scope.organisation(mine, team.owner)) == [1, 1, 1, 1, 0, 1]
    assert await seen(Scope.workspace(team.workspace_id)) == [0, 0, 1, 1, 1, 1]
    for statement in (
        "UPDATE organisation SET name = 'x'",
        "UPDATE organisation_member SET role = 'admin'",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            async with transactions(Scope.account(stranger)) as store:
                await store._transaction.execute(statement)  # type: ignore[attr-defined]
    async with transactions(Scope.account(stranger)) as store:
        for table in ("organisation_member", "member"):
            removed = await store._transaction.execute(f"DELETE FROM {table}")  # type: ignore[attr-defined]  # noqa: S608
            assert removed == 0
