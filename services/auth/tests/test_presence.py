"""Step-up: what is delicate needs a proof, not long ago, that the person themself is at the session."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from auth.domain.presence import RECENT, PresenceNeeded
from auth.ports.store import Transactions
from auth.use_cases.presence import check_recent
from kit.clock import MovableClock
from kit.database import Scope
from kit.ids import new_id
from kit.passport import Caller, Passports
from kit.problems import TYPE_PREFIX

from services.auth.tests.client import PASSWORD, Auth

ReadPassport = Callable[[dict[str, str]], Caller]


@pytest.fixture
def passports(read_passports: Passports) -> ReadPassport:
    return lambda headers: read_passports.verify(headers["Authorization"].removeprefix("Bearer "))


async def is_present(transactions: Transactions, caller: Caller) -> bool:
    async with transactions(Scope.account(caller.account)) as store:
        try:
            await check_recent(store, caller)
        except PresenceNeeded:
            return False
    return True


async def test_a_sign_in_is_a_proof_for_a_quarter_of_an_hour(
    auth: Auth, transactions: Transactions, clock: MovableClock, passports: ReadPassport
):
    await auth.sign_up()
    caller = passports(await auth.headers(await auth.sign_in()))
    assert await is_present(transactions, caller)
    clock.advance(RECENT)
    assert not await is_present(transactions, caller)


async def test_a_password_proves_presence_and_changes_the_token(
    auth: Auth, transactions: Transactions, clock: MovableClock, passports: ReadPassport
):
    await auth.sign_up()
    before, elsewhere = await auth.sign_in(), await auth.sign_in()
    clock.advance(timedelta(hours=1))
    headers = await auth.headers(before)
    answer = await auth.http.post("/api/session/presence", json={"password": PASSWORD}, headers=headers)
    assert answer.status_code == 201
    assert await is_present(transactions, passports(headers))
    assert not await is_present(transactions, passports(await auth.headers(elsewhere)))
    assert (await auth.ask_passport(before)).status_code == 401
    after = passports(await auth.headers(answer.json()["session_token"]))
    assert after.session_id == passports(headers).session_id


async def test_a_wrong_password_proves_nothing(
    auth: Auth, transactions: Transactions, clock: MovableClock, passports: ReadPassport
):
    await auth.sign_up()
    token = await auth.sign_in()
    clock.advance(timedelta(hours=1))
    headers = await auth.headers(token)
    answer = await auth.http.post("/api/session/presence", json={"password": "wrong horse battery"}, headers=headers)
    assert answer.status_code == 403
    assert answer.json()["type"] == TYPE_PREFIX + "password-refused"
    assert not await is_present(transactions, passports(headers))
    assert (await auth.ask_passport(token)).status_code == 200


async def test_without_a_living_session_nobody_is_present(
    auth: Auth, transactions: Transactions, passports: ReadPassport
):
    account_id = await auth.sign_up()
    for session_id in (None, new_id()):
        assert not await is_present(transactions, Caller(account_id, session_id))
    token = await auth.sign_in()
    headers = await auth.headers(token)
    await auth.http.delete("/api/session", headers=headers)
    assert not await is_present(transactions, passports(headers))
    answer = await auth.http.post("/api/session/presence", json={"password": PASSWORD}, headers=headers)
    assert answer.status_code == 401


async def test_anothers_session_proves_nothing(auth: Auth, transactions: Transactions, passports: ReadPassport):
    await auth.sign_up()
    other: UUID = await auth.sign_up("other@example.com")
    mine = passports(await auth.headers(await auth.sign_in()))
    assert not await is_present(transactions, Caller(other, mine.session_id))
