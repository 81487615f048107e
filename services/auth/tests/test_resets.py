"""Forgotten passwords: a letter proves who asks for a new one, and what was begun with the old one ends."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from auth.domain.letters import PROOF_LIFETIME, ProofPurpose
from kit.clock import MovableClock
from kit.problems import TYPE_PREFIX
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from services.auth.tests.client import PASSWORD, Auth

EMAIL = "owner@example.com"
NEW = "another horse battery"


async def reset_token(auth: Auth, email: str = EMAIL) -> str:
    await auth.ask("POST", "/api/password-resets", {"email": email}, expect=202)
    return await auth.mailbox.token("reset_password", email)


async def confirm(auth: Auth, token: str, password: str = NEW, expect: int = 204) -> str:
    body = {"token": token, "password": password}
    answer = await auth.ask("POST", "/api/password-resets/confirmations", body, expect=expect)
    return str((answer or {}).get("type", "")).removeprefix(TYPE_PREFIX)


async def refused(auth: Auth, password: str) -> bool:
    answer = await auth.http.post("/api/session", json={"email": EMAIL, "password": password})
    return answer.status_code == 401


@pytest.mark.promise("P03")
@pytest.mark.promise("P90")
async def test_a_forgotten_password_is_replaced_by_a_letter_and_every_session_ends(auth: Auth):
    await auth.sign_up(language="de")
    session = await auth.sign_in()
    token = await reset_token(auth)
    assert await confirm(auth, token, "short", expect=422) == "invalid"
    assert await confirm(auth, token) == ""
    assert (await auth.ask_passport(session)).status_code == 401
    assert await refused(auth, PASSWORD)
    await auth.sign_in(password=NEW)
    [told] = await auth.mailbox.wait("password_changed", EMAIL)
    assert told.message["Subject"] == "Ihr Passwort wurde geändert"
    assert await confirm(auth, token, "a third horse battery", expect=404) == "proof-unknown"


@pytest.mark.promise("P22")
async def test_neither_tokens_nor_passwords_nor_addresses_are_written_anywhere(
    auth: Auth, caplog: pytest.LogCaptureFixture, spans: InMemorySpanExporter, superuser: psycopg.Connection[Any]
):
    caplog.set_level(logging.DEBUG)
    # The mail server of the tests is somebody else's.
    caplog.handler.addFilter(lambda record: not record.name.startswith("mail."))
    await auth.ask("POST", "/api/accounts", {"email": EMAIL, **DETAILS}, expect=202)
    first = await auth.mailbox.token("verify_address")
    await auth.ask("POST", "/api/accounts/verifications", {"token": first})
    second = await reset_token(auth)
    await confirm(auth, second)
    assert "letter_sent" in caplog.text
    written = caplog.text + "".join(span.to_json() for span in spans.get_finished_spans())
    tables = [name for (name,) in superuser.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    stored = "".join(str(superuser.execute(f"SELECT t::text FROM {name} t").fetchall()) for name in tables)  # noqa: S608
    for secret in (first, second, PASSWORD, NEW):
        assert secret not in written + stored
    assert EMAIL not in written


async def test_who_asks_for_a_reset_learns_nothing(auth: Auth):
    await auth.sign_up()
    await auth.ask("POST", "/api/accounts", {"email": "new@example.com", **DETAILS}, expect=202)
    await auth.mailbox.wait("verify_address", "new@example.com")
    answers = [
        await auth.http.post("/api/password-resets", json={"email": email})
        for email in ("nobody@example.com", "new@example.com", " Owner@Example.com")
    ]
    assert {(answer.status_code, answer.content) for answer in answers} == {(202, b"")}
    [letter] = await auth.mailbox.wait("reset_password")
    assert letter.recipients == [EMAIL]


DETAILS = {"password": PASSWORD, "time_zone": "UTC", "age_attested": True}


async def test_a_reset_is_good_for_half_an_hour(auth: Auth, clock: MovableClock):
    await auth.sign_up()
    token = await reset_token(auth)
    assert PROOF_LIFETIME[ProofPurpose.RESET_PASSWORD] == timedelta(minutes=30)
    clock.advance(timedelta(minutes=30))
    assert await confirm(auth, token, expect=404) == "proof-unknown"
    await auth.sign_in()


async def test_a_new_password_ends_what_was_begun_with_the_old_one(auth: Auth):
    await auth.sign_up()
    headers = await auth.headers(await auth.sign_in())
    reset = await reset_token(auth)
    body = {"email": "thief@example.com", "password": PASSWORD}
    await auth.ask("POST", "/api/account/address", body, headers, expect=202)
    change = await auth.mailbox.token("change_address")
    body = {"password": PASSWORD, "new_password": NEW}
    await auth.ask("POST", "/api/account/password", body, headers, expect=201)
    assert await confirm(auth, reset, expect=404) == "proof-unknown"
    await auth.ask("POST", "/api/account/address/confirmations", {"token": change}, expect=404)


async def test_an_account_that_was_deleted_gets_no_password_by_a_letter(auth: Auth):
    account_id: UUID = await auth.sign_up()
    token = await reset_token(auth)
    headers = auth.passport(account_id=account_id)
    await auth.ask("DELETE", "/api/account", {"password": PASSWORD}, headers, expect=202)
    assert await confirm(auth, token, expect=404) == "proof-unknown"
