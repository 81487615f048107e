"""One authorisation that opens several accounts: some are chosen, and the last of them ends it at the platform."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import psycopg
import pytest
from kit.clock import MovableClock
from kit.ids import new_id
from kit.problems import TYPE_PREFIX
from kit.testing import wait_for

from services.auth.tests.client import PASSWORD, Room
from services.auth.tests.test_connecting import counts

Rows = psycopg.Connection[Any]

OPENED = {"facebook": ["brand.one", "brand.two", "brand.three"], "linkedin": ["brand_one", "brand-one", "brand-two"]}
ALONE = {"facebook": "10220000000000002", "linkedin": "brand_two"}
"""Who has one account only."""


@pytest.fixture
def imitated() -> tuple[str, ...]:
    return ("facebook", "linkedin", "tiktok", "youtube")


async def opened(room: Room, platform: str, **consent: Any) -> dict[str, Any]:
    """The choice that an authorisation leads to."""
    answer = await room.come_back(await room.leave(platform, **consent))
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def ids(told: dict[str, Any]) -> list[str]:
    return [account["account_id"] for account in told["accounts"]]


@pytest.mark.promise("P21")
@pytest.mark.parametrize("platform", ["facebook", "linkedin"])
async def test_several_accounts_are_chosen_from_and_connected_at_once(room: Room, platform: str, superuser: Rows):
    told = await opened(room, platform)
    assert (told["state"], told["platform"]) == ("choice_needed", platform)
    assert [account["handle"] for account in told["accounts"]] == OPENED[platform]
    assert counts(superuser, "connection", "authorisation") == [0, 1]
    one, _, three = ids(told)
    answer = await room.choose(told["authorisation_id"], one, three)
    assert answer.status_code == 201, answer.text
    connected = answer.json()["connections"]
    assert [each["account_id"] for each in connected] == [one, three]
    assert len({each["union_id"] for each in connected}) == 1
    assert sorted(each["account_id"] for each in await room.list()) == sorted([one, three])
    assert counts(superuser, "authorisation") == [0]
    again = await room.choose(told["authorisation_id"], one)
    assert (again.status_code, again.json()["type"]) == (404, TYPE_PREFIX + "authorisation-unknown")


@pytest.mark.parametrize("platform", ["facebook", "linkedin"])
async def test_one_account_is_connected_at_once(room: Room, platform: str):
    told = await opened(room, platform, account=ALONE[platform])
    assert told["state"] == "active"
    assert [each["connection_id"] for each in await room.list()] == [told["connection_id"]]


async def test_what_was_not_offered_is_refused_and_uses_nothing_up(room: Room, superuser: Rows):
    told = await opened(room, "facebook")
    answer = await room.choose(told["authorisation_id"], ids(told)[0], "another's page")
    assert (answer.status_code, answer.json()["type"]) == (422, TYPE_PREFIX + "account-not-offered")
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/account_ids/1"]
    assert (await room.choose(told["authorisation_id"])).status_code == 422
    assert counts(superuser, "connection", "authorisation") == [0, 1]
    assert (await room.choose(told["authorisation_id"], ids(told)[0])).status_code == 201


async def test_a_choice_is_for_who_was_at_the_platform_in_that_workspace_for_ten_minutes(
    room: Room, clock: MovableClock
):
    told = await opened(room, "facebook")
    other = await room.auth.create_workspace(room.account_id, "Birch")
    colleague = await room.auth.sign_up("colleague@example.com")
    for account_id, workspace_id in ((colleague, room.workspace_id), (room.account_id, other)):
        address = f"/api/workspaces/{workspace_id}/connections/authorisations/{told['authorisation_id']}/choices"
        headers = room.auth.passport(account_id=account_id, workspace_id=workspace_id)
        answer = await room.auth.http.post(address, json={"account_ids": ids(told)[:1]}, headers=headers)
        assert (answer.status_code, answer.json()["type"]) == (404, TYPE_PREFIX + "authorisation-unknown")
    assert (await room.choose(str(new_id()), ids(told)[0])).status_code == 404
    clock.advance(timedelta(minutes=10))
    assert (await room.choose(told["authorisation_id"], ids(told)[0])).status_code == 404


async def test_who_lost_the_role_meanwhile_chooses_nothing(room: Room, superuser: Rows):
    told = await opened(room, "facebook")
    superuser.execute("UPDATE member SET role = 'editor'")
    assert (await room.choose(told["authorisation_id"], ids(told)[0])).status_code == 403
    assert counts(superuser, "connection", "authorisation") == [0, 1]


async def test_a_state_of_the_platform_is_no_choice_and_the_other_way_round(room: Room):
    callback = await room.leave("facebook")
    assert (await room.choose(str(new_id()), callback["state"])).status_code == 404
    told = (await room.come_back(callback)).json()
    answer = await room.come_back(callback | {"state": told["authorisation_id"]})
    assert (answer.status_code, answer.json()["type"]) == (404, TYPE_PREFIX + "authorisation-unknown")


@pytest.mark.promise("P26")
@pytest.mark.parametrize("platform", ["facebook", "linkedin"])
async def test_what_others_stand_on_is_ended_by_the_last_of_them(room: Room, platform: str):
    told = await opened(room, platform)
    chosen = await room.choose(told["authorisation_id"], *ids(told)[:2])
    first, last = (each["connection_id"] for each in chosen.json()["connections"])
    answer = (await room.disconnect(first)).json()
    assert (answer["platform_confirmed"], answer["unconfirmed_because"]) == (False, "shared")
    assert answer["where_to_withdraw"]["url"].startswith("https://")
    assert (await room.disconnect(first)).json() == answer
    assert room.sandbox.truth.revocations(platform) == []
    assert [each["connection_id"] for each in await room.list()] == [last]
    assert (await room.disconnect(last)).json()["platform_confirmed"] is True
    assert len(room.sandbox.truth.revocations(platform)) == 1


@pytest.mark.promise("P26")
@pytest.mark.parametrize(("platform", "shared"), [("facebook", True), ("youtube", True), ("tiktok", False)])
async def test_one_account_in_two_workspaces_is_two_connections(
    room: Room, platform: str, shared: bool, superuser: Rows
):
    """Each has its own grant. Where the platform ends all of a person at once, another client's is left alone."""
    elsewhere = Room(room.auth, room.sandbox, room.account_id, await room.auth.create_workspace(room.account_id, "Elm"))
    here, there = await room.connect(platform), await elsewhere.connect(platform)
    assert here != there
    assert counts(superuser, "sealed_grant") == [2]
    assert len((await room.borrow(here, there)).leases) == 2
    superuser.execute("DELETE FROM lease")
    answer = (await room.disconnect(here)).json()
    assert answer["platform_confirmed"] is not shared
    assert answer["unconfirmed_because"] == ("shared" if shared else None)
    assert [each["state"] for each in await elsewhere.list()] == ["active"]
    assert len((await room.borrow(there)).leases) == 1


async def test_an_authorisation_that_fails_ends_no_connection_that_lives(room: Room):
    await room.connect("facebook")
    answer = await room.come_back(await room.leave("facebook", scopes=["pages_show_list"], account=ALONE["facebook"]))
    assert answer.status_code == 403
    assert len(room.sandbox.truth.revocations("facebook")) == 1
    elsewhere = Room(room.auth, room.sandbox, room.account_id, await room.auth.create_workspace(room.account_id, "Elm"))
    callback = await elsewhere.leave("facebook")
    room.sandbox.add_fault("facebook", "GET /v26.0/me/accounts", "answer", status=503, times=9)
    assert (await elsewhere.come_back(callback)).status_code == 503
    assert len(room.sandbox.truth.revocations("facebook")) == 1


@pytest.mark.promise("P26")
@pytest.mark.parametrize("platform", ["facebook", "linkedin"])
async def test_a_choice_that_nobody_makes_ends_at_the_platform_and_leaves_no_token(
    room: Room, platform: str, clock: MovableClock, superuser: Rows
):
    await opened(room, platform)
    clock.advance(timedelta(minutes=10))
    await wait_for(lambda: len(room.sandbox.truth.revocations(platform)) == 1)
    assert counts(superuser, "authorisation", "connection", "sealed_grant") == [0, 0, 0]


async def test_a_choice_that_nobody_makes_is_forgotten_where_the_platform_gives_no_answer(
    room: Room, clock: MovableClock, superuser: Rows
):
    await opened(room, "facebook")
    room.sandbox.add_fault("facebook", "DELETE /v*/permissions", "answer", status=503, times=9)

    def asked() -> int:
        return sum(arrival.route.startswith("DELETE ") for arrival in room.sandbox.arrivals("facebook"))

    clock.advance(timedelta(minutes=10))
    await wait_for(lambda: asked() == 1)
    assert counts(superuser, "authorisation") == [0]
    assert room.sandbox.truth.revocations("facebook") == []


async def test_a_choice_that_nobody_makes_ends_no_connection_of_the_same_person(
    room: Room, clock: MovableClock, superuser: Rows
):
    told = await opened(room, "facebook")
    assert (await room.choose(told["authorisation_id"], ids(told)[0])).status_code == 201
    await opened(room, "facebook")
    clock.advance(timedelta(minutes=10))
    await wait_for(lambda: counts(superuser, "authorisation") == [0])
    assert [each["state"] for each in await room.list()] == ["active"]
    assert room.sandbox.truth.revocations("facebook") == []


@pytest.mark.parametrize("how", ["leaves", "closes", "deletes"])
async def test_who_goes_while_choosing_leaves_no_grant_at_the_platform(room: Room, how: str, superuser: Rows):
    choosing = room
    if how == "leaves":
        token = await room.auth.invite(room.workspace_id, room.account_id, "colleague@example.com", "admin")
        colleague = await room.auth.sign_up("colleague@example.com")
        await room.auth.accept(colleague, token)
        choosing = Room(room.auth, room.sandbox, colleague, room.workspace_id)
    await opened(choosing, "facebook")
    headers = await room.auth.headers(await room.auth.sign_in(), room.workspace_id)
    path, body = {
        "leaves": (f"/api/workspaces/{room.workspace_id}/members/{choosing.account_id}", None),
        "closes": (f"/api/workspaces/{room.workspace_id}", None),
        "deletes": ("/api/account", {"password": PASSWORD}),
    }[how]
    gone = await room.auth.http.request("DELETE", path, json=body, headers=headers)
    assert gone.is_success, gone.text
    await wait_for(lambda: len(room.sandbox.truth.revocations("facebook")) == 1)
    assert counts(superuser, "authorisation") == [0]


async def test_a_choice_whose_connecting_fails_is_given_back(room: Room, superuser: Rows):
    told = await opened(room, "facebook")
    superuser.execute("CREATE FUNCTION deaf() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'")
    superuser.execute("CREATE TRIGGER deaf BEFORE INSERT ON sealed_grant FOR EACH ROW EXECUTE FUNCTION deaf()")
    assert (await room.choose(told["authorisation_id"], ids(told)[0])).status_code == 503
    assert len(room.sandbox.truth.revocations("facebook")) == 1
    assert counts(superuser, "authorisation", "connection") == [0, 0]
