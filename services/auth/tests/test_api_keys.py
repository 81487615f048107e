"""API keys: shown once, never more than their person, and nothing from the moment they end."""

from __future__ import annotations

import asyncio
import base64
import os
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
from auth.data_map import DATA_MAP
from auth.domain.api_keys import KEPT, LIFETIME, OVERLAP_MAX
from auth.domain.presence import RECENT
from auth.main import create_app
from contracts.access import PERSONAL
from contracts.api_keys import is_well_formed
from kit import rereading
from kit.clock import MovableClock
from kit.ids import new_id
from kit.passport import Caller, Passports
from kit.settings import SettingError
from kit.testing import wait_for
from psycopg import sql

from services.auth.tests.client import PASSWORD, Auth, Room
from services.auth.tests.conftest import StartAuth
from services.auth.tests.test_connecting import counts

Superuser = psycopg.Connection[Any]
WISH = {"name": "Calendar", "permissions": ["post.read", "post.write"]}


@dataclass
class KeyRoom:
    """A workspace and its owner, who is signed in."""

    auth: Auth
    passports: Passports
    clock: MovableClock
    account_id: UUID
    workspace_id: UUID

    @property
    def path(self) -> str:
        return f"/api/workspaces/{self.workspace_id}/api-keys"

    async def headers(self, email: str = "owner@example.com") -> dict[str, str]:
        return await self.auth.headers(await self.auth.sign_in(email), self.workspace_id)

    async def ask_to_make(self, email: str = "owner@example.com", **changes: Any) -> httpx.Response:
        return await self.auth.http.post(self.path, json=WISH | changes, headers=await self.headers(email))

    async def make(self, **changes: Any) -> dict[str, Any]:
        answer = await self.ask_to_make(**changes)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    async def list(self) -> list[dict[str, Any]]:
        answer = await self.auth.http.get(self.path, headers=await self.headers())
        assert answer.status_code == 200, answer.text
        keys: list[dict[str, Any]] = answer.json()["api_keys"]
        return keys

    async def show(self, secret: str, workspace_id: UUID | None = None) -> httpx.Response:
        body = {"api_key": secret, "workspace_id": str(workspace_id or self.workspace_id)}
        gateway = self.auth.passport(service="gateway")
        return await self.auth.http.post("/internal/passports", json=body, headers=gateway)

    async def caller(self, secret: str) -> Caller:
        answer = await self.show(secret)
        assert answer.status_code == 200, answer.text
        return self.passports.verify(answer.json()["passport"])

    async def is_refused(self, secret: str) -> bool:
        answer = await self.show(secret)
        return answer.status_code == 401 and answer.json()["type"] == "urn:signoff:problem:key-refused"

    async def revoke(self, key_id: str) -> int:
        answer = await self.auth.http.delete(f"{self.path}/{key_id}", headers=await self.headers())
        return answer.status_code

    async def rotate(self, key_id: str, **body: Any) -> httpx.Response:
        return await self.auth.http.post(f"{self.path}/{key_id}/rotations", json=body, headers=await self.headers())


@pytest.fixture
async def place(auth: Auth, read_passports: Passports, clock: MovableClock) -> KeyRoom:
    account_id = await auth.sign_up()
    return KeyRoom(auth, read_passports, clock, account_id, await auth.create_workspace(account_id))


def error_code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix("urn:signoff:problem:")


@pytest.mark.promise("P06")
async def test_a_key_is_shown_once_and_not_stored(place: KeyRoom, superuser: Superuser):
    made = await place.make()
    secret = made.pop("secret")
    assert is_well_formed(secret)
    assert secret.startswith(made["prefix"] + "_")
    assert await place.list() == [made]
    assert made["state"] == "active"
    assert made["created_by"] == str(place.account_id)
    everything = [
        str(superuser.execute(sql.SQL("SELECT json_agg(t) FROM {} t").format(sql.Identifier(table.name))).fetchall())
        for table in DATA_MAP.tables
    ]
    assert any(made["prefix"] in rows for rows in everything)
    assert not any(secret[len("so_12345678_") :] in rows for rows in everything)


@pytest.mark.promise("P06")
async def test_a_key_stands_for_its_person_made_smaller(place: KeyRoom):
    made = await place.make()
    caller = await place.caller(made["secret"])
    assert (caller.account_id, caller.workspace_id, caller.session_id) == (place.account_id, place.workspace_id, None)
    assert caller.key is not None
    assert {p.value for p in caller.key.permissions} == {"post.read", "post.write"}
    assert caller.reach is None
    nowhere = await place.auth.http.post(
        "/internal/passports", json={"api_key": made["secret"]}, headers=place.auth.passport(service="gateway")
    )
    outside = place.passports.verify(nowhere.json()["passport"])
    assert (outside.workspace_id, outside.role) == (None, None)
    assert outside.key is not None


async def test_a_key_opens_its_own_workspace_only(place: KeyRoom):
    made = await place.make()
    other = await place.auth.create_workspace(place.account_id, "Other")
    answers = [await place.show(made["secret"], workspace) for workspace in (other, new_id())]
    assert [error_code(answer) for answer in answers] == [(404, "not-found")] * 2


@pytest.mark.promise("P06")
async def test_a_key_shrinks_with_its_persons_role_and_dies_with_their_membership(place: KeyRoom, superuser: Superuser):
    secret = (await place.make(permissions=["post.read", "post.write", "connection.manage"]))["secret"]

    async def permitted() -> set[str]:
        key = (await place.caller(secret)).key
        assert key is not None
        return {permission.value for permission in key.permissions}

    superuser.execute("UPDATE member SET role = 'editor'")
    assert await permitted() == {"post.read", "post.write"}
    superuser.execute("UPDATE member SET role = 'viewer'")
    assert await permitted() == {"post.read"}
    superuser.execute("UPDATE member SET role = 'owner'")
    assert await permitted() == {"post.read", "post.write", "connection.manage"}
    member = superuser.execute("DELETE FROM member RETURNING *").fetchone()
    assert await place.is_refused(secret)
    # Who comes back does not bring old keys back.
    superuser.execute("INSERT INTO member (workspace_id, account_id, role, added_at) VALUES (%s, %s, %s, %s)", member)
    assert await place.is_refused(secret)
    assert await place.list() == []


@pytest.mark.promise("P06")
async def test_a_key_ends_with_its_persons_account(place: KeyRoom):
    secret = (await place.make())["secret"]
    ended = await place.auth.http.request(
        "DELETE", "/api/account", json={"password": PASSWORD}, headers=place.auth.passport(account_id=place.account_id)
    )
    assert ended.status_code == 202, ended.text
    assert await place.is_refused(secret)


@pytest.mark.promise("P06")
async def test_ended_unknown_and_mistyped_keys_get_the_same_nothing(place: KeyRoom):
    revoked, expired, mistyped = await place.make(), await place.make(), await place.make()
    assert await place.revoke(revoked["key_id"]) == 204
    assert await place.revoke(revoked["key_id"]) == 204
    place.clock.advance(LIFETIME)
    wrong = mistyped["secret"][:-1] + ("0" if mistyped["secret"][-1] != "0" else "1")
    answers = [await place.show(secret) for secret in (revoked["secret"], expired["secret"], wrong, "so_", "")]
    bodies = [{k: v for k, v in answer.json().items() if k != "trace_id"} for answer in answers]
    assert [answer.status_code for answer in answers] == [401] * 5
    assert all(body == bodies[0] for body in bodies)
    assert {answer.headers["www-authenticate"] for answer in answers} == {'Bearer error="invalid_token"'}


async def test_a_person_makes_keys_with_presence_only(place: KeyRoom):
    headers = await place.headers()
    place.clock.advance(RECENT)
    fresh = await place.auth.headers(await place.auth.sign_in(), place.workspace_id)
    key_id = (await place.auth.http.post(place.path, json=WISH, headers=fresh)).json()["key_id"]
    token = await place.auth.sign_in()
    place.clock.advance(RECENT)
    stale = await place.auth.headers(token, place.workspace_id)
    for path, body in ((place.path, WISH), (f"{place.path}/{key_id}/rotations", {})):
        assert error_code(await place.auth.http.post(path, json=body, headers=stale)) == (403, "presence-needed")
    assert error_code(await place.auth.http.post(place.path, json=WISH, headers=headers)) == (401, "unauthenticated")
    assert len(await place.list()) == 1


async def test_its_person_sees_what_was_done_with_their_keys_and_from_where_if_it_was_them(
    place: KeyRoom, superuser: Superuser
):
    first, second = await place.make(), await place.make()
    await place.rotate(first["key_id"])
    await place.revoke(first["key_id"])
    other = await place.auth.sign_up("second@example.com")
    superuser.execute(
        "INSERT INTO member (workspace_id, account_id, role, added_at) VALUES (%s, %s, 'admin', now())",
        (place.workspace_id, other),
    )
    colleague = await place.headers("second@example.com")
    assert (await place.auth.http.delete(f"{place.path}/{second['key_id']}", headers=colleague)).status_code == 204
    headers = await place.auth.headers(await place.auth.sign_in())
    events = (await place.auth.http.get("/api/account/security-events", headers=headers)).json()["events"]
    told = [(event["kind"], event["session_id"] is not None) for event in events if "api_key" in event["kind"]]
    assert told == [
        ("api_key_revoked", False),
        ("api_key_revoked", True),
        ("api_key_replaced", True),
        ("api_key_created", True),
        ("api_key_created", True),
    ]


async def test_a_key_makes_no_keys(place: KeyRoom):
    passport = (await place.show((await place.make())["secret"])).json()["passport"]
    headers = {"Authorization": f"Bearer {passport}"}
    for method, path in (("POST", place.path), ("GET", place.path), ("DELETE", f"{place.path}/{new_id()}")):
        answer = await place.auth.http.request(method, path, headers=headers)
        assert error_code(answer) == (403, "session-needed")
    assert error_code(await place.auth.http.get("/api/account", headers=headers)) == (403, "session-needed")


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        *(({"permissions": ["post.read", permission.value]}, "/permissions/1") for permission in sorted(PERSONAL)),
        ({"connection_ids": [str(new_id())]}, "/connection_ids/0"),
        ({"connection_ids": []}, "/connection_ids"),
        ({"permissions": []}, "/permissions"),
        ({"permissions": ["everything"]}, "/permissions/0"),
        ({"name": ""}, "/name"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"),
        ({"expires_at": "2126-01-01T00:00:00Z"}, "/expires_at"),
        ({"expires_at": "2026-01-01T00:00:00"}, "/expires_at"),
        ({"role": "owner"}, "/role"),
    ],
)
async def test_a_wish_that_cannot_be_granted_is_refused_whole(place: KeyRoom, changes: dict[str, Any], pointer: str):
    answer = await place.ask_to_make(**changes)
    assert error_code(answer) == (422, "invalid")
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert await place.list() == []


async def test_nobody_gives_a_key_what_they_may_not_do_themselves(place: KeyRoom, superuser: Superuser):
    headers = await place.headers()
    # Between the passport and the request the role shrinks; what counts is what it is now.
    superuser.execute("UPDATE member SET role = 'editor'")
    wish = WISH | {"permissions": ["connection.manage"]}
    answer = await place.auth.http.post(place.path, json=wish, headers=headers)
    assert error_code(answer) == (422, "invalid")
    superuser.execute("DELETE FROM member")
    assert error_code(await place.auth.http.post(place.path, json=WISH, headers=headers)) == (404, "not-found")


async def test_a_workspace_has_so_many_keys_even_if_all_are_asked_for_at_once(
    place: KeyRoom, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("auth.use_cases.api_keys.KEYS_MAX", 2)
    headers = await place.headers()
    answers = await asyncio.gather(*(place.auth.http.post(place.path, json=WISH, headers=headers) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 201, 409, 409, 409]
    await place.revoke((await place.list())[0]["key_id"])
    assert (await place.ask_to_make()).status_code == 201


@pytest.mark.promise("P06")
async def test_a_new_secret_takes_over_and_the_old_one_works_as_long_as_was_said(place: KeyRoom):
    made = await place.make()
    answer = await place.rotate(made["key_id"], overlap_seconds=3600)
    assert answer.status_code == 201, answer.text
    renewed = answer.json()
    assert renewed["key_id"] == made["key_id"]
    assert renewed["prefix"] != made["prefix"]
    for secret in (made["secret"], renewed["secret"]):
        key = (await place.caller(secret)).key
        assert key is not None
        assert key.key_id == UUID(made["key_id"])
    place.clock.advance(timedelta(hours=1))
    assert await place.is_refused(made["secret"])
    assert not await place.is_refused(renewed["secret"])
    # Without an overlap the old one ends with the answer.
    last = (await place.rotate(made["key_id"])).json()
    assert await place.is_refused(renewed["secret"])
    assert not await place.is_refused(last["secret"])
    assert await place.revoke(made["key_id"]) == 204
    assert await place.is_refused(last["secret"])


async def test_a_key_has_two_secrets_at_most(place: KeyRoom, superuser: Superuser):
    first = await place.make()
    second = (await place.rotate(first["key_id"], overlap_seconds=3600)).json()
    third = (await place.rotate(first["key_id"], overlap_seconds=3600)).json()
    assert await place.is_refused(first["secret"])
    assert not await place.is_refused(second["secret"])
    assert not await place.is_refused(third["secret"])
    assert counts(superuser, "api_key_secret") == [2]


async def test_a_replacement_needs_a_working_key_of_ones_own_and_a_week_at_most(place: KeyRoom, superuser: Superuser):
    made = await place.make()
    too_long = int(OVERLAP_MAX.total_seconds()) + 1
    assert error_code(await place.rotate(made["key_id"], overlap_seconds=too_long)) == (422, "invalid")
    assert error_code(await place.rotate(made["key_id"], overlap_seconds=-1)) == (422, "invalid")
    assert error_code(await place.rotate(str(new_id()))) == (404, "not-found")
    other = await place.auth.sign_up("second@example.com")
    superuser.execute(
        "INSERT INTO member (workspace_id, account_id, role, added_at) VALUES (%s, %s, 'admin', now())",
        (place.workspace_id, other),
    )
    theirs = await place.auth.http.post(
        f"{place.path}/{made['key_id']}/rotations", json={}, headers=await place.headers("second@example.com")
    )
    assert error_code(theirs) == (403, "not-your-key")
    place.clock.advance(LIFETIME)
    assert error_code(await place.rotate(made["key_id"])) == (409, "key-ended")
    assert [key["state"] for key in await place.list()] == ["expired"]


async def test_the_last_use_is_written_once_a_minute(place: KeyRoom):
    made = await place.make()
    assert (await place.list())[0]["last_used_at"] is None
    first = place.clock.now()
    await place.caller(made["secret"])
    place.clock.advance(timedelta(seconds=50))
    await place.caller(made["secret"])
    used = (await place.list())[0]["last_used_at"]
    assert used is not None
    assert used < (first + timedelta(seconds=40)).isoformat()
    place.clock.advance(timedelta(minutes=1))
    await place.caller(made["secret"])
    assert (await place.list())[0]["last_used_at"] > used


async def test_a_key_is_bound_to_connections_that_the_workspace_has(
    room: Room, read_passports: Passports, clock: MovableClock
):
    own, other = await room.connect("tiktok"), await room.connect("bluesky")
    place = KeyRoom(room.auth, read_passports, clock, room.account_id, room.workspace_id)
    made = await place.make(permissions=["connection.read", "connection.manage"], connection_ids=[str(own)])
    headers = {"Authorization": f"Bearer {(await place.show(made['secret'])).json()['passport']}"}
    listed = (await room.auth.http.get(room.path, headers=headers)).json()["connections"]
    assert [each["connection_id"] for each in listed] == [str(own)]
    assert error_code(await room.auth.http.delete(f"{room.path}/{other}", headers=headers)) == (404, "not-found")
    started = await room.auth.http.post(f"{room.path}/authorisations", json={"platform": "x"}, headers=headers)
    assert error_code(started) == (403, "session-needed")
    assert (await room.auth.http.delete(f"{room.path}/{own}", headers=headers)).status_code == 200


@pytest.mark.promise("P06")
async def test_keys_move_to_a_new_pepper_when_they_are_used(
    start: StartAuth,
    environment: dict[str, str],
    read_passports: Passports,
    clock: MovableClock,
    superuser: Superuser,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(rereading, "LOOK_SECONDS", 0.0)
    old, new = (base64.b64encode(os.urandom(32)) for _ in range(2))
    file = tmp_path / "peppers"
    file.write_bytes(old)
    async with start(API_KEY_PEPPER_FILE=str(file)) as auth:
        account_id = await auth.sign_up()
        place = KeyRoom(auth, read_passports, clock, account_id, await auth.create_workspace(account_id))
        used, unused = (await place.make())["secret"], (await place.make())["secret"]
        file.write_bytes(new + b"\n" + old + b"\n")
        assert not await place.is_refused(used)
        assert superuser.execute("SELECT count(DISTINCT pepper_id) FROM api_key_secret").fetchone() == (2,)
        file.write_bytes(new + b"\n")
        assert not await place.is_refused(used)
        assert await place.is_refused(unused)


@pytest.mark.parametrize(
    "content", [b"", b"short", base64.b64encode(b"x" * 31), base64.b64encode(b"x" * 32) + b"\n" + b"?"]
)
def test_a_pepper_that_is_none_is_a_wrong_setting(environment: dict[str, str], tmp_path: Path, content: bytes):
    file = tmp_path / "peppers"
    file.write_bytes(content)
    with pytest.raises(SettingError, match="must hold 1 to 3 lines of 32 bytes"):
        create_app(environment | {"API_KEY_PEPPER_FILE": str(file)})


async def test_a_key_is_forgotten_some_time_after_its_end_and_its_secret_at_once(place: KeyRoom, superuser: Superuser):
    await place.make()
    await place.revoke((await place.make())["key_id"])
    assert counts(superuser, "api_key", "api_key_secret") == [2, 1]
    place.clock.advance(LIFETIME)
    await wait_for(lambda: counts(superuser, "api_key", "api_key_secret") == [1, 0])
    place.clock.advance(KEPT)
    await wait_for(lambda: counts(superuser, "api_key") == [0])
