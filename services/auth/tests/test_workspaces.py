"""Workspaces, members and roles over HTTP, and what the database itself holds apart."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg
import pytest
from auth.domain.sessions import hash_of
from auth.ports.store import Transactions
from contracts.access import Role
from contracts.auth import MemberAddedV1, WorkspaceCreatedV1, WorkspaceUpdatedV1
from kit.database import Scope
from kit.ids import new_id
from kit.problems import TYPE_PREFIX
from kit.secret import Secret
from kit.testing.services import Bus

from services.auth.tests.client import Auth

Rows = psycopg.Connection[Any]


async def test_whoever_creates_a_workspace_owns_it(auth: Auth, bus: Bus):
    account_id = await auth.sign_up()
    workspace_id = await auth.create_workspace(account_id)
    listed = await auth.http.get("/api/workspaces", headers=auth.passport(account_id=account_id))
    (shown,) = listed.json()["workspaces"]
    assert shown.pop("organisation_id")
    assert shown == {
        "workspace_id": str(workspace_id),
        "name": "Acorn",
        "role": "owner",
        "time_zone": "Europe/Berlin",
    }
    assert await bus.wait_told(WorkspaceCreatedV1) == [
        WorkspaceCreatedV1(workspace_id=workspace_id, account_id=account_id)
    ]
    assert await bus.wait_told(MemberAddedV1) == [
        MemberAddedV1(workspace_id=workspace_id, account_id=account_id, role=Role.OWNER)
    ]


@pytest.mark.promise("P07")
async def test_a_passport_says_the_role_and_hides_other_workspaces(auth: Auth):
    owner = await auth.sign_up()
    viewer = await auth.sign_up("viewer@example.com")
    workspace_id = await auth.create_workspace(owner)
    token = await auth.sign_in("viewer@example.com")
    for stranger_to in (workspace_id, new_id()):
        answer = await auth.ask_passport(token, stranger_to)
        assert (answer.status_code, answer.json()["type"]) == (404, TYPE_PREFIX + "not-found")
    assert (await auth.accept(viewer, await auth.invite(workspace_id, owner, "viewer@example.com"))).is_success
    headers = await auth.headers(token, workspace_id)
    path = f"/api/workspaces/{workspace_id}"
    assert (await auth.http.get(f"{path}/members", headers=headers)).status_code == 200
    refused = await auth.ask("POST", f"{path}/invitations", {"email": "a@b.co", "role": "admin"}, headers, 403)
    assert refused["needs"] == "member.manage"


@pytest.mark.promise("P10")
async def test_a_workspace_says_what_it_is_and_its_admins_change_it(auth: Auth, bus: Bus):
    owner = await auth.sign_up()
    workspace_id = await auth.create_workspace(owner)
    path, headers = f"/api/workspaces/{workspace_id}", auth.passport(account_id=owner, workspace_id=workspace_id)
    before = await auth.ask("GET", path, headers=headers)
    changes = {"name": "Oak", "time_zone": "Asia/Tokyo", "voice_guidelines": "Short. Kind. No jokes about trees."}
    after = await auth.ask("PATCH", path, changes, headers)
    assert after == before | changes == await auth.ask("GET", path, headers=headers)
    # Nothing new is nothing to tell.
    await auth.ask("PATCH", path, {"name": "Oak", "settings": {}}, headers)
    await auth.ask("PATCH", path, {"name": "Ash"}, headers)
    told = WorkspaceUpdatedV1(workspace_id=workspace_id)
    assert await bus.wait_told(WorkspaceUpdatedV1, 2) == [told, told]


@pytest.mark.promise("P07")
async def test_a_workspace_that_asks_for_a_second_factor_is_closed_to_sessions_without(auth: Auth, superuser: Rows):
    owner = await auth.sign_up()
    workspace_id, other = await auth.create_workspace(owner), await auth.create_workspace(owner, "Birch")
    path, body = f"/api/workspaces/{workspace_id}", {"settings": {"second_factor_required": True}}
    strong, weak = await auth.sign_in(), await auth.sign_in()
    refused = await auth.ask("PATCH", path, body, await auth.headers(strong, workspace_id), 403)
    assert refused["type"] == TYPE_PREFIX + "second-factor-required"
    superuser.execute("UPDATE session SET strong = true WHERE token_hash = %s", (hash_of(Secret(strong)),))
    changed = await auth.ask("PATCH", path, body, await auth.headers(strong, workspace_id))
    assert changed["settings"] == {"second_factor_required": True}
    answer = await auth.ask_passport(weak, workspace_id)
    assert (answer.status_code, answer.json()["type"]) == (403, TYPE_PREFIX + "second-factor-required")
    for token, elsewhere in ((weak, None), (weak, other), (strong, workspace_id)):
        assert (await auth.ask_passport(token, elsewhere)).status_code == 200


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"name": ""}, "/name"),
        ({"name": None}, "/name"),
        ({"time_zone": "Nowhere"}, "/time_zone"),
        ({"voice_guidelines": "x" * 20_001}, "/voice_guidelines"),
        ({"settings": {"second_factor_required": "yes"}}, "/settings/second_factor_required"),
        ({"settings": {"colour": "red"}}, "/settings/colour"),
    ],
)
async def test_a_wrong_change_of_a_workspace_is_refused_whole(auth: Auth, body: dict[str, Any], pointer: str):
    owner = await auth.sign_up()
    workspace_id = await auth.create_workspace(owner)
    path, headers = f"/api/workspaces/{workspace_id}", auth.passport(account_id=owner, workspace_id=workspace_id)
    before = await auth.ask("GET", path, headers=headers)
    refused = await auth.ask("PATCH", path, {"voice_guidelines": "Loud"} | body, headers, 422)
    assert [error["pointer"] for error in refused["errors"]] == [pointer]
    assert await auth.ask("GET", path, headers=headers) == before


async def test_another_workspaces_passport_opens_nothing(auth: Auth):
    account_id = await auth.sign_up()
    mine, other = await auth.create_workspace(account_id), await auth.create_workspace(account_id, "Birch")
    headers = auth.passport(account_id=account_id, workspace_id=mine)
    answer = await auth.http.get(f"/api/workspaces/{other}/members", headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (403, TYPE_PREFIX + "forbidden")
    assert (await auth.http.get(f"/api/workspaces/{other}/members")).status_code == 401


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"name": "", "time_zone": "UTC"}, "/name"),
        ({"name": "x" * 201, "time_zone": "UTC"}, "/name"),
        ({"name": "Acorn", "time_zone": "Nowhere"}, "/time_zone"),
        ({"name": "Acorn", "time_zone": 1}, "/time_zone"),
    ],
)
async def test_a_workspace_with_a_wrong_value_is_refused(
    auth: Auth, superuser: Rows, body: dict[str, Any], pointer: str
):
    headers = auth.passport(account_id=await auth.sign_up())
    answer = await auth.http.post("/api/workspaces", json=body, headers=headers)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert superuser.execute("SELECT count(*) FROM workspace").fetchone() == (0,)


async def everything(transactions: Transactions, scope: Scope) -> dict[str, set[UUID]]:
    """What a scope sees of each table if every WHERE is forgotten."""
    async with transactions(scope) as store:
        transaction = store._transaction  # type: ignore[attr-defined]
        return {
            "account": set(await transaction.scalars("SELECT account_id FROM account")),
            "credential": set(await transaction.scalars("SELECT account_id FROM credential")),
            "session": set(await transaction.scalars("SELECT account_id FROM session")),
            "workspace": set(await transaction.scalars("SELECT workspace_id FROM workspace")),
            "member": set(await transaction.scalars("SELECT account_id FROM member")),
        }


@pytest.mark.promise("P12")
async def test_no_scope_sees_more_than_its_own_even_without_a_where(auth: Auth, transactions: Transactions):
    owner, other = await auth.sign_up(), await auth.sign_up("other@example.com")
    mine, others = await auth.create_workspace(owner), await auth.create_workspace(other, "Birch")
    for email in ("owner@example.com", "other@example.com"):
        await auth.sign_in(email)
    nothing: set[UUID] = set()
    assert await everything(transactions, Scope.nobody()) == {
        "account": nothing, "credential": nothing, "session": nothing, "workspace": nothing, "member": nothing,
    }  # fmt: skip
    assert await everything(transactions, Scope.workspace(mine)) == {
        "account": {owner}, "credential": nothing, "session": nothing, "workspace": {mine}, "member": {owner},
    }  # fmt: skip
    assert await everything(transactions, Scope.account(other)) == {
        "account": {other}, "credential": {other}, "session": {other}, "workspace": {others}, "member": {other},
    }  # fmt: skip


@pytest.mark.promise("P12")
async def test_a_request_cannot_write_into_another_workspace(auth: Auth, transactions: Transactions):
    owner, other = await auth.sign_up(), await auth.sign_up("other@example.com")
    mine, others = await auth.create_workspace(owner), await auth.create_workspace(other, "Birch")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with transactions(Scope.workspace(mine, owner)) as store:
            await store.members.add(others, owner, Role.OWNER, at=store.now())
    for statement in ("UPDATE account SET full_name = 'x'", "DELETE FROM workspace", "DELETE FROM account"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            async with transactions(Scope.workspace(others)) as store:
                await store._transaction.execute(statement)  # type: ignore[attr-defined]
    async with transactions(Scope.worker()) as store:
        assert await store.members.role_of(others, owner) is None
