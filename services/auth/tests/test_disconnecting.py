"""Disconnecting: nothing is lent any more, the platform is told once, and the tokens are gone."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from auth.use_cases import telling
from contracts.auth import ConnectionRevokedV1, ConnectionRevokedV2, PlatformConfirmation, RevocationReason
from kit.clock import MovableClock
from kit.ids import new_id
from kit.problems import TYPE_PREFIX
from kit.testing import wait_for
from kit.testing.services import Bus
from sandbox.server import Sandbox

from services.auth.tests.client import Room, Superuser
from services.auth.tests.conftest import StartAuth
from services.auth.tests.test_connecting import counts

Rows = psycopg.Connection[Any]
REVOKE = {"tiktok": "POST /v2/oauth/revoke/", "bluesky": "POST /oauth/revoke"}


def row(superuser: Rows) -> dict[str, Any]:
    cursor = superuser.cursor(row_factory=psycopg.rows.dict_row)
    found = cursor.execute("SELECT * FROM connection").fetchone()
    assert found is not None
    return found


@pytest.mark.promise("P26")
@pytest.mark.promise("P60")
@pytest.mark.parametrize("platform", ["tiktok", "bluesky"])
async def test_a_disconnect_destroys_tokens_and_metadata_at_once(room: Room, bus: Bus, superuser: Rows, platform: str):
    connection_id = await room.connect(platform)
    answer = await room.disconnect(connection_id)
    assert answer.status_code == 200
    erasure_id = answer.json()["erasure_id"]
    assert answer.json() == {
        "platform": platform, "state": "revoked", "platform_confirmed": True, "erasure_id": erasure_id,
        "unconfirmed_because": None, "where_to_withdraw": None,
    }  # fmt: skip
    assert counts(superuser, "sealed_grant", "grant_key", "lease") == [0, 0, 0]
    kept = {name: value for name, value in row(superuser).items() if value is not None}
    assert kept.keys() == {
        "connection_id", "workspace_id", "platform", "state", "established_at", "refresh_attempts",
        "ending_reason", "revoked_at", "platform_confirmed", "erasure_id", "is_overdue",
    }  # fmt: skip
    assert len(room.sandbox.truth.revocations(platform)) == 1
    assert room.sandbox.requests(platform, REVOKE[platform]) >= 1
    assert await room.list() == []
    (told,) = await bus.wait_told(ConnectionRevokedV2)
    assert isinstance(told, ConnectionRevokedV2)
    assert (told.connection_id, told.platform, told.reason) == (
        connection_id, platform, RevocationReason.DISCONNECTED,
    )  # fmt: skip
    assert (told.platform_confirmation, str(told.erasure_id)) == (PlatformConfirmation.CONFIRMED, erasure_id)


@pytest.mark.promise("P26")
async def test_nothing_is_lent_after_a_disconnect(room: Room):
    connection_id = await room.connect()
    await room.disconnect(connection_id)
    answer = await room.borrow(connection_id)
    assert (answer.leases, [refusal.code for refusal in answer.refused]) == ((), ["revoked"])


@pytest.mark.promise("P26")
async def test_a_disconnect_waits_until_the_last_lease_is_returned(room: Room, superuser: Rows):
    connection_id = await room.connect()
    first, second = await room.borrow(connection_id), await room.borrow(connection_id, service="metrics")
    ending = asyncio.ensure_future(room.disconnect(connection_id))
    await wait_for(lambda: row(superuser)["state"] == "ending")
    assert [refusal.code for refusal in (await room.borrow(connection_id)).refused] == ["revoked"]
    await room.give_back(first)
    assert not ending.done()
    assert room.sandbox.requests("tiktok", REVOKE["tiktok"]) == 0
    assert counts(superuser, "sealed_grant", "grant_key") == [1, 1]
    await room.give_back(second, service="metrics")
    assert (await ending).json()["state"] == "revoked"
    assert room.sandbox.requests("tiktok", REVOKE["tiktok"]) == 1


async def test_a_lease_that_is_never_returned_runs_out(room: Room, clock: MovableClock, superuser: Rows):
    connection_id = await room.connect()
    await room.borrow(connection_id)
    ending = asyncio.ensure_future(room.disconnect(connection_id))
    await wait_for(lambda: row(superuser)["state"] == "ending")
    clock.advance(timedelta(seconds=31))
    assert (await ending).json()["platform_confirmed"] is True
    assert counts(superuser, "sealed_grant", "grant_key", "lease") == [0, 0, 0]


@pytest.mark.promise("P60")
@pytest.mark.parametrize("fault", [{"kind": "answer", "status": 500}, {"kind": "reset_before"}])
async def test_tokens_are_destroyed_whatever_the_platform_answers(
    room: Room, bus: Bus, superuser: Rows, fault: dict[str, Any]
):
    connection_id = await room.connect()
    room.sandbox.add_fault("tiktok", REVOKE["tiktok"], **fault)
    answer = await room.disconnect(connection_id)
    assert (answer.status_code, answer.json()["platform_confirmed"]) == (200, False)
    assert counts(superuser, "sealed_grant", "grant_key") == [0, 0]
    (told,) = await bus.wait_told(ConnectionRevokedV2)
    assert isinstance(told, ConnectionRevokedV2)
    assert told.platform_confirmation is PlatformConfirmation.UNCONFIRMED
    assert room.sandbox.requests("tiktok", REVOKE["tiktok"]) == 1


async def test_a_platform_that_hangs_is_not_waited_for(room: Room, superuser: Rows, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(telling, "REVOKE_SECONDS", 0.2)
    connection_id = await room.connect()
    room.sandbox.add_fault("tiktok", REVOKE["tiktok"], "delay", delay_seconds=5)
    async with asyncio.timeout(4):
        answer = await room.disconnect(connection_id)
    assert answer.json()["platform_confirmed"] is False
    assert counts(superuser, "sealed_grant", "grant_key") == [0, 0]


async def test_asked_twice_it_ends_once_and_answers_alike(room: Room, bus: Bus):
    connection_id = await room.connect()
    answers = await asyncio.gather(*(room.disconnect(connection_id) for _ in range(3)))
    later = await room.disconnect(connection_id)
    assert {answer.status_code for answer in (*answers, later)} == {200}
    assert len({answer.text for answer in (*answers, later)}) == 1
    await room.disconnect(await room.connect("bluesky"))
    assert len(await bus.wait_told(ConnectionRevokedV2, 2)) == 2
    assert len(room.sandbox.truth.revocations("tiktok")) == 1


async def test_an_account_can_be_connected_again_as_a_new_connection(room: Room):
    first = await room.connect()
    await room.disconnect(first)
    second = await room.connect()
    assert first != second
    assert [shown["connection_id"] for shown in await room.list()] == [str(second)]


async def test_an_unknown_connection_is_not_found(room: Room):
    answer = await room.disconnect(new_id())
    assert (answer.status_code, answer.json()["type"]) == (404, TYPE_PREFIX + "not-found")


async def test_what_a_crash_left_frozen_is_ended(room: Room, bus: Bus, superuser: Rows, clock: MovableClock):
    connection_id = await room.connect()
    await room.borrow(connection_id)
    superuser.execute(
        "UPDATE connection SET state = 'ending', ending_reason = 'disconnected', ending_until = %s",
        (clock.now() + timedelta(seconds=60),),
    )
    clock.advance(timedelta(seconds=61))
    (told,) = await bus.wait_told(ConnectionRevokedV2)
    assert isinstance(told, ConnectionRevokedV2)
    assert (told.connection_id, told.platform_confirmation) == (connection_id, PlatformConfirmation.CONFIRMED)
    assert counts(superuser, "sealed_grant", "grant_key", "lease") == [0, 0, 0]


async def test_who_knows_only_the_older_version_is_told_the_same(room: Room, bus: Bus):
    answer = await room.disconnect(await room.connect())
    (newest,), (older,) = await bus.wait_told(ConnectionRevokedV2), await bus.wait_told(ConnectionRevokedV1)
    assert isinstance(older, ConnectionRevokedV1)
    assert older.platform_confirmed
    assert older.model_dump().items() - {("platform_confirmed", True)} <= newest.model_dump().items()
    assert str(older.erasure_id) == answer.json()["erasure_id"]


async def test_tokens_that_no_key_opens_any_more_are_destroyed_all_the_same(room: Room, superuser: Superuser):
    connection_id = await room.connect()
    superuser.keys.execute("UPDATE grant_key SET key_id = 'another'")
    answer = await room.disconnect(connection_id)
    assert (answer.status_code, answer.json()["platform_confirmed"]) == (200, False)
    assert counts(superuser, "sealed_grant", "grant_key") == [0, 0]


async def test_a_platform_that_is_not_offered_any_more_can_be_disconnected(
    room: Room, start: StartAuth, environment: dict[str, str], superuser: Rows, sandbox: Sandbox
):
    connection_id = await room.connect()
    async with start() as without:
        headers = without.passport(account_id=room.account_id, workspace_id=room.workspace_id)
        answer = await without.http.delete(f"{room.path}/{connection_id}", headers=headers)
    assert (answer.status_code, answer.json()["platform_confirmed"]) == (200, False)
    assert sandbox.requests("tiktok", REVOKE["tiktok"]) == 0
    assert counts(superuser, "sealed_grant", "grant_key") == [0, 0]
