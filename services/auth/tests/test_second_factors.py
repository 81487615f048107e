"""An authenticator app and recovery codes: set up, asked for at sign-in, each code good once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pyotp
import pytest
from auth.domain.attempts import FREE, Counted
from auth.domain.presence import RECENT
from auth.domain.second_factors import CEREMONY_LIFETIME, RECOVERY_CODES, UNCONFIRMED_LIFETIME
from auth.domain.vault import ORPHAN_AFTER
from kit.clock import MovableClock
from kit.problems import TYPE_PREFIX
from kit.testing import wait_for

from services.auth.tests.client import ELSEWHERE, HOME, PASSWORD, Auth, Superuser
from services.auth.tests.test_connecting import counts

STEP = timedelta(seconds=30)
APP = "/api/account/authenticator-app"


class Person:
    """Somebody with an authenticator app, and the session in which they set it up."""

    def __init__(self, auth: Auth, clock: MovableClock) -> None:
        self.auth, self.clock = auth, clock
        self.token = self.secret = ""
        self.recovery_codes: list[str] = []

    def code(self, offset: int = 0) -> str:
        return pyotp.TOTP(self.secret).at(self.clock.now(), counter_offset=offset)

    async def headers(self) -> dict[str, str]:
        return await self.auth.headers(self.token)

    async def set_up(self) -> None:
        self.token = await self.auth.sign_in(place=HOME)
        headers = await self.headers()
        self.secret = (await self.auth.ask("POST", APP, headers=headers, expect=201))["secret"]
        body = {"code": self.code()}
        answer = await self.auth.ask("POST", f"{APP}/confirmation", body, headers, expect=201)
        self.token, self.recovery_codes = answer["session_token"], answer["recovery_codes"]

    async def begin(self) -> dict[str, Any]:
        answer = await self.auth.try_sign_in(place=HOME)
        assert answer.status_code == 200, answer.text
        wanted: dict[str, Any] = answer.json()["second_factor"]
        return wanted

    async def finish(self, pending: str, **given: str) -> httpx.Response:
        headers = self.auth.through_gateway(HOME)
        return await self.auth.http.post(
            "/api/session/second-factor", json={"pending": pending} | given, headers=headers
        )


@pytest.fixture
async def person(auth: Auth, clock: MovableClock) -> Person:
    await auth.sign_up()
    someone = Person(auth, clock)
    await someone.set_up()
    return someone


def problem(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix(TYPE_PREFIX)


async def test_a_password_alone_opens_nothing_once_there_is_an_app(person: Person):
    wanted = await person.begin()
    assert wanted["methods"] == ["code", "recovery_code"]
    assert (await person.auth.ask_passport(wanted["pending"])).status_code == 401
    person.clock.advance(STEP)
    answer = await person.finish(wanted["pending"], code=person.code())
    assert answer.status_code == 201
    assert (await person.auth.ask_passport(answer.json()["session_token"])).status_code == 200
    assert problem(await person.finish(wanted["pending"], code=person.code(1))) == (401, "ceremony-over")


async def test_a_code_works_once_whoever_shows_it(person: Person):
    assert problem(await person.finish((await person.begin())["pending"], code=person.code())) == (403, "code-refused")
    person.clock.advance(STEP)
    code = person.code()
    pending = [(await person.begin())["pending"] for _ in range(3)]
    answers = await asyncio.gather(*(person.finish(each, code=code) for each in pending))
    assert sorted(answer.status_code for answer in answers) == [201, 403, 403]
    # Nor does an older one that was not used.
    assert problem(await person.finish((await person.begin())["pending"], code=person.code(-1))) == (
        403,
        "code-refused",
    )


@pytest.mark.parametrize(("offset", "status"), [(-2, 403), (-1, 201), (1, 201), (2, 403)])
async def test_a_code_is_taken_a_step_early_or_late(person: Person, offset: int, status: int):
    person.clock.advance(10 * STEP)
    wanted = await person.begin()
    assert (await person.finish(wanted["pending"], code=person.code(offset))).status_code == status


async def test_a_recovery_code_stands_in_once(person: Person):
    assert len(set(person.recovery_codes)) == RECOVERY_CODES
    code = person.recovery_codes[3]
    first = await person.finish((await person.begin())["pending"], recovery_code=f" {code.lower().replace('-', ' ')}")
    assert first.status_code == 201
    again = await person.finish((await person.begin())["pending"], recovery_code=code)
    assert problem(again) == (403, "code-refused")
    shown = await person.auth.ask("GET", "/api/account/second-factors", headers=await person.headers())
    assert (shown["authenticator_app"], shown["recovery_codes_left"]) == (True, RECOVERY_CODES - 1)


async def test_new_recovery_codes_end_the_old_ones(person: Person):
    headers = await person.headers()
    new = (await person.auth.ask("POST", "/api/account/recovery-codes", headers=headers, expect=201))["recovery_codes"]
    pending = (await person.begin())["pending"]
    assert problem(await person.finish(pending, recovery_code=person.recovery_codes[0])) == (403, "code-refused")
    assert (await person.finish(pending, recovery_code=new[0])).status_code == 201


async def test_a_half_done_sign_in_is_over_after_minutes(person: Person):
    wanted = await person.begin()
    person.clock.advance(CEREMONY_LIFETIME)
    assert problem(await person.finish(wanted["pending"], code=person.code())) == (401, "ceremony-over")
    assert problem(await person.finish("x" * 43, code=person.code())) == (401, "ceremony-over")


@pytest.mark.parametrize("given", [{}, {"code": "123456", "recovery_code": "AAAA"}, {"passkey": {}}])
async def test_one_proof_is_to_be_given(person: Person, given: dict[str, Any]):
    answer = await person.finish((await person.begin())["pending"], **given)
    assert answer.status_code in (409, 422)


@pytest.mark.promise("P97")
async def test_codes_cannot_be_guessed_by_who_knows_the_password(person: Person, clock: MovableClock):
    free = FREE[Counted.ACCOUNT]
    elsewhere = person.auth.through_gateway(ELSEWHERE)
    pending = (await person.auth.try_sign_in(place=ELSEWHERE)).json()["second_factor"]["pending"]
    statuses = []
    for number in range(free + 1):
        given = {"code": "000000"} if number % 2 else {"recovery_code": "AAAA-AAAA-AAAA-AAAA"}
        body = {"pending": pending} | given
        answer = await person.auth.http.post("/api/session/second-factor", json=body, headers=elsewhere)
        statuses.append(answer.status_code)
    assert statuses == [403] * free + [429]
    clock.advance(STEP)
    assert (await person.finish((await person.begin())["pending"], code=person.code())).status_code == 201
    assert await person.auth.mailbox.wait("locked_out")


async def test_what_is_set_up_needs_presence_and_a_first_code(auth: Auth, clock: MovableClock):
    await auth.sign_up()
    token = await auth.sign_in()
    clock.advance(RECENT)
    headers = await auth.headers(token)
    paths = ("", "/confirmation")
    for path, body in zip(paths, (None, {"code": "000000"}), strict=True):
        refused = await auth.http.post(APP + path, json=body, headers=headers)
        assert problem(refused) == (403, "presence-needed")
    headers = await auth.headers(await auth.sign_in())
    nothing = await auth.http.post(f"{APP}/confirmation", json={"code": "000000"}, headers=headers)
    assert problem(nothing) == (409, "no-second-factor")
    await auth.ask("POST", APP, headers=headers, expect=201)
    refused = await auth.http.post(f"{APP}/confirmation", json={"code": "000000"}, headers=headers)
    assert problem(refused) == (403, "code-refused")
    await auth.sign_in()


async def test_what_is_taken_away_needs_the_factor_itself(person: Person):
    person.clock.advance(RECENT)
    headers = await person.headers()
    assert problem(await person.auth.http.delete(APP, headers=headers)) == (403, "presence-needed")
    by_password = await person.auth.http.post("/api/session/presence", json={"password": PASSWORD}, headers=headers)
    assert problem(by_password) == (403, "second-factor-needed")
    proved = await person.auth.ask("POST", "/api/session/presence", {"code": person.code()}, headers, expect=201)
    headers = await person.auth.headers(proved["session_token"])
    assert (await person.auth.http.delete(APP, headers=headers)).status_code == 204
    shown = await person.auth.ask("GET", "/api/account/second-factors", headers=headers)
    assert shown == {"authenticator_app": False, "passkeys": [], "recovery_codes_left": 0}
    await person.auth.sign_in(place=HOME)
    changes = [letter.text for letter in await person.auth.mailbox.wait("second_factor_changed", count=2)]
    assert "authenticator app added" in changes[0]
    assert "authenticator app removed" in changes[1]


async def test_an_app_is_not_replaced_unseen(person: Person):
    answer = await person.auth.http.post(APP, headers=await person.headers())
    assert problem(answer) == (409, "authenticator-app-exists")


async def test_the_secret_and_the_codes_are_stored_unreadably(person: Person, superuser: Superuser):
    (row,) = superuser.execute("SELECT t::text FROM totp t").fetchone() or ("",)
    assert person.secret not in row
    assert person.secret.encode().hex() not in row
    codes = "\n".join(text for (text,) in superuser.execute("SELECT c::text FROM recovery_code c").fetchall())
    for code in person.recovery_codes:
        for spelling in (code, code.replace("-", ""), code.encode().hex(), code.replace("-", "").encode().hex()):
            assert spelling not in codes


async def test_a_removed_secrets_key_is_destroyed_and_a_used_ones_stays(
    person: Person, superuser: Superuser, clock: MovableClock
):
    def keys() -> list[Any]:
        return superuser.keys.execute("SELECT data_key_id FROM grant_key").fetchall()

    [kept] = keys()
    clock.advance(ORPHAN_AFTER + timedelta(minutes=15))
    await person.auth.sign_up("other@example.com")
    other = Person(person.auth, clock)
    other.token = await person.auth.sign_in("other@example.com")
    await person.auth.ask("POST", APP, headers=await other.headers(), expect=201)
    assert len(keys()) == 2
    clock.advance(UNCONFIRMED_LIFETIME)
    await wait_for(lambda: counts(superuser, "totp") == [1])
    clock.advance(ORPHAN_AFTER)
    await wait_for(lambda: keys() == [kept])
    wanted = await person.begin()
    token = (await person.finish(wanted["pending"], code=person.code())).json()["session_token"]
    await person.auth.http.delete(APP, headers=await person.auth.headers(token))
    assert keys() == []


async def test_an_app_whose_key_is_lost_leaves_the_recovery_codes(person: Person, superuser: Superuser):
    superuser.keys.execute("DELETE FROM grant_key")
    person.clock.advance(STEP)
    pending = (await person.begin())["pending"]
    assert problem(await person.finish(pending, code=person.code())) == (403, "code-refused")
    assert (await person.finish(pending, recovery_code=person.recovery_codes[0])).status_code == 201


async def test_deleting_the_account_ends_every_way_in(person: Person, superuser: Superuser):
    pending = (await person.begin())["pending"]
    person.clock.advance(STEP)
    answer = await person.auth.http.request(
        "DELETE", "/api/account", json={"password": PASSWORD}, headers=await person.headers()
    )
    assert answer.status_code == 202
    assert problem(await person.finish(pending, code=person.code())) == (401, "ceremony-over")
    assert counts(superuser, "totp", "recovery_code", "session", "credential", "ceremony") == [0] * 5
