"""Deleting a workspace: its connections end first, then it is forgotten; others are not touched."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
from auth.domain.presence import RECENT
from auth.ports.store import Transactions
from contracts.auth import ConnectionRevokedV2, RevocationReason, WorkspaceDeletedV1
from contracts.retention import ErasureTaskDoneV1, SubjectKind
from kit.clock import MovableClock
from kit.database import Scope
from kit.testing.services import Bus

from services.auth.tests.client import Room
from services.auth.tests.team import GUEST, Team, code
from services.auth.tests.test_closing import erase
from services.auth.tests.test_connecting import counts

Rows = psycopg.Connection[Any]


async def delete_workspace(room: Room, token: str | None = None) -> httpx.Response:
    headers = await room.auth.headers(token or await room.auth.sign_in(), room.workspace_id)
    return await room.auth.http.delete(f"/api/workspaces/{room.workspace_id}", headers=headers)


@pytest.mark.promise("P60")
async def test_a_workspace_goes_with_everything_in_it(room: Room, bus: Bus, superuser: Rows, clock: MovableClock):
    kept = await room.auth.create_workspace(room.account_id, "Kept")
    await room.connect("tiktok")
    await room.connect("bluesky")
    # One that nears its end by itself goes like all others.
    superuser.execute("UPDATE connection SET state = 'expiring' WHERE platform = 'bluesky'")
    await room.leave()
    await Team(room.auth, room.account_id, room.workspace_id).invite(GUEST, "viewer")
    token = await room.auth.sign_in()
    answer = await delete_workspace(room, token)
    assert answer.status_code == 202, answer.text
    (opened,) = answer.json()["erasures"]
    assert opened["subject_kind"] == "workspace"
    erasure_id = UUID(opened["erasure_id"])
    assert (await room.auth.ask_passport(token, room.workspace_id)).status_code == 404
    assert (await room.auth.ask_passport(token, kept)).status_code == 200
    assert counts(superuser, "sealed_grant", "authorisation", "invitation") == [0, 0, 0]
    assert len(room.sandbox.truth.revocations()) == 2
    revoked = await bus.wait_told(ConnectionRevokedV2, 2)
    assert {event.reason for event in revoked if isinstance(event, ConnectionRevokedV2)} == {
        RevocationReason.WORKSPACE_DELETED
    }
    assert await bus.wait_told(WorkspaceDeletedV1) == [
        WorkspaceDeletedV1(workspace_id=room.workspace_id, erasure_id=erasure_id)
    ]
    await erase(bus, clock, SubjectKind.WORKSPACE, room.workspace_id, erasure_id)
    (done,) = await bus.wait_told(ErasureTaskDoneV1)
    assert isinstance(done, ErasureTaskDoneV1)
    assert not any(done.remaining.values())
    assert superuser.execute("SELECT workspace_id FROM workspace").fetchall() == [(kept,)]
    assert counts(superuser, "member", "connection", "organisation", "account") == [1, 0, 1, 1]


async def test_a_workspace_is_deleted_by_an_owner_who_is_there(room: Room, superuser: Rows, clock: MovableClock):
    team = Team(room.auth, room.account_id, room.workspace_id)
    admin = await team.add("admin")
    refused = await room.auth.ask("DELETE", team.path, headers=team.as_member(admin, "admin"), expect=403)
    assert refused["needs"] == "workspace.delete"
    # A passport from before the demotion.
    stale = team.as_member(admin, "owner")
    assert (await room.auth.ask("DELETE", team.path, headers=stale, expect=403))["needs"] == "workspace.delete"
    token = await room.auth.sign_in()
    clock.advance(RECENT)
    late = await delete_workspace(room, token)
    assert (late.status_code, code(late.json())) == (403, "presence-needed")
    assert superuser.execute("SELECT deleted_at FROM workspace").fetchall() == [(None,)]


async def test_a_workspace_is_deleted_once(room: Room, bus: Bus):
    headers = await room.auth.headers(await room.auth.sign_in(), room.workspace_id)
    path = f"/api/workspaces/{room.workspace_id}"
    await room.auth.ask("DELETE", path, headers=headers, expect=202)
    for method, body in (("DELETE", None), ("PATCH", {"name": "Oak"}), ("GET", None)):
        await room.auth.ask(method, path, body, headers, expect=404)
    invitation = {"email": GUEST, "role": "viewer"}
    await room.auth.ask("POST", f"{path}/invitations", invitation, headers, expect=404)
    assert len(await bus.wait_told(WorkspaceDeletedV1)) == 1


async def test_a_deletion_that_a_crash_interrupted_is_finished(
    room: Room, bus: Bus, transactions: Transactions, clock: MovableClock, superuser: Rows
):
    await room.connect()
    async with transactions(Scope.workspace(room.workspace_id)) as store:
        now = store.now()
        await store.workspaces.close(room.workspace_id, at=now, until=now + timedelta(seconds=60))
    clock.advance(timedelta(seconds=61))
    assert len(await bus.wait_told(WorkspaceDeletedV1)) == 1
    assert len(await bus.wait_told(ConnectionRevokedV2)) == 1
    assert counts(superuser, "sealed_grant") == [0]
