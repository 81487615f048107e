"""Accounts and sessions over HTTP, on the real database and bus."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from argon2 import PasswordHasher
from auth.adapters import passwords
from auth.adapters.passwords import Argon2Hashes
from auth.domain.sessions import IDLE_LIFETIME, LIFETIME
from contracts.auth import AccountRegisteredV1
from kit.clock import MovableClock
from kit.ids import new_id
from kit.problems import TYPE_PREFIX
from kit.secret import Secret
from kit.testing.services import Bus

from services.auth.tests.client import PASSWORD, Auth, sign_up_body

Rows = psycopg.Connection[Any]


async def test_a_new_account_is_stored_told_and_can_sign_in(auth: Auth, bus: Bus, superuser: Rows):
    account_id = await auth.sign_up(" Owner@Example.com ", full_name="Owner", language="de")
    headers = await auth.headers(await auth.sign_in("OWNER@example.com"))
    shown = (await auth.http.get("/api/account", headers=headers)).json()
    assert shown.pop("created_at")
    assert shown == {
        "account_id": str(account_id),
        "email": "owner@example.com",
        "full_name": "Owner",
        "company": None,
        "time_zone": "Europe/Berlin",
        "language": "de",
    }
    assert await bus.wait_told(AccountRegisteredV1) == [AccountRegisteredV1(account_id=account_id)]


async def test_a_person_corrects_what_their_account_says(auth: Auth):
    account_id = await auth.sign_up(full_name="Ownr", company="Acorn")
    headers = auth.passport(account_id=account_id)
    changes = {"full_name": "Owner", "company": None, "time_zone": "Asia/Tokyo"}
    answer = await auth.http.patch("/api/account", json=changes, headers=headers)
    assert answer.status_code == 200
    shown = (await auth.http.get("/api/account", headers=headers)).json()
    assert {name: shown[name] for name in (*changes, "language", "email")} == changes | {
        "language": "en",
        "email": "owner@example.com",
    }
    refused = await auth.http.patch("/api/account", json={"time_zone": "Mars/Base"}, headers=headers)
    assert refused.status_code == 422
    assert (await auth.http.get("/api/account", headers=headers)).json() == shown


@pytest.mark.promise("P02")
async def test_a_password_is_stored_as_an_argon2id_hash_only(auth: Auth, superuser: Rows):
    await auth.sign_up()
    (stored,) = superuser.execute("SELECT password_hash FROM credential").fetchone() or ("",)
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert PASSWORD not in stored
    assert PasswordHasher().verify(stored, PASSWORD)


async def test_a_hash_of_older_parameters_is_renewed_at_sign_in(auth: Auth, superuser: Rows):
    await auth.sign_up()
    superuser.execute(
        "UPDATE credential SET password_hash = %s",
        (PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD),),
    )
    await auth.sign_in()
    (stored,) = superuser.execute("SELECT password_hash FROM credential").fetchone() or ("",)
    assert f"m={passwords.MEMORY_KIB},t={passwords.PASSES}" in stored
    await auth.sign_in()


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"email": "owner"}, "/email"),
        ({"email": "owner@example"}, "/email"),
        ({"email": "o" * 250 + "@example.com"}, "/email"),
        ({"email": 7}, "/email"),
        ({"password": "short"}, "/password"),
        ({"password": "aaaaaaaaaaaaaa"}, "/password"),
        ({"password": "my name is Owner"}, "/password"),
        ({"time_zone": "Mars/Base"}, "/time_zone"),
        ({"time_zone": "America"}, "/time_zone"),
        ({"time_zone": "../UTC"}, "/time_zone"),
        ({"language": "klingon!"}, "/language"),
        ({"full_name": ""}, "/full_name"),
    ],
)
async def test_a_sign_up_with_a_wrong_value_is_refused_whole(
    auth: Auth, superuser: Rows, changes: dict[str, Any], pointer: str
):
    answer = await auth.http.post("/api/accounts", json=sign_up_body(**changes))
    assert answer.status_code == 422
    assert answer.json()["type"] == TYPE_PREFIX + "invalid"
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert superuser.execute("SELECT count(*) FROM account").fetchone() == (0,)


async def test_an_unknown_field_is_refused(auth: Auth, superuser: Rows):
    answer = await auth.http.post("/api/accounts", json=sign_up_body(is_admin=True))
    assert answer.status_code in (400, 422)
    assert "is_admin" in answer.text
    assert superuser.execute("SELECT count(*) FROM account").fetchone() == (0,)


@pytest.mark.promise("P04")
async def test_nobody_signs_up_without_attesting_their_age(auth: Auth, superuser: Rows):
    without = sign_up_body()
    del without["age_attested"]
    for body in (without, sign_up_body(age_attested=False)):
        answer = await auth.http.post("/api/accounts", json=body)
        assert answer.status_code == 422, answer.text
        assert "age_attested" in answer.text
    assert superuser.execute("SELECT count(*) FROM account").fetchone() == (0,)


async def test_an_unknown_address_is_answered_like_a_wrong_password(auth: Auth):
    await auth.sign_up()
    answers = [
        await auth.http.post("/api/session", json={"email": email, "password": password})
        for email, password in (("owner@example.com", "wrong horse battery"), ("nobody@example.com", PASSWORD))
    ]
    assert [answer.status_code for answer in answers] == [401, 401]
    documents = [answer.json() for answer in answers]
    for document in documents:
        document.pop("trace_id", None)
    assert documents[0] == documents[1]
    assert documents[0]["type"] == TYPE_PREFIX + "credentials-refused"


async def test_a_password_of_nobody_costs_the_same_work():
    """Not a stopwatch, which would be noise: the same hash function runs with the same parameters."""
    hashes = Argon2Hashes()
    verified: list[str] = []
    inner = hashes._verify

    def recording(password_hash: str, password: Secret) -> bool:
        verified.append(password_hash)
        return inner(password_hash, password)

    hashes._verify = recording  # type: ignore[method-assign]
    assert not await hashes.matches(None, Secret("nobody's password"))
    real = await hashes.make(Secret(PASSWORD))
    assert await hashes.matches(real, Secret(PASSWORD))
    assert verified[0].rsplit("$", 2)[0] == real.rsplit("$", 2)[0]


async def test_a_session_becomes_a_passport(auth: Auth):
    account_id = await auth.sign_up()
    answer = await auth.ask_passport(await auth.sign_in())
    assert answer.status_code == 200
    assert answer.json()["account_id"] == str(account_id)
    shown = await auth.http.get("/api/account", headers={"Authorization": f"Bearer {answer.json()['passport']}"})
    assert shown.json()["account_id"] == str(account_id)


async def test_a_session_token_is_stored_as_a_hash(auth: Auth, superuser: Rows):
    await auth.sign_up()
    token = await auth.sign_in()
    (row,) = superuser.execute("SELECT session::text FROM session").fetchone() or ("",)
    assert token not in row
    assert len(token) >= 43


async def test_signing_out_ends_this_session_only(auth: Auth):
    await auth.sign_up()
    here, elsewhere = await auth.sign_in(), await auth.sign_in()
    answer = await auth.http.delete("/api/session", headers=await auth.headers(here))
    assert answer.status_code == 204
    assert (await auth.ask_passport(here)).status_code == 401
    assert (await auth.ask_passport(elsewhere)).status_code == 200


async def test_a_session_ends_when_idle_and_at_last(auth: Auth, clock: MovableClock, superuser: Rows):
    await auth.sign_up()
    idle, busy = await auth.sign_in(), await auth.sign_in()
    clock.advance(IDLE_LIFETIME - timedelta(hours=1))
    assert (await auth.ask_passport(busy)).status_code == 200
    clock.advance(timedelta(hours=2))
    assert (await auth.ask_passport(idle)).status_code == 401
    assert (await auth.ask_passport(busy)).status_code == 200
    clock.advance(IDLE_LIFETIME - timedelta(hours=2))
    assert (await auth.ask_passport(busy)).status_code == 200
    clock.advance(LIFETIME - 2 * IDLE_LIFETIME)
    assert (await auth.ask_passport(busy)).status_code == 200
    clock.advance(timedelta(hours=2))
    assert (await auth.ask_passport(busy)).status_code == 401


async def test_the_last_use_is_written_once_a_minute(auth: Auth, clock: MovableClock, superuser: Rows):
    await auth.sign_up()
    token = await auth.sign_in()

    def last_used() -> object:
        return superuser.execute("SELECT last_used_at FROM session").fetchone()

    first = last_used()
    await auth.ask_passport(token)
    assert last_used() == first
    clock.advance(timedelta(minutes=1))
    await auth.ask_passport(token)
    assert last_used() != first


@pytest.mark.parametrize("token", [None, "", "unknown", "x" * 200])
async def test_an_unknown_session_gets_no_passport(auth: Auth, token: str | None):
    answer = await auth.http.post(
        "/internal/passports", json={"session_token": token}, headers=auth.passport(service="gateway")
    )
    assert answer.status_code == 401
    assert answer.json()["type"] == TYPE_PREFIX + "unauthenticated"


async def test_only_the_gateway_is_given_passports(auth: Auth):
    await auth.sign_up()
    token = await auth.sign_in()
    for headers, status in (
        ({}, 401),
        (auth.passport(service="publisher"), 403),
        (auth.passport(account_id=new_id()), 403),
    ):
        answer = await auth.http.post("/internal/passports", json={"session_token": token}, headers=headers)
        assert answer.status_code == status


@pytest.mark.parametrize(("method", "path"), [("GET", "/api/account"), ("DELETE", "/api/session")])
async def test_what_needs_a_session_is_refused_without(auth: Auth, method: str, path: str):
    for headers in ({}, auth.passport(service="gateway"), {"Authorization": "Bearer nonsense"}):
        answer = await auth.http.request(method, path, headers=headers)
        assert answer.status_code == 401
        assert answer.json()["type"] == TYPE_PREFIX + "unauthenticated"


async def test_an_account_of_yesterday_is_unauthenticated(auth: Auth):
    answer = await auth.http.get("/api/account", headers=auth.passport(account_id=UUID(int=1)))
    assert answer.status_code == 401
