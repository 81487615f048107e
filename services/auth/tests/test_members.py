"""Roles that change, members who go, workspaces that are handed on; and who may do that to whom."""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg
import pytest
from auth.domain.presence import RECENT
from auth.domain.workspaces import LastOwner
from auth.ports.store import Transactions
from auth.use_cases.members import change_role
from contracts.access import PERMISSIONS, Permission, Role, covers
from contracts.auth import MemberRemovedV1, MemberRoleChangedV1
from kit.clock import MovableClock
from kit.database import Scope
from kit.ids import new_id
from kit.testing import wait_for
from kit.testing.services import Bus

from services.auth.tests.client import Room
from services.auth.tests.team import GUEST, Team, code
from services.auth.tests.test_closing import waits_for_a_lock
from services.auth.tests.test_connecting import counts

Rows = psycopg.Connection[Any]


async def test_a_member_is_made_something_else(team: Team, bus: Bus):
    editor = await team.add("editor")
    await team.give(editor, "approver", team.headers)
    # Nothing changed is nothing to tell.
    await team.give(editor, "approver", team.headers)
    assert await team.roles() == {"owner": "owner", "editor": "approver"}
    token = await team.auth.sign_in("editor@example.com")
    answer = await team.auth.ask_passport(token, team.workspace_id)
    assert answer.status_code == 200
    await team.give(editor, "admin", team.headers)
    told = [
        MemberRoleChangedV1(workspace_id=team.workspace_id, account_id=editor, role=role)
        for role in (Role.APPROVER, Role.ADMIN)
    ]
    assert await bus.wait_told(MemberRoleChangedV1, 2) == told


@pytest.mark.promise("P07")
@pytest.mark.parametrize("role", list(Role))
async def test_who_may_make_whom_what_follows_from_the_table(team: Team, role: Role):
    """Every role tries every change on every other: it is allowed if its own covers both what was and what comes."""
    by = await team.add(role, "actor")
    target = await team.add("viewer", "target")
    headers = team.as_member(by, role)
    for before in Role:
        for after in Role:
            await team.give(target, before, team.headers)
            answer = await team.auth.http.patch(f"{team.path}/members/{target}", json={"role": after}, headers=headers)
            manages = Permission.MEMBER_MANAGE in PERMISSIONS[role]
            allowed = manages and covers(role, before) and covers(role, after)
            assert answer.status_code == (204 if allowed else 403), (before, after)
            if not allowed:
                assert code(answer.json()) == ("role-beyond-own" if manages else "forbidden")


@pytest.mark.promise("P07")
async def test_an_admin_touches_no_owner(team: Team):
    admin = await team.add("admin")
    headers = team.as_member(admin, "admin")
    assert code(await team.give(team.owner, "viewer", headers, 403)) == "role-beyond-own"
    assert code(await team.give(admin, "owner", headers, 403)) == "role-beyond-own"
    assert code(await team.remove(team.owner, headers, 403)) == "role-beyond-own"
    assert await team.roles() == {"owner": "owner", "admin": "admin"}


async def test_the_last_owner_stays_one(team: Team):
    admin = await team.add("admin")
    for refused in (
        await team.give(team.owner, "admin", team.headers, 409),
        await team.remove(team.owner, team.headers, 409),
    ):
        assert code(refused) == "last-owner"
    await team.give(admin, "owner", team.headers)
    await team.remove(team.owner, team.headers)
    left = await team.auth.ask("GET", f"{team.path}/members", headers=team.as_member(admin, "owner"))
    assert [(member["account_id"], member["role"]) for member in left["members"]] == [(str(admin), "owner")]


async def test_an_owner_whose_account_is_deleted_does_not_count(team: Team, superuser: Rows):
    other = await team.add("owner", "other")
    superuser.execute("UPDATE account SET deleted_at = now() WHERE account_id = %s", (other,))
    assert code(await team.give(team.owner, "viewer", team.headers, 409)) == "last-owner"
    assert (await team.give(other, "viewer", team.headers, 404))["status"] == 404


async def test_two_last_owners_who_step_down_at_once_do_not_both(
    team: Team, transactions: Transactions, superuser: Rows
):
    other = await team.add("owner", "other")

    async def step_down_second() -> None:
        async with transactions(Scope.workspace(team.workspace_id)) as store:
            await change_role(
                store, workspace_id=team.workspace_id, by=team.owner, account_id=team.owner, role=Role.EDITOR
            )

    async with transactions(Scope.workspace(team.workspace_id)) as store:
        await change_role(store, workspace_id=team.workspace_id, by=other, account_id=other, role=Role.EDITOR)
        second = asyncio.ensure_future(step_down_second())
        await wait_for(lambda: second.done() or waits_for_a_lock(superuser))
    with pytest.raises(LastOwner):
        await second
    assert await team.roles() == {"owner": "owner", "other": "editor"}


@pytest.mark.promise("P11")
async def test_who_is_removed_is_out_at_once(team: Team, bus: Bus):
    admin = await team.add("admin")
    editor = await team.add("editor")
    token = await team.auth.sign_in("editor@example.com")
    assert (await team.auth.ask_passport(token, team.workspace_id)).status_code == 200
    await team.remove(editor, team.as_member(admin, "admin"))
    assert (await team.auth.ask_passport(token, team.workspace_id)).status_code == 404
    assert (await team.auth.ask_passport(token)).status_code == 200
    told = MemberRemovedV1(workspace_id=team.workspace_id, account_id=editor)
    assert await bus.wait_told(MemberRemovedV1) == [told]
    assert await team.roles() == {"owner": "owner", "admin": "admin"}
    await team.remove(editor, team.headers, 404)


async def test_anybody_leaves_and_only_who_manages_members_removes_others(team: Team):
    viewer, editor = await team.add("viewer"), await team.add("editor")
    refused = await team.remove(viewer, team.as_member(editor, "editor"), 403)
    assert refused["needs"] == "member.manage"
    await team.remove(viewer, team.as_member(viewer, "viewer"))
    await team.remove(viewer, team.as_member(viewer, "viewer"), 404)
    assert await team.roles() == {"owner": "owner", "editor": "editor"}


@pytest.mark.promise("P06")
async def test_what_a_member_has_begun_or_let_loose_goes_with_them(room: Room, superuser: Rows):
    team = Team(room.auth, room.account_id, room.workspace_id)
    admin = await team.add("admin")
    headers = await team.signed_in("admin@example.com")
    made = await room.auth.ask(
        "POST", f"{team.path}/api-keys", {"name": "robot", "permissions": ["post.read"]}, headers, 201
    )
    ask = {"api_key": made["secret"]}
    gateway = room.auth.passport(service="gateway")
    assert (await room.auth.http.post("/internal/passports", json=ask, headers=gateway)).status_code == 200
    await room.auth.ask("POST", f"{room.path}/authorisations", {"platform": "tiktok"}, headers, 201)
    await room.auth.ask("POST", f"{team.path}/invitations", {"email": GUEST, "role": "viewer"}, headers, 201)
    assert counts(superuser, "api_key", "authorisation", "invitation") == [1, 1, 1]
    await team.remove(admin, team.headers)
    assert counts(superuser, "api_key", "api_key_secret", "authorisation", "invitation") == [0, 0, 0, 0]
    assert (await room.auth.http.post("/internal/passports", json=ask, headers=gateway)).status_code == 401


@pytest.mark.promise("P07")
async def test_nobody_comes_in_as_more_than_who_invited_them_is_by_then(team: Team):
    other = await team.add("owner", "other")
    path, headers = f"{team.path}/invitations", team.as_member(other, "owner")
    for role in ("owner", "admin", "viewer"):
        await team.auth.ask("POST", path, {"email": f"as-{role}@example.com", "role": role}, headers, 201)
    await team.give(other, "admin", team.headers)
    assert {each["role"] for each in await team.invitations()} == {"admin", "viewer"}
    await team.give(other, "editor", team.headers)
    assert await team.invitations() == []


@pytest.mark.promise("P07")
async def test_a_passport_of_a_minute_ago_does_not_outlive_the_role(team: Team):
    admin = await team.add("admin")
    viewer = await team.add("viewer")
    stale = team.as_member(admin, "admin")
    await team.give(admin, "editor", team.headers)
    assert (await team.give(viewer, "editor", stale, 403))["needs"] == "member.manage"
    invitation = {"email": GUEST, "role": "viewer"}
    await team.auth.ask("POST", f"{team.path}/invitations", invitation, stale, 403)
    await team.remove(admin, team.headers)
    await team.give(viewer, "editor", stale, 404)
    assert await team.roles() == {"owner": "owner", "viewer": "viewer"}


async def test_an_owner_hands_the_workspace_on(team: Team, bus: Bus):
    admin = await team.add("admin")
    headers = await team.signed_in("owner@example.com")
    await team.auth.ask("POST", f"{team.path}/ownership", {"account_id": str(admin)}, headers, 204)
    assert await team.roles() == {"owner": "admin", "admin": "owner"}
    assert await bus.wait_told(MemberRoleChangedV1, 2) == [
        MemberRoleChangedV1(workspace_id=team.workspace_id, account_id=admin, role=Role.OWNER),
        MemberRoleChangedV1(workspace_id=team.workspace_id, account_id=team.owner, role=Role.ADMIN),
    ]
    for name in ("owner", "admin"):
        (letter,) = await team.auth.mailbox.wait("ownership_transferred", f"{name}@example.com")
        assert "Acorn" in letter.text
        assert "admin@example.com" in letter.text
    await team.auth.ask("POST", f"{team.path}/ownership", {"account_id": str(admin)}, headers, 403)


async def test_a_workspace_is_handed_on_by_who_is_there_and_to_members_only(team: Team, clock: MovableClock):
    stranger = await team.auth.sign_up("stranger@example.com")
    admin = await team.add("admin")
    headers = await team.signed_in("owner@example.com")
    path = f"{team.path}/ownership"
    for account_id in (stranger, new_id()):
        await team.auth.ask("POST", path, {"account_id": str(account_id)}, headers, 404)
    await team.auth.ask("POST", path, {"account_id": str(team.owner)}, headers, 204)
    refused = await team.auth.ask("POST", path, {"account_id": str(admin)}, team.as_member(admin, "admin"), 403)
    assert refused["needs"] == "ownership.transfer"
    token = await team.auth.sign_in()
    clock.advance(RECENT)
    later = await team.auth.headers(token, team.workspace_id)
    refused = await team.auth.ask("POST", path, {"account_id": str(admin)}, later, 403)
    assert code(refused) == "presence-needed"
    assert await team.roles() == {"owner": "owner", "admin": "admin"}


@pytest.mark.promise("P10")
async def test_members_see_each_other_and_only_who_manages_them_sees_addresses(team: Team):
    viewer = await team.add("viewer")
    members = (await team.auth.ask("GET", f"{team.path}/members", headers=team.headers))["members"]
    assert [member["email"] for member in members] == ["owner@example.com", "viewer@example.com"]
    shown = await team.auth.ask("GET", f"{team.path}/members", headers=team.as_member(viewer, "viewer"))
    first, second = shown["members"]
    assert first.pop("added_at") < second.pop("added_at")
    assert first == {
        "account_id": str(team.owner),
        "email": None,
        "full_name": "Olive Owner",
        "has_photo": False,
        "role": "owner",
    }
    assert second["email"] == "viewer@example.com"
