"""Who guesses waits longer and longer; who owns the account is not locked out by it for good."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import psycopg
import pytest
from auth.domain.attempts import FIRST_PAUSE, FREE, KEPT, PAUSE_MAX, TELL_EVERY, Counted
from kit.clock import MovableClock
from kit.problems import TYPE_PREFIX
from kit.testing import wait_for

from services.auth.tests.client import ELSEWHERE, HOME, PASSWORD, Auth, Place

WRONG = "wrong horse battery"
FREE_TRIES = FREE[Counted.ACCOUNT]
Rows = psycopg.Connection[Any]


async def guess(auth: Auth, times: int, *, email: str = "owner@example.com", place: Place = ELSEWHERE) -> list[int]:
    return [(await auth.try_sign_in(email, WRONG, place=place)).status_code for _ in range(times)]


def assert_paused(answer: httpx.Response, pause: timedelta) -> None:
    assert answer.status_code == 429
    assert answer.json()["type"] == TYPE_PREFIX + "too-many-attempts"
    assert 0 < int(answer.headers["retry-after"]) <= pause.total_seconds()
    assert int(answer.headers["retry-after"]) > pause.total_seconds() * 0.8


@pytest.mark.promise("P97")
async def test_after_some_failures_each_costs_twice_the_pause(auth: Auth, clock: MovableClock):
    await auth.sign_up()
    assert await guess(auth, FREE_TRIES) == [401] * FREE_TRIES
    pause = FIRST_PAUSE
    for _ in range(7):
        assert_paused(await auth.try_sign_in(place=ELSEWHERE), pause)
        clock.advance(pause)
        assert await guess(auth, 1) == [401]
        pause = min(2 * pause, PAUSE_MAX)
    assert pause == PAUSE_MAX
    clock.advance(pause)
    await auth.sign_in(place=ELSEWHERE)


async def test_a_success_clears_what_was_counted_for_the_account(auth: Auth):
    await auth.sign_up()
    for number in range(2):
        assert await guess(auth, FREE_TRIES - 1) == [401] * (FREE_TRIES - 1)
        await auth.sign_in(place=Place(f"192.0.2.{number}"))
    # At home it clears nothing: it says nothing about who guesses elsewhere.
    await guess(auth, FREE_TRIES)
    await auth.sign_in(place=Place("192.0.2.0"))
    assert (await auth.try_sign_in(place=ELSEWHERE)).status_code == 429


async def test_an_address_without_an_account_is_counted_in_the_same_way(auth: Auth):
    await auth.sign_up()
    known = await guess(auth, FREE_TRIES + 2)
    unknown = await guess(auth, FREE_TRIES + 2, email="nobody@example.com", place=Place("192.0.2.77"))
    assert known == unknown == [401] * FREE_TRIES + [429] * 2


@pytest.mark.promise("P97")
async def test_who_guesses_elsewhere_does_not_lock_the_owner_out_at_home(auth: Auth, clock: MovableClock):
    await auth.sign_up()
    await auth.sign_in(place=HOME)
    await guess(auth, FREE_TRIES)
    assert (await auth.try_sign_in(place=ELSEWHERE)).status_code == 429
    await auth.sign_in(place=HOME)
    # The address alone, or the device alone, is not home.
    assert (await auth.try_sign_in(place=Place(HOME.address, "curl/8"))).status_code == 429
    assert (await auth.try_sign_in(place=Place("192.0.2.5", HOME.user_agent))).status_code == 429
    assert await guess(auth, FREE_TRIES + 1, place=HOME) == [401] * FREE_TRIES + [429]


async def test_a_reset_by_mail_leads_past_a_lock_out(auth: Auth):
    await auth.sign_up()
    await guess(auth, FREE_TRIES)
    abroad, new = Place("192.0.2.44"), "seven hills before breakfast"
    assert (await auth.try_sign_in(place=abroad)).status_code == 429
    await auth.ask("POST", "/api/password-resets", {"email": "owner@example.com"}, expect=202)
    body = {"token": await auth.mailbox.token("reset_password"), "password": new}
    await auth.ask("POST", "/api/password-resets/confirmations", body, auth.through_gateway(abroad), expect=204)
    await auth.sign_in(password=new, place=abroad)
    assert (await auth.try_sign_in(password=new, place=ELSEWHERE)).status_code == 429


async def test_one_network_that_tries_many_accounts_is_slowed_down(auth: Auth, superuser: Rows):
    await guess(auth, 1, email="person1@example.com")
    superuser.execute("UPDATE attempt SET failures = %s", (FREE[Counted.NETWORK] - 1,))
    assert await guess(auth, 1, email="person2@example.com") == [401]
    assert_paused(await auth.try_sign_in("another@example.com", WRONG, place=ELSEWHERE), FIRST_PAUSE)
    assert (await auth.try_sign_in("another@example.com", WRONG, place=HOME)).status_code == 401


async def test_who_signs_in_between_guesses_does_not_clear_what_is_counted_for_their_network(
    auth: Auth, superuser: Rows
):
    await auth.sign_up()
    await guess(auth, 1, email="person1@example.com")
    superuser.execute("UPDATE attempt SET failures = %s", (FREE[Counted.NETWORK] - 2,))
    await auth.sign_in(place=ELSEWHERE)
    assert await guess(auth, 2, email="person2@example.com") == [401, 401]
    assert_paused(await auth.try_sign_in("another@example.com", WRONG, place=ELSEWHERE), FIRST_PAUSE)


async def test_many_tries_at_once_are_no_way_past_the_count(auth: Auth):
    await auth.sign_up()
    tries = [auth.try_sign_in(password=WRONG, place=ELSEWHERE) for _ in range(FREE_TRIES * 2)]
    statuses = sorted(answer.status_code for answer in await asyncio.gather(*tries))
    assert statuses == [401] * FREE_TRIES + [429] * FREE_TRIES


async def test_the_owner_is_told_of_a_lock_out_once_a_day(auth: Auth, clock: MovableClock, superuser: Rows):
    await auth.sign_up()

    def told() -> int:
        found = superuser.execute("SELECT count(*) FROM security_event WHERE kind = 'locked_out'").fetchone()
        return int(found[0]) if found else 0

    await guess(auth, FREE_TRIES - 1)
    assert told() == 0
    for _ in range(4):
        await guess(auth, 1)
        clock.advance(PAUSE_MAX)
    assert told() == 1
    clock.advance(TELL_EVERY)
    await guess(auth, FREE_TRIES)
    assert told() == 2
    assert len(await auth.mailbox.wait("locked_out", "owner@example.com", count=2)) == 2


async def test_a_stolen_session_is_no_way_to_guess_the_password(auth: Auth):
    await auth.sign_up()
    headers = await auth.headers(await auth.sign_in())
    routes: list[tuple[str, str, dict[str, str]]] = [
        ("POST", "/api/session/presence", {}),
        ("POST", "/api/account/password", {"new_password": "seven hills before breakfast"}),
        ("DELETE", "/api/account", {}),
    ]
    statuses = []
    for number in range(FREE_TRIES + 3):
        method, path, more = routes[number % 3]
        answer = await auth.http.request(method, path, json={"password": WRONG} | more, headers=headers)
        statuses.append(answer.status_code)
    assert statuses == [403] * FREE_TRIES + [429] * 3
    right = await auth.http.post("/api/session/presence", json={"password": PASSWORD}, headers=headers)
    assert right.status_code == 429


async def test_counts_name_nobody_and_are_forgotten(auth: Auth, clock: MovableClock, superuser: Rows):
    await auth.sign_up()
    await guess(auth, FREE_TRIES)
    await guess(auth, 1, email="nobody@example.com")
    stored = "\n".join(text for (text,) in superuser.execute("SELECT a::text FROM attempt a").fetchall())
    assert stored
    for known in ("owner", "nobody", "example", ELSEWHERE.address):
        assert known not in stored
        assert known.encode().hex() not in stored
    clock.advance(KEPT + timedelta(minutes=1))
    await wait_for(lambda: superuser.execute("SELECT count(*) FROM attempt").fetchone() == (0,))
