"""Which passwords are good enough, at sign-up and at a change, and what a change ends."""

from __future__ import annotations

import unicodedata
from typing import Any

import psycopg
import pytest
from auth.adapters.passwords import Argon2Hashes
from auth.domain.passwords import LENGTH_MAX, RATED_LENGTH, AboutPerson, weakness
from kit.problems import TYPE_PREFIX
from kit.secret import Secret

from services.auth.tests.client import PASSWORD, Auth, sign_up_body

JANE = AboutPerson("jane.roe@acorn-agency.example", "Jane Öder", "Acorn Agency")


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "seven hills before breakfast",
        "zu viele Köche am Herd",
        "ynnv-7aqp-x3km",
        "пять зелёных яблок",
        "acorn mirb tavu kzplo",
        " spaces count too ",
        "x" * 5 + "correct horse battery staple" * 30,
    ],
)
def test_a_password_that_is_hard_to_guess_is_taken_whatever_it_is_made_of(password: str):
    assert weakness(Secret(password), JANE) is None


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("ynnv7aqpx3k", "at least 12"),
        ("k" * LENGTH_MAX + "x", "at most 1024"),
        ("aaaaaaaaaaaaaaaa", "tried first"),
        ("password1234", "tried first"),
        ("P@ssw0rd1234", "tried first"),
        ("qwertyuiop12", "tried first"),
        ("iloveyou1234", "tried first"),
        ("hunter2hunter2", "tried first"),
        ("2024-12-24-2024", "tried first"),
        ("signoff-signoff", "tried first"),
        ("my name is jane.roe", "address, name or company"),
        ("Acorn-Agency-2026!", "address, name or company"),
        ("4c0rn-4g3ncy-xy7!", "address, name or company"),
        ("Jane Öder, Köln", "address, name or company"),
    ],
)
def test_a_password_that_is_tried_early_is_refused(password: str, reason: str):
    found = weakness(Secret(password), JANE)
    assert found is not None
    assert reason in found
    assert password not in found


def test_two_people_rated_at_once_keep_their_words_apart():
    assert weakness(Secret("tavukzplomirb-x3"), AboutPerson("tavukzplomirb@a.example")) is not None
    assert weakness(Secret("tavukzplomirb-x3"), AboutPerson("b@a.example")) is None


def test_only_the_beginning_of_a_long_password_is_rated(monkeypatch: pytest.MonkeyPatch):
    rated: list[int] = []

    def count(password: str, user_inputs: list[str]) -> dict[str, Any]:
        rated.append(len(password))
        return {"guesses": 10**12}

    monkeypatch.setattr("zxcvbn.zxcvbn", count)
    assert weakness(Secret("k" * LENGTH_MAX), JANE) is None
    assert rated == [RATED_LENGTH]


async def test_a_password_is_the_same_however_its_characters_are_composed():
    hashes = Argon2Hashes()
    composed = unicodedata.normalize("NFC", "zu viele Köche")
    stored = await hashes.make(Secret(unicodedata.normalize("NFD", composed)))
    assert await hashes.matches(stored, Secret(composed))


@pytest.mark.promise("P97")
async def test_sign_up_and_change_refuse_the_same_passwords(auth: Auth, superuser: psycopg.Connection[Any]):
    await auth.sign_up(company="Acorn Agency")
    headers = await auth.headers(await auth.sign_in())
    before = superuser.execute("SELECT password_hash FROM credential").fetchall()
    for bad in ("password1234", "Acorn-Agency-2026!", "ynnv7aqpx3k"):
        body = sign_up_body("other@example.com", password=bad, company="Acorn Agency")
        refused = await auth.http.post("/api/accounts", json=body)
        assert [error["pointer"] for error in refused.json()["errors"]] == ["/password"]
        body = {"password": PASSWORD, "new_password": bad}
        refused = await auth.http.post("/api/account/password", json=body, headers=headers)
        assert refused.status_code == 422
        assert [error["pointer"] for error in refused.json()["errors"]] == ["/new_password"]
    assert superuser.execute("SELECT password_hash FROM credential").fetchall() == before


async def test_a_change_of_password_ends_every_other_session_and_is_told(auth: Auth):
    await auth.sign_up()
    here, elsewhere = await auth.sign_in(), await auth.sign_in()
    headers = await auth.headers(here)
    body = {"password": PASSWORD, "new_password": "seven hills before breakfast"}
    answer = await auth.http.post("/api/account/password", json=body, headers=headers)
    assert answer.status_code == 201
    assert [(await auth.ask_passport(token)).status_code for token in (here, elsewhere)] == [401, 401]
    assert (await auth.ask_passport(answer.json()["session_token"])).status_code == 200
    assert (await auth.try_sign_in()).status_code == 401
    await auth.sign_in(password="seven hills before breakfast")
    assert await auth.mailbox.wait("password_changed", "owner@example.com")


async def test_the_old_password_is_needed_for_a_new_one(auth: Auth):
    await auth.sign_up()
    token = await auth.sign_in()
    body = {"password": "wrong horse battery", "new_password": "seven hills before breakfast"}
    answer = await auth.http.post("/api/account/password", json=body, headers=await auth.headers(token))
    assert answer.status_code == 403
    assert answer.json()["type"] == TYPE_PREFIX + "password-refused"
    assert (await auth.ask_passport(token)).status_code == 200
    await auth.sign_in()
