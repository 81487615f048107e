"""Lending grants: to whom, for how long, and when not."""

from __future__ import annotations

import base64
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from contracts.auth import ConnectionReauthRequiredV1
from contracts.leases import LEASES_MAX, Lease, lease_context
from cryptography.exceptions import InvalidTag
from kit.clock import MovableClock
from kit.ids import new_id
from kit.keys import SealingKey
from kit.testing import wait_for
from kit.testing.services import Bus
from platforms import grants
from platforms.shape import Grant

from services.auth.tests.client import Room

Rows = psycopg.Connection[Any]
TOKEN = "POST /v2/oauth/token/"


def opened(lease: Lease, keys_folder: Path, service: str = "publisher") -> Grant:
    key = SealingKey.load(keys_folder / f"{service}.sealing.pem")
    context = lease_context(lease.lease_id, lease.connection_id)
    return grants.load(key.open(base64.b64decode(lease.sealed), context=context))


async def test_a_borrower_gets_the_grant_without_its_refresh_token(room: Room, keys_folder: Path, clock: MovableClock):
    connection_id = await room.connect()
    answer = await room.borrow(connection_id)
    (lease,) = answer.leases
    (held,) = room.sandbox.tiktok.state.grants
    assert answer.refused == ()
    assert (lease.workspace_id, lease.platform, lease.handle) == (
        room.workspace_id, "tiktok", room.sandbox.tiktok.state.accounts[held.open_id].username,
    )  # fmt: skip
    assert timedelta(seconds=25) < lease.expires_at - clock.now() <= timedelta(seconds=30)
    grant = opened(lease, keys_folder)
    assert grant.access_token.reveal() == held.access_token
    assert grant.refresh_token is None


async def test_a_lease_opens_for_its_borrower_and_connection_only(room: Room, keys_folder: Path):
    first, second = [await room.connect(account=each) for each in list(room.sandbox.tiktok.state.accounts)[:2]]
    leases = (await room.borrow(first, second)).leases
    assert {lease.connection_id for lease in leases} == {first, second}
    with pytest.raises(InvalidTag):
        opened(leases[0], keys_folder, "metrics")
    with pytest.raises(InvalidTag):
        opened(leases[0].model_copy(update={"connection_id": leases[1].connection_id}), keys_folder)
    for_metrics = await room.borrow(first, service="metrics")
    assert opened(for_metrics.leases[0], keys_folder, "metrics").access_token


async def test_what_is_not_lent_says_why(room: Room, bus: Bus):
    dead, gone, unknown = await room.connect("tiktok"), await room.connect("bluesky"), new_id()
    publisher = room.auth.passport(service="publisher")
    reported = await room.auth.http.post(
        f"/internal/connections/{dead}/dead", json={"code": "Access_Token_Invalid"}, headers=publisher
    )
    assert reported.status_code == 204
    assert (await room.disconnect(gone)).status_code == 200
    answer = await room.borrow(dead, gone, unknown)
    assert answer.leases == ()
    assert {refusal.connection_id: refusal.code for refusal in answer.refused} == {
        dead: "reauth_required",
        gone: "revoked",
        unknown: "unknown",
    }
    assert await bus.wait_told(ConnectionReauthRequiredV1) == [
        ConnectionReauthRequiredV1(workspace_id=room.workspace_id, connection_id=dead, reason="access_token_invalid")
    ]


@pytest.mark.promise("P25")
async def test_a_dead_grant_is_told_once_and_shown(room: Room, bus: Bus):
    connection_id = await room.connect()
    for code in ("expired", "", "Ünlesbar!"):
        await room.auth.http.post(
            f"/internal/connections/{connection_id}/dead",
            json={"code": code},
            headers=room.auth.passport(service="metrics"),
        )
    assert [shown["state"] for shown in await room.list()] == ["reauth_required"]
    await room.connect("bluesky")
    assert len(await bus.wait_told(ConnectionReauthRequiredV1)) == 1


async def test_an_expired_grant_is_never_lent(room: Room, clock: MovableClock):
    connection_id = await room.connect()
    room.sandbox.add_fault("tiktok", TOKEN, "answer", status=503, times=1_000)
    clock.advance(timedelta(hours=2) - timedelta(seconds=29))
    answer = await room.borrow(connection_id)
    assert (answer.leases, [refusal.code for refusal in answer.refused]) == ((), ["refreshing"])
    clock.advance(timedelta(days=1))
    assert [refusal.code for refusal in (await room.borrow(connection_id)).refused] == ["refreshing"]


async def test_a_lease_is_given_back_by_its_borrower_only(room: Room, superuser: Rows):
    answer = await room.borrow(await room.connect())
    await room.give_back(answer, service="metrics")
    assert superuser.execute("SELECT count(*) FROM lease").fetchone() == (1,)
    await room.give_back(answer)
    await room.give_back(answer)
    assert superuser.execute("SELECT count(*) FROM lease").fetchone() == (0,)


async def test_only_borrowers_borrow(room: Room, superuser: Rows):
    connection_id = await room.connect()
    for headers, status in (({}, 401), (room.headers, 403), (room.auth.passport(service="content"), 403)):
        for path, body in (
            ("/internal/leases", {"connection_ids": [str(connection_id)]}),
            ("/internal/leases/returns", {"lease_ids": []}),
            (f"/internal/connections/{connection_id}/dead", {"code": "x"}),
        ):
            answer = await room.auth.http.post(path, json=body, headers=headers)
            assert answer.status_code == status, path
    assert superuser.execute("SELECT count(*) FROM lease").fetchone() == (0,)
    assert [shown["state"] for shown in await room.list()] == ["active"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"connection_ids": []},
        {"connection_ids": ["not an id"]},
        {"connection_ids": [str(UUID(int=number)) for number in range(LEASES_MAX + 1)]},
    ],
)
async def test_a_broken_request_for_leases_is_refused(room: Room, body: dict[str, Any]):
    answer = await room.auth.http.post("/internal/leases", json=body, headers=room.auth.passport(service="publisher"))
    assert answer.status_code in (400, 422)


@pytest.mark.promise("P24")
async def test_a_grant_is_lent_for_what_its_borrower_is_there_for_and_the_workspace_sees_it(
    room: Room, clock: MovableClock
):
    connection_id = await room.connect()
    await room.give_back(await room.borrow(connection_id))
    await room.give_back(await room.borrow(connection_id))
    await room.give_back(await room.borrow(connection_id, service="metrics"), service="metrics")
    for service, purpose, status in (
        ("metrics", "read_metrics", 200),
        ("metrics", "publish", 403),
        ("publisher", "read_metrics", 200),
        ("publisher", "curiosity", 422),
    ):
        answer = await room.auth.http.post(
            "/internal/leases",
            json={"connection_ids": [str(connection_id)], "purpose": purpose},
            headers=room.auth.passport(service=service),
        )
        assert answer.status_code == status, (service, purpose)
    uses = await room.auth.http.get(f"{room.path}/{connection_id}/uses", headers=room.headers)
    assert [(use["service"], use["purpose"], use["times"], use["day"]) for use in uses.json()["uses"]] == [
        ("metrics", "read_metrics", 2, clock.now().date().isoformat()),
        ("publisher", "publish", 2, clock.now().date().isoformat()),
        ("publisher", "read_metrics", 1, clock.now().date().isoformat()),
    ]


@pytest.mark.promise("P24")
async def test_what_grants_are_used_for_is_for_who_manages_connections_and_thirty_days(
    room: Room, clock: MovableClock, superuser: Rows
):
    connection_id = await room.connect()
    await room.give_back(await room.borrow(connection_id))
    path = f"{room.path}/{connection_id}/uses"
    editor = room.auth.passport(account_id=room.account_id, workspace_id=room.workspace_id, role="editor")
    assert (await room.auth.http.get(path, headers=editor)).status_code == 403
    other = await room.auth.create_workspace(room.account_id, "Birch")
    headers = room.auth.passport(account_id=room.account_id, workspace_id=other)
    elsewhere = f"/api/workspaces/{other}/connections/{connection_id}/uses"
    assert (await room.auth.http.get(elsewhere, headers=headers)).status_code == 404
    clock.advance(timedelta(days=31))
    kept = "SELECT count(*) FROM borrowing WHERE purpose = 'publish'"
    await wait_for(lambda: superuser.execute(kept).fetchone() == (0,), what="the sweep")
