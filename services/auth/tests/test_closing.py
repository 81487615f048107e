"""Deleting an account: what only it owned goes with it, what others own stays, and nothing of it is left."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
from auth.ports.store import Transactions
from contracts.auth import AccountDeletedV1, ConnectionRevokedV2, RevocationReason, WorkspaceDeletedV1
from contracts.retention import ErasureRequestedV1, ErasureTaskDoneV1, SubjectKind
from kit.clock import MovableClock
from kit.database import Scope
from kit.problems import TYPE_PREFIX
from kit.testing import wait_for
from kit.testing.services import Bus

from services.auth.tests.client import PASSWORD, Room
from services.auth.tests.test_connecting import counts

Rows = psycopg.Connection[Any]


async def delete_account(room: Room, password: str = PASSWORD, account_id: UUID | None = None) -> httpx.Response:
    return await room.auth.http.request(
        "DELETE",
        "/api/account",
        json={"password": password},
        headers=room.auth.passport(account_id=account_id or room.account_id),
    )


async def add_member(room: Room, email: str, role: str) -> UUID:
    return await room.auth.add_member(room.workspace_id, room.account_id, email, role)


async def erase(bus: Bus, clock: MovableClock, kind: SubjectKind, subject_id: UUID, erasure_id: UUID) -> None:
    """What retention asks for, and the answer that nothing remains."""
    await bus.publish(
        ErasureRequestedV1(
            erasure_id=erasure_id,
            subject_kind=kind,
            subject_id=subject_id,
            due_at=clock.now() + timedelta(days=30),
        )
    )


@pytest.mark.promise("P60")
@pytest.mark.promise("P63")
async def test_an_account_goes_with_everything_only_it_owned(
    room: Room, bus: Bus, superuser: Rows, clock: MovableClock
):
    token = await room.auth.sign_in()
    await room.connect("tiktok")
    await room.connect("bluesky")
    answer = await delete_account(room)
    assert answer.status_code == 202, answer.text
    erasures = {each["subject_kind"]: UUID(each["erasure_id"]) for each in answer.json()["erasures"]}
    assert erasures.keys() == {"workspace", "account"}
    assert (await room.auth.ask_passport(token)).status_code == 401
    refused = await room.auth.http.post("/api/session", json={"email": "owner@example.com", "password": PASSWORD})
    assert refused.status_code == 401
    assert counts(superuser, "sealed_grant", "grant_key", "session", "credential") == [0, 0, 0, 0]
    assert len(room.sandbox.truth.revocations()) == 2
    revoked = await bus.wait_told(ConnectionRevokedV2, 2)
    assert {event.reason for event in revoked if isinstance(event, ConnectionRevokedV2)} == {
        RevocationReason.ACCOUNT_DELETED
    }
    assert await bus.wait_told(WorkspaceDeletedV1) == [
        WorkspaceDeletedV1(workspace_id=room.workspace_id, erasure_id=erasures["workspace"])
    ]
    assert await bus.wait_told(AccountDeletedV1) == [
        AccountDeletedV1(account_id=room.account_id, erasure_id=erasures["account"])
    ]
    await erase(bus, clock, SubjectKind.ACCOUNT, room.account_id, erasures["account"])
    await erase(bus, clock, SubjectKind.WORKSPACE, room.workspace_id, erasures["workspace"])
    done = await bus.wait_told(ErasureTaskDoneV1, 2)
    assert all(isinstance(event, ErasureTaskDoneV1) and not any(event.remaining.values()) for event in done)
    assert counts(superuser, "account", "member", "workspace", "connection", "authorisation") == [0, 0, 0, 0, 0]


async def test_a_wrong_password_deletes_nothing(room: Room, bus: Bus, superuser: Rows):
    await room.connect()
    answer = await delete_account(room, "wrong horse battery")
    assert (answer.status_code, answer.json()["type"]) == (403, TYPE_PREFIX + "password-refused")
    assert [shown["state"] for shown in await room.list()] == ["active"]
    assert counts(superuser, "sealed_grant", "credential") == [1, 1]
    without = await room.auth.http.request("DELETE", "/api/account", json={}, headers=room.headers)
    assert (without.status_code, without.json()["type"]) == (403, TYPE_PREFIX + "password-refused")


async def test_a_workspace_with_another_owner_stays(room: Room, bus: Bus, superuser: Rows):
    other = await add_member(room, "other@example.com", "owner")
    connection_id = await room.connect()
    answer = await delete_account(room)
    assert [each["subject_kind"] for each in answer.json()["erasures"]] == ["account"]
    headers = room.auth.passport(account_id=other, workspace_id=room.workspace_id)
    shown = await room.auth.http.get(room.path, headers=headers)
    assert [each["state"] for each in shown.json()["connections"]] == ["active"]
    members = await room.auth.http.get(f"/api/workspaces/{room.workspace_id}/members", headers=headers)
    assert [each["email"] for each in members.json()["members"]] == ["other@example.com"]
    assert len((await room.borrow(connection_id)).leases) == 1


async def test_two_owners_who_leave_at_once_close_the_workspace(
    room: Room, bus: Bus, transactions: Transactions, clock: MovableClock, superuser: Rows
):
    other = await add_member(room, "other@example.com", "owner")
    until = clock.now() + timedelta(hours=1)

    async def leave(account_id: UUID) -> bool:
        async with transactions(Scope.worker()) as store:
            return await store.closing.begin(account_id, at=store.now(), until=until)

    async with transactions(Scope.worker()) as store:
        assert await store.closing.begin(room.account_id, at=store.now(), until=until)
        second = asyncio.ensure_future(leave(other))
        await wait_for(lambda: second.done() or waits_for_a_lock(superuser))
    assert await second
    assert superuser.execute("SELECT closed_by FROM workspace").fetchall() == [(other,)]


def waits_for_a_lock(superuser: Rows) -> bool:
    (count,) = superuser.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    ).fetchone() or (0,)
    return bool(count)


@pytest.mark.promise("P63")
async def test_a_mere_member_leaves_and_the_workspace_stays(room: Room, bus: Bus, superuser: Rows, clock: MovableClock):
    editor = await add_member(room, "editor@example.com", "editor")
    answer = await delete_account(room, account_id=editor)
    (opened,) = answer.json()["erasures"]
    await erase(bus, clock, SubjectKind.ACCOUNT, editor, UUID(opened["erasure_id"]))
    await bus.wait_told(ErasureTaskDoneV1)
    assert superuser.execute("SELECT account_id FROM member").fetchall() == [(room.account_id,)]
    assert superuser.execute("SELECT account_id FROM account").fetchall() == [(room.account_id,)]
    assert counts(superuser, "workspace") == [1]


async def test_an_address_is_free_again_at_once(room: Room):
    assert (await delete_account(room)).status_code == 202
    assert await room.auth.sign_up() != room.account_id


async def test_nobody_enters_a_deleted_workspace(room: Room):
    editor = await add_member(room, "editor@example.com", "admin")
    token = await room.auth.sign_in("editor@example.com")
    await delete_account(room)
    assert (await room.auth.ask_passport(token, room.workspace_id)).status_code == 404
    listed = await room.auth.http.get("/api/workspaces", headers=room.auth.passport(account_id=editor))
    assert listed.json() == {"workspaces": []}
    started = await room.auth.http.post(
        f"{room.path}/authorisations",
        json={"platform": "tiktok"},
        headers=room.auth.passport(account_id=editor, workspace_id=room.workspace_id),
    )
    assert started.status_code == 404


async def test_a_deletion_that_a_crash_interrupted_is_finished(
    room: Room, bus: Bus, transactions: Transactions, clock: MovableClock, superuser: Rows
):
    await room.connect()
    async with transactions(Scope.worker()) as store:
        now = store.now()
        assert await store.closing.begin(room.account_id, at=now, until=now + timedelta(seconds=60))
    clock.advance(timedelta(seconds=61))
    assert len(await bus.wait_told(AccountDeletedV1)) == 1
    assert len(await bus.wait_told(WorkspaceDeletedV1)) == 1
    assert len(await bus.wait_told(ConnectionRevokedV2)) == 1
    assert counts(superuser, "sealed_grant", "grant_key", "credential") == [0, 0, 0]


@pytest.mark.promise("P26")
async def test_an_ended_connection_is_erased_to_the_last_row(
    room: Room, bus: Bus, superuser: Rows, clock: MovableClock
):
    connection_id, kept = await room.connect("tiktok"), await room.connect("bluesky")
    erasure_id = UUID((await room.disconnect(connection_id)).json()["erasure_id"])
    await erase(bus, clock, SubjectKind.CONNECTION, connection_id, erasure_id)
    (done,) = await bus.wait_told(ErasureTaskDoneV1)
    assert isinstance(done, ErasureTaskDoneV1)
    assert (done.erased["connection"], any(done.remaining.values())) == (1, False)
    assert superuser.execute("SELECT connection_id FROM connection").fetchall() == [(kept,)]
    assert (await room.disconnect(connection_id)).status_code == 404
