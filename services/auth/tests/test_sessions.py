"""What a person sees of their sessions and of their security log, and what they can end."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from auth.domain.security import EVENTS_KEPT, PLACE_KEPT
from auth.domain.sessions import AT_MOST, IDLE_LIFETIME, LIFETIME, Holder
from kit.clock import MovableClock
from kit.ids import new_id
from kit.testing import wait_for
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from services.auth.tests.client import ELSEWHERE, FIREFOX, HOME, Auth, Place

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) AppleWebKit/605 Version/18.0 Safari/604.1"
Rows = psycopg.Connection[Any]


async def shown(auth: Auth, token: str) -> list[dict[str, Any]]:
    answer = await auth.http.get("/api/account/sessions", headers=await auth.headers(token))
    assert answer.status_code == 200
    found: list[dict[str, Any]] = answer.json()["sessions"]
    return found


async def events(auth: Auth, token: str, **query: str) -> list[dict[str, Any]]:
    answer = await auth.http.get("/api/account/security-events", headers=await auth.headers(token), params=query)
    assert answer.status_code == 200
    found: list[dict[str, Any]] = answer.json()["events"]
    return found


async def test_a_person_sees_their_sessions_and_until_when_they_last(auth: Auth, clock: MovableClock):
    await auth.sign_up()
    await auth.sign_up("other@example.com")
    await auth.sign_in("other@example.com", place=HOME)
    phone = Place("2001:db8::7", IPHONE)
    await auth.sign_in(place=phone)
    clock.advance(timedelta(minutes=5))
    present = await auth.sign_in(place=HOME)
    here, there = await shown(auth, present)
    assert (here["device"], here["client_address"], here["present"]) == ("Firefox on Linux", HOME.address, True)
    assert (there["device"], there["client_address"], there["present"]) == ("Safari on iOS", phone.address, False)
    times = {name: datetime.fromisoformat(here[name]) for name in ("created_at", "idle_ends_at", "expires_at")}
    assert times["idle_ends_at"] - times["created_at"] == IDLE_LIFETIME
    assert times["expires_at"] - times["created_at"] == LIFETIME
    assert present not in str(here)


async def test_one_session_is_ended_from_another(auth: Auth):
    await auth.sign_up()
    lost, present = await auth.sign_in(place=ELSEWHERE), await auth.sign_in(place=HOME)
    [session_id] = [each["session_id"] for each in await shown(auth, present) if not each["present"]]
    headers = await auth.headers(present)
    assert (await auth.http.delete(f"/api/account/sessions/{session_id}", headers=headers)).status_code == 204
    assert (await auth.ask_passport(lost)).status_code == 401
    assert (await auth.ask_passport(present)).status_code == 200
    assert (await auth.http.delete(f"/api/account/sessions/{session_id}", headers=headers)).status_code == 404


async def test_anothers_session_is_not_there_to_end(auth: Auth):
    await auth.sign_up()
    await auth.sign_up("other@example.com")
    mine, others = await auth.sign_in(), await auth.sign_in("other@example.com")
    [session] = await shown(auth, others)
    headers = await auth.headers(mine)
    for session_id in (session["session_id"], new_id()):
        assert (await auth.http.delete(f"/api/account/sessions/{session_id}", headers=headers)).status_code == 404
    await auth.http.delete("/api/account/sessions?present=end", headers=headers)
    assert (await auth.ask_passport(others)).status_code == 200


@pytest.mark.parametrize(("query", "ended", "present_status"), [("", 2, 200), ("?present=end", 3, 401)])
async def test_a_person_signs_out_everywhere(auth: Auth, query: str, ended: int, present_status: int):
    await auth.sign_up()
    others, present = [await auth.sign_in(), await auth.sign_in()], await auth.sign_in()
    answer = await auth.http.delete(f"/api/account/sessions{query}", headers=await auth.headers(present))
    assert (answer.status_code, answer.json()) == (200, {"ended": ended})
    assert [(await auth.ask_passport(token)).status_code for token in others] == [401, 401]
    assert (await auth.ask_passport(present)).status_code == present_status


async def test_of_too_many_sessions_the_oldest_ends(auth: Auth, superuser: Rows):
    account_id = await auth.sign_up()
    oldest = await auth.sign_in()
    superuser.execute(
        "INSERT INTO session (session_id, account_id, token_hash, created_at, last_used_at, expires_at)"
        " SELECT gen_random_uuid(), account_id, sha256(n::text::bytea), created_at + interval '1 ms', last_used_at,"
        " expires_at FROM session, generate_series(2, %s) n WHERE account_id = %s",
        (AT_MOST, account_id),
    )
    assert (await auth.ask_passport(oldest)).status_code == 200
    newest = await auth.sign_in()
    assert superuser.execute("SELECT count(*) FROM session").fetchone() == (AT_MOST,)
    assert (await auth.ask_passport(oldest)).status_code == 401
    assert (await auth.ask_passport(newest)).status_code == 200


async def test_what_a_client_says_of_itself_is_believed_from_the_gateway_only(auth: Auth):
    await auth.sign_up()
    body = {"email": "owner@example.com", "password": "correct horse battery"}
    for headers in ({}, auth.passport(service="publisher"), {"Authorization": "Bearer nonsense"}):
        answer = await auth.http.post("/api/session", json=body, headers=headers | HOME.headers)
        assert answer.status_code == 201
        for session in await shown(auth, answer.json()["session_token"]):
            assert (session["client_address"], session["device"]) == (None, "unknown")


@pytest.mark.promise("P08")
async def test_the_security_log_says_what_was_done_from_where(auth: Auth):
    await auth.sign_up()
    await auth.sign_up("other@example.com")
    await auth.sign_in("other@example.com", place=ELSEWHERE)
    await auth.try_sign_in(password="wrong horse battery", place=ELSEWHERE)
    token = await auth.sign_in(place=HOME)
    await auth.http.delete("/api/account/sessions", headers=await auth.headers(token) | HOME.headers)
    found = await events(auth, token)
    assert [(each["kind"], each["client_address"]) for each in found] == [
        ("sessions_ended", HOME.address),
        ("signed_in", HOME.address),
        ("sign_in_failed", ELSEWHERE.address),
    ]
    assert {(each["device"], each["user_agent"]) for each in found} == {("Firefox on Linux", FIREFOX)}
    assert [each["kind"] for each in await events(auth, token, before=found[0]["event_id"])] == [
        "signed_in",
        "sign_in_failed",
    ]


@pytest.mark.promise("P08")
async def test_address_and_user_agent_are_purged_after_90_days(auth: Auth, clock: MovableClock, superuser: Rows):
    await auth.sign_up()
    await auth.sign_in(place=HOME)
    clock.advance(PLACE_KEPT - timedelta(hours=1))
    token = await auth.sign_in(place=ELSEWHERE)

    def stored() -> list[tuple[Any, ...]]:
        return superuser.execute(
            "SELECT client_address, client_network, device, user_agent FROM security_event ORDER BY occurred_at"
        ).fetchall()

    elsewhere = (ELSEWHERE.address, ELSEWHERE.address, "Firefox on Linux", FIREFOX)
    assert stored()[1] == elsewhere
    assert stored()[0][0] == HOME.address
    clock.advance(timedelta(hours=1))
    await wait_for(lambda: stored() == [(None, None, None, None), elsewhere])
    assert [each["client_address"] for each in await events(auth, token)] == [ELSEWHERE.address, None]
    assert superuser.execute("SELECT count(*) FROM session WHERE client_address = %s", (HOME.address,)).fetchone() == (
        0,
    )
    clock.advance(EVENTS_KEPT)
    await wait_for(lambda: stored() == [])


@pytest.mark.promise("P08")
async def test_no_log_line_and_no_span_holds_an_address_or_a_user_agent(
    auth: Auth, spans: InMemorySpanExporter, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    await auth.sign_up()
    token = await auth.sign_in(place=HOME)
    await auth.try_sign_in(password="wrong horse battery", place=HOME)
    await auth.http.delete("/api/session", headers=await auth.headers(token) | HOME.headers)
    traced = "".join(span.to_json() for span in spans.get_finished_spans())
    assert "POST /api/session" in traced
    for written in (traced, caplog.text):
        assert HOME.address not in written
        assert FIREFOX not in written


async def test_nobody_who_has_a_session_can_clean_the_log(environment: dict[str, str], auth: Auth):
    account_id = await auth.sign_up()
    await auth.sign_in(place=HOME)
    with psycopg.connect(environment["DATABASE_URL_AUTH"], autocommit=True) as connection:
        connection.execute(f"SET app.account_id = '{account_id}'")
        assert connection.execute("SELECT count(*) FROM security_event").fetchone() == (1,)
        for statement in ("DELETE FROM security_event", "UPDATE security_event SET kind = 'x'"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
        connection.execute(f"SET app.account_id = '{new_id()}'")
        assert connection.execute("SELECT count(*) FROM security_event").fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM attempt").fetchone() == (0,)


async def test_a_sign_in_from_a_new_device_is_told_by_mail(auth: Auth):
    await auth.sign_up()
    phone = Place(HOME.address, IPHONE)
    for place in (HOME, HOME, ELSEWHERE, ELSEWHERE, phone):
        await auth.sign_in(place=place)
    letters = await auth.mailbox.wait("new_sign_in", "owner@example.com", count=2)
    assert len(letters) == 2
    for letter, device, place in zip(letters, ("Firefox on Linux", "Safari on iOS"), (ELSEWHERE, HOME), strict=True):
        assert device in letter.text
        assert place.address in letter.text


NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("unused", "left", "alive"),
    [
        (timedelta(), LIFETIME, True),
        (IDLE_LIFETIME - timedelta(seconds=1), timedelta(seconds=1), True),
        (IDLE_LIFETIME, timedelta(days=1), False),
        (timedelta(), timedelta(), False),
    ],
)
def test_a_session_that_nobody_has_swept_yet_opens_nothing_after_its_end(
    unused: timedelta, left: timedelta, alive: bool
):
    holder = Holder(new_id(), new_id(), NOON - unused, NOON + left, role=None, second_factor_missing=False)
    assert holder.is_alive(NOON) is alive
