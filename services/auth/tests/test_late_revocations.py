"""A platform that gave no answer is asked again for a week, where our application's own token is enough."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from auth.domain.withdrawing import LATE_KEPT
from contracts.auth import ConnectionRevokedV2, PlatformConfirmation
from kit.clock import MovableClock
from kit.testing import wait_for
from kit.testing.services import Bus
from sandbox.facebook.platform import FacebookSandbox

from services.auth.tests.client import Room, Superuser
from services.auth.tests.test_connecting import counts
from services.auth.tests.test_secrets import everything_stored

REVOKE = "DELETE /v*/permissions"


@pytest.fixture
def imitated() -> tuple[str, ...]:
    return ("tiktok", "facebook")


async def ended(room: Room) -> dict[str, Any]:
    (only,) = (await room.auth.ask("GET", f"{room.path}/ended", headers=room.headers))["connections"]
    shown: dict[str, Any] = only
    return shown


async def disconnect_in_vain(room: Room, times: int = 1) -> None:
    connection_id = await room.connect("facebook")
    room.sandbox.add_fault("facebook", REVOKE, "answer", status=503, times=times)
    answer = (await room.disconnect(connection_id)).json()
    assert (answer["platform_confirmed"], answer["unconfirmed_because"]) == (False, "no_answer")
    assert answer["where_to_withdraw"]["url"].startswith("https://www.facebook.com/")


def attempts(superuser: Superuser) -> list[Any]:
    return superuser.execute("SELECT attempts FROM late_revocation").fetchall()


@pytest.mark.promise("P26")
async def test_a_platform_that_gave_no_answer_is_asked_again_until_it_confirms(
    room: Room, bus: Bus, clock: MovableClock, superuser: Superuser
):
    await disconnect_in_vain(room, times=2)
    assert counts(superuser, "sealed_grant", "grant_key") == [0, 0]
    person = next(iter(room.sandbox.of(FacebookSandbox).state.people))
    assert person not in everything_stored(superuser)
    shown = await ended(room)
    assert (shown["platform_confirmed"], shown["confirmed_at"]) == (False, None)
    assert shown["where_to_withdraw"]["url"].startswith("https://www.facebook.com/")

    clock.advance(timedelta(minutes=1, seconds=1))
    await wait_for(lambda: attempts(superuser) == [(1,)])
    assert room.sandbox.truth.revocations("facebook") == []
    await wait_for(lambda: due_in(superuser, clock) > timedelta(minutes=5))
    clock.advance(timedelta(minutes=10, seconds=1))
    await wait_for(lambda: counts(superuser, "late_revocation") == [0])
    assert len(room.sandbox.truth.revocations("facebook")) == 1
    shown = await ended(room)
    assert (shown["platform_confirmed"], shown["unconfirmed_because"], shown["where_to_withdraw"]) == (True, None, None)
    assert shown["confirmed_at"] is not None
    # What was told stays as it was told.
    (told,) = await bus.told(ConnectionRevokedV2)
    assert isinstance(told, ConnectionRevokedV2)
    assert told.platform_confirmation is PlatformConfirmation.UNCONFIRMED


def due_in(superuser: Superuser, clock: MovableClock) -> timedelta:
    (due_at,) = superuser.execute("SELECT due_at FROM late_revocation").fetchone() or (clock.now(),)
    left: timedelta = due_at - clock.now()
    return left


async def test_who_came_back_meanwhile_is_left_alone(room: Room, clock: MovableClock, superuser: Superuser):
    await disconnect_in_vain(room)
    other = replace(room, workspace_id=await room.auth.create_workspace(room.account_id, "Beech"))
    await other.connect("facebook")
    clock.advance(timedelta(minutes=1, seconds=1))
    await wait_for(lambda: counts(superuser, "late_revocation") == [0])
    assert room.sandbox.truth.revocations("facebook") == []
    assert [shown["state"] for shown in await other.list()] == ["active"]
    assert (await ended(room))["platform_confirmed"] is False


async def test_where_others_stand_on_the_access_nothing_is_asked_again_but_by_the_last_of_them(
    room: Room, clock: MovableClock, superuser: Superuser
):
    here = await room.connect("facebook")
    other = replace(room, workspace_id=await room.auth.create_workspace(room.account_id, "Beech"))
    there = await other.connect("facebook")
    room.sandbox.add_fault("facebook", REVOKE, "answer", status=503)
    assert (await room.disconnect(here)).json()["unconfirmed_because"] == "shared"
    assert counts(superuser, "late_revocation") == [0]

    assert (await other.disconnect(there)).json()["unconfirmed_because"] == "no_answer"
    assert superuser.execute("SELECT connection_id FROM late_revocation").fetchall() == [(there,)]
    clock.advance(timedelta(minutes=1, seconds=1))
    await wait_for(lambda: counts(superuser, "late_revocation") == [0])
    assert len(room.sandbox.truth.revocations("facebook")) == 1


async def test_the_person_is_forgotten_after_a_week_whatever_the_platform_says(
    room: Room, clock: MovableClock, superuser: Superuser
):
    await disconnect_in_vain(room, times=50)
    clock.advance(LATE_KEPT + timedelta(seconds=1))
    await wait_for(lambda: counts(superuser, "late_revocation") == [0])
    assert room.sandbox.truth.revocations("facebook") == []


async def test_where_a_token_would_be_needed_nothing_is_kept_to_ask_again(room: Room, superuser: Superuser):
    connection_id = await room.connect("tiktok")
    room.sandbox.add_fault("tiktok", "POST /v2/oauth/revoke/", "answer", status=503)
    assert (await room.disconnect(connection_id)).json()["unconfirmed_because"] == "no_answer"
    assert counts(superuser, "late_revocation") == [0]
    shown = await ended(room)
    assert (shown["platform_confirmed"], shown["reason"]) == (False, "disconnected")
    assert shown["where_to_withdraw"]["url"].startswith("https://support.tiktok.com/")


async def test_only_members_see_what_has_ended(room: Room):
    strangers = room.auth.passport(account_id=room.account_id)
    answer = await room.auth.http.get(f"{room.path}/ended", headers=strangers)
    assert answer.status_code == 403
