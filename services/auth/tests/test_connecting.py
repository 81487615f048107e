"""Connecting accounts on platforms, with the real clients against the sandbox."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import psycopg
import pytest
from auth.use_cases import asking
from contracts.auth import ConnectionEstablishedV1
from kit.clock import MovableClock
from kit.problems import TYPE_PREFIX
from kit.testing.services import Bus

from services.auth.tests.client import Auth, Room, Superuser

Rows = psycopg.Connection[Any]

TABLES = ("connection", "sealed_grant", "grant_key", "authorisation")


def counts(superuser: Rows, *tables: str) -> list[int]:
    assert isinstance(superuser, Superuser)
    found = []
    for table in tables or TABLES:
        store = superuser.keys if table == "grant_key" else superuser
        (count,) = store.execute(f"SELECT count(*) FROM {table}").fetchone() or (0,)  # noqa: S608
        found.append(count)
    return found


@pytest.mark.promise("P21")
async def test_a_tiktok_account_is_connected_and_shown(room: Room, bus: Bus, clock: MovableClock, superuser: Rows):
    account = next(iter(room.sandbox.tiktok.state.accounts.values()))
    connection_id = await room.connect("tiktok", account=account.open_id)
    (shown,) = await room.list()
    left = datetime.fromisoformat(shown.pop("expires_at")) - clock.now()
    assert timedelta(minutes=119) < left <= timedelta(hours=2)
    assert sorted(shown.pop("scopes")) == ["user.info.basic", "user.info.profile", "video.list", "video.publish"]
    assert shown.pop("avatar_url").startswith(room.sandbox.base_urls["tiktok"])
    assert shown == {
        "connection_id": str(connection_id),
        "workspace_id": str(room.workspace_id),
        "platform": "tiktok",
        "state": "active",
        "account_id": account.open_id,
        "union_id": account.union_id,
        "handle": account.username,
        "display_name": account.display_name,
        "account_type": None,
        "ends_at": None,
        "failing_since": None,
        "to_do": "nothing",
    }
    assert await bus.wait_told(ConnectionEstablishedV1) == [
        ConnectionEstablishedV1(workspace_id=room.workspace_id, connection_id=connection_id, platform="tiktok")
    ]
    assert counts(superuser) == [1, 1, 1, 0]


async def test_a_bluesky_account_is_connected_by_its_handle(room: Room):
    connection_id = await room.connect("bluesky")
    (shown,) = await room.list()
    assert (shown["connection_id"], shown["platform"], shown["handle"]) == (str(connection_id), "bluesky", "brand.test")
    assert shown["account_id"].startswith("did:plc:")
    assert shown["union_id"] is None


@pytest.mark.promise("P20")
@pytest.mark.parametrize(
    ("platform", "scopes"),
    [
        ("tiktok", {"user.info.basic", "user.info.profile", "video.publish", "video.list"}),
        (
            "bluesky",
            {
                "atproto",
                "repo:app.bsky.feed.post?action=create&action=update",
                "repo:app.bsky.feed.threadgate?action=create",
                "repo:app.bsky.feed.postgate?action=create",
                "blob:image/*",
                "rpc:com.atproto.repo.uploadBlob?aud=*",
                "rpc:app.bsky.video.getUploadLimits?aud=*",
                "repo:app.bsky.feed.post?action=delete",
                "repo:app.bsky.feed.threadgate?action=delete",
                "repo:app.bsky.feed.postgate?action=delete",
            },
        ),
    ],
)
async def test_only_what_is_needed_is_asked_for_at_the_platforms_own_page(room: Room, platform: str, scopes: set[str]):
    started = await room.auth.http.post(
        f"{room.path}/authorisations", json={"platform": platform}, headers=room.headers
    )
    address = urlsplit(started.json()["authorisation_url"])
    assert f"{address.scheme}://{address.netloc}" == room.sandbox.base_urls[platform]
    query = parse_qs(address.query)
    if platform == "tiktok":
        assert set(query["scope"][0].split(",")) == scopes
    else:
        (asked,) = room.sandbox.bluesky.state.asked.values()
        assert set(asked.scopes) == scopes


async def test_connecting_again_renews_the_same_connection(room: Room, superuser: Rows):
    first = await room.connect()
    superuser.execute("UPDATE connection SET state = 'reauth_required', refresh_at = NULL")
    assert await room.connect() == first
    (shown,) = await room.list()
    assert shown["state"] == "active"
    assert superuser.execute("SELECT generation FROM sealed_grant").fetchall() == [(2,)]
    assert superuser.execute("SELECT refresh_at IS NOT NULL FROM connection").fetchall() == [(True,)]
    assert len((await room.borrow(first)).leases) == 1


async def test_two_accounts_of_one_platform_are_two_connections(room: Room):
    accounts = list(room.sandbox.tiktok.state.accounts)[:2]
    connected = {await room.connect(account=account) for account in accounts}
    assert len(connected) == 2
    assert {shown["account_id"] for shown in await room.list()} == set(accounts)


async def test_a_state_works_once(room: Room):
    callback = await room.leave()
    assert (await room.come_back(callback)).status_code == 200
    again = await room.come_back(callback)
    assert (again.status_code, again.json()["type"]) == (404, TYPE_PREFIX + "authorisation-unknown")
    assert room.sandbox.requests("tiktok", "POST /v2/oauth/token/") == 1


async def test_a_state_works_for_nobody_else(room: Room, superuser: Rows):
    stranger = await room.auth.sign_up("stranger@example.com")
    callback = await room.leave()
    stolen = await room.come_back(callback, stranger)
    assert (stolen.status_code, stolen.json()["type"]) == (404, TYPE_PREFIX + "authorisation-unknown")
    assert counts(superuser, "connection") == [0]
    assert (await room.come_back(callback)).status_code == 200


@pytest.mark.parametrize("state", [None, "", "unknown"])
async def test_an_unknown_state_is_refused(room: Room, state: str | None):
    callback = await room.leave()
    del callback["state"]
    answer = await room.come_back(callback if state is None else callback | {"state": state})
    assert (answer.status_code, answer.json()["type"]) == (404, TYPE_PREFIX + "authorisation-unknown")


async def test_who_takes_too_long_starts_again(room: Room, clock: MovableClock, superuser: Rows):
    callback = await room.leave()
    clock.advance(timedelta(minutes=11))
    answer = await room.come_back(callback)
    assert (answer.status_code, answer.json()["type"]) == (404, TYPE_PREFIX + "authorisation-unknown")
    assert counts(superuser) == [0, 0, 0, 0]


@pytest.mark.parametrize("platform", ["tiktok", "bluesky"])
async def test_a_person_can_refuse(room: Room, platform: str, superuser: Rows):
    answer = await room.come_back(await room.leave(platform, decision="deny"))
    assert (answer.status_code, answer.json()["type"]) == (403, TYPE_PREFIX + "authorisation-denied")
    assert counts(superuser) == [0, 0, 0, 0]


async def test_a_grant_without_a_needed_scope_is_given_back(room: Room, superuser: Rows):
    callback = await room.leave(scopes=["user.info.basic", "user.info.profile", "video.list"])
    answer = await room.come_back(callback)
    assert (answer.status_code, answer.json()["type"]) == (403, TYPE_PREFIX + "scope-missing")
    assert answer.json()["scopes"] == ["video.publish"]
    assert len(room.sandbox.truth.revocations("tiktok")) == 1
    assert counts(superuser) == [0, 0, 0, 0]


async def test_a_platform_that_fails_leaves_nothing_behind(room: Room, superuser: Rows):
    callback = await room.leave()
    room.sandbox.add_fault("tiktok", "POST /v2/oauth/token/", "answer", status=503)
    answer = await room.come_back(callback)
    assert (answer.status_code, answer.json()["type"]) == (503, TYPE_PREFIX + "platform-unavailable")
    callback = await room.leave()
    room.sandbox.add_fault("tiktok", "GET /v2/user/info/", "answer", status=503)
    answer = await room.come_back(callback)
    assert (answer.status_code, answer.json()["type"]) == (503, TYPE_PREFIX + "platform-unavailable")
    assert len(room.sandbox.truth.revocations("tiktok")) == 1
    assert counts(superuser) == [0, 0, 0, 0]


async def test_a_platform_that_hangs_is_not_waited_for(room: Room, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(asking, "CONNECT_SECONDS", 0.2)
    callback = await room.leave()
    room.sandbox.add_fault("tiktok", "POST /v2/oauth/token/", "delay", delay_seconds=5)
    async with asyncio.timeout(4):
        answer = await room.come_back(callback)
    assert (answer.status_code, answer.json()["type"]) == (503, TYPE_PREFIX + "platform-unavailable")


async def test_two_who_connect_one_account_at_once_share_the_connection(room: Room, superuser: Rows):
    callbacks = [await room.leave(), await room.leave()]
    answers = await asyncio.gather(*(room.come_back(callback) for callback in callbacks))
    assert [answer.status_code for answer in answers] == [200, 200]
    assert len({answer.json()["connection_id"] for answer in answers}) == 1
    assert superuser.execute("SELECT generation FROM sealed_grant").fetchall() == [(2,)]


async def test_a_wrong_code_asks_to_start_again(room: Room):
    callback = await room.leave()
    answer = await room.come_back(callback | {"code": "wrong"})
    assert (answer.status_code, answer.json()["type"]) == (409, TYPE_PREFIX + "authorisation-failed")


async def test_who_lost_the_role_meanwhile_connects_nothing(room: Room, superuser: Rows):
    callback = await room.leave()
    superuser.execute("UPDATE member SET role = 'editor'")
    answer = await room.come_back(callback)
    assert (answer.status_code, answer.json()["needs"]) == (403, "connection.manage")
    assert counts(superuser) == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"platform": "friendster"}, "/platform"),
        ({"platform": 7}, "/platform"),
        ({"platform": "bluesky", "handle": ""}, "/handle"),
        ({"platform": "bluesky", "handle": "x" * 254}, "/handle"),
    ],
)
async def test_an_authorisation_with_a_wrong_value_is_refused(room: Room, body: dict[str, Any], pointer: str):
    answer = await room.auth.http.post(f"{room.path}/authorisations", json=body, headers=room.headers)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


async def test_a_platform_without_credentials_is_not_offered(auth: Auth):
    account_id = await auth.sign_up()
    workspace_id = await auth.create_workspace(account_id)
    answer = await auth.http.post(
        f"/api/workspaces/{workspace_id}/connections/authorisations",
        json={"platform": "tiktok"},
        headers=auth.passport(account_id=account_id, workspace_id=workspace_id),
    )
    assert (answer.status_code, answer.json()["type"]) == (422, TYPE_PREFIX + "platform-not-offered")


@pytest.mark.promise("P07")
@pytest.mark.parametrize("role", ["editor", "approver", "viewer"])
async def test_who_does_not_manage_connections_only_sees_them(room: Room, role: str):
    connection_id = await room.connect()
    headers = room.auth.passport(account_id=room.account_id, workspace_id=room.workspace_id, role=role)
    assert (await room.auth.http.get(room.path, headers=headers)).status_code == 200
    for answer in (
        await room.auth.http.post(f"{room.path}/authorisations", json={"platform": "tiktok"}, headers=headers),
        await room.auth.http.delete(f"{room.path}/{connection_id}", headers=headers),
    ):
        assert (answer.status_code, answer.json()["needs"]) == (403, "connection.manage")
    assert [shown["state"] for shown in await room.list()] == ["active"]


async def test_connections_of_another_workspace_are_out_of_reach(room: Room):
    connection_id = await room.connect()
    other = await room.auth.create_workspace(room.account_id, "Birch")
    headers = room.auth.passport(account_id=room.account_id, workspace_id=other)
    assert (await room.auth.http.get(room.path, headers=headers)).status_code == 403
    assert (await room.auth.http.delete(f"{room.path}/{connection_id}", headers=headers)).status_code == 403
    elsewhere = f"/api/workspaces/{other}/connections"
    assert (await room.auth.http.get(elsewhere, headers=headers)).json() == {"connections": []}
    answer = await room.auth.http.delete(f"{elsewhere}/{connection_id}", headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (404, TYPE_PREFIX + "not-found")
    assert [shown["state"] for shown in await room.list()] == ["active"]


async def test_services_see_a_workspaces_connections_in_brief(room: Room, clock: MovableClock):
    connection_id = await room.connect()
    path = f"/internal/workspaces/{room.workspace_id}/connections"
    for service in ("content", "scheduler"):
        answer = await room.auth.http.get(path, headers=room.auth.passport(service=service))
        (brief,) = answer.json()["connections"]
        assert brief.pop("expires_at") > clock.now().isoformat()
        assert brief == {
            "connection_id": str(connection_id), "platform": "tiktok", "state": "active", "ends_at": None,
            "failing_since": None, "platform_ends_on": None,
        }  # fmt: skip
    for headers in (room.headers, room.auth.passport(service="metrics")):
        assert (await room.auth.http.get(path, headers=headers)).status_code == 403
    nowhere = f"/internal/workspaces/{UUID(int=1)}/connections"
    answer = await room.auth.http.get(nowhere, headers=room.auth.passport(service="content"))
    assert answer.json() == {"connections": []}
