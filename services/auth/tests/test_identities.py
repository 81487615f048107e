"""Identities at an OpenID provider beside a password: linked, unlinked, shown for presence, gone with the account."""

from __future__ import annotations

from typing import Any

import httpx
import psycopg
import pytest
from auth.domain.presence import RECENT
from kit.clock import MovableClock

from services.auth.tests.client import PASSWORD, Auth
from services.auth.tests.openid_browser import LINK, PROVE, Browser, problem_of
from services.auth.tests.openid_person import Person
from services.auth.tests.test_connecting import counts

Rows = psycopg.Connection[Any]


@pytest.fixture
def auth(browser: Browser) -> Auth:
    """The one that the browser is in front of."""
    return browser.auth


async def test_who_signed_in_by_password_links_the_provider_and_signs_in_by_it(browser: Browser, auth: Auth):
    account_id = await auth.sign_up("owner@example.com")
    browser.session = await auth.sign_in("owner@example.com")
    linked = await browser.arrive(LINK)
    assert linked["state"] == "linked"
    (shown,) = (await browser.ask("GET", "/api/account/identities")).json()["identities"]
    assert shown.pop("linked_at")
    identity_id = linked["identity_id"]
    assert shown == {"identity_id": identity_id, "provider": "acme", "email": "person@example.com"}
    again = await browser.arrive(LINK)
    assert again["identity_id"] == identity_id
    assert (await browser.arrive())["account_id"] == str(account_id)


async def test_linking_and_unlinking_need_a_recent_proof(browser: Browser, auth: Auth, clock: MovableClock):
    await auth.sign_up("owner@example.com")
    browser.session = await auth.sign_in("owner@example.com")
    linked = await browser.arrive(LINK)
    clock.advance(RECENT)
    path = f"/api/account/identities/{linked['identity_id']}"
    assert problem_of(await browser.ask("DELETE", path)) == (403, "presence-needed")
    started = await auth.http.post(LINK, json={"provider": "acme"}, headers=await browser.headers())
    assert problem_of(started) == (403, "presence-needed")


async def test_a_session_that_ended_meanwhile_links_nothing(browser: Browser, auth: Auth, superuser: Rows):
    await auth.sign_up("owner@example.com")
    browser.session = await auth.sign_in("owner@example.com")
    callback = await browser.leave(LINK)
    assert (await browser.ask("DELETE", "/api/session")).status_code == 204
    browser.session = None
    assert problem_of(await browser.come_back(callback)) == (404, "sign-in-unknown")
    assert counts(superuser, "identity") == [0]


async def test_an_identity_belongs_to_one_account(browser: Browser, auth: Auth):
    await browser.sign_up()
    await auth.sign_up("owner@example.com")
    browser.session = await auth.sign_in("owner@example.com")
    callback = await browser.leave(LINK)
    assert problem_of(await browser.come_back(callback)) == (409, "identity-taken")


async def test_the_last_way_in_stays(browser: Browser, auth: Auth):
    await browser.sign_up()
    await browser.arrive(PROVE)
    (only,) = (await browser.ask("GET", "/api/account/identities")).json()["identities"]
    path = f"/api/account/identities/{only['identity_id']}"
    assert problem_of(await browser.ask("DELETE", path)) == (409, "last-way-in")
    assert (await browser.arrive())["state"] == "signed_in"


async def test_an_identity_beside_a_password_is_unlinked_by_its_owner_alone(browser: Browser, auth: Auth):
    await auth.sign_up("owner@example.com")
    browser.session = await auth.sign_in("owner@example.com")
    linked = await browser.arrive(LINK)
    path = f"/api/account/identities/{linked['identity_id']}"
    await auth.sign_up("other@example.com")
    foreign = await auth.headers(await auth.sign_in("other@example.com"))
    assert (await auth.http.delete(path, headers=foreign)).status_code == 404
    assert (await browser.ask("DELETE", path)).status_code == 204
    assert (await browser.ask("GET", "/api/account/identities")).json() == {"identities": []}
    assert (await browser.arrive())["state"] == "attestation_needed"


async def test_presence_is_proved_by_signing_in_to_the_provider_anew(browser: Browser, auth: Auth, superuser: Rows):
    account_id = await browser.sign_up()
    started = await auth.http.post(LINK, json={"provider": "acme"}, headers=await browser.headers())
    assert problem_of(started) == (403, "presence-needed")
    before, logins = browser.session, browser.person.logins
    assert before is not None
    proved = await browser.arrive(PROVE)
    assert (proved["state"], proved["account_id"]) == ("signed_in", str(account_id))
    assert browser.person.logins == logins + 1
    assert counts(superuser, "session") == [1]
    assert (await auth.ask_passport(before)).status_code == 401
    assert (await browser.arrive(LINK))["state"] == "linked"


async def test_somebody_elses_identity_proves_no_presence(browser: Browser, auth: Auth, superuser: Rows):
    await browser.sign_up()
    before = browser.session
    await browser.person.leave()
    browser.person = Person("other@example.com")
    callback = await browser.leave(PROVE)
    assert problem_of(await browser.come_back(callback)) == (403, "presence-needed")
    assert superuser.execute("SELECT proved_at FROM session").fetchone() == (None,)
    assert browser.session == before


async def test_who_has_no_password_proves_presence_to_move_or_to_go(browser: Browser, superuser: Rows):
    await browser.sign_up()

    async def delete() -> httpx.Response:
        return await browser.auth.http.request("DELETE", "/api/account", json={}, headers=await browser.headers())

    async def move() -> httpx.Response:
        body = {"email": "new@example.com"}
        return await browser.auth.http.post("/api/account/address", json=body, headers=await browser.headers())

    assert problem_of(await move()) == (403, "presence-needed")
    assert problem_of(await delete()) == (403, "presence-needed")
    await browser.arrive(PROVE)
    assert (await move()).status_code == 202
    assert await browser.auth.mailbox.wait("change_address", "new@example.com")
    assert (await delete()).status_code == 202
    assert counts(superuser, "identity", "session") == [0, 0]


async def test_a_person_is_told_when_a_provider_is_linked_and_reads_it_in_their_log(browser: Browser, auth: Auth):
    await auth.sign_up("owner@example.com")
    browser.session = await auth.sign_in("owner@example.com")
    linked = await browser.arrive(LINK)
    (told,) = await auth.mailbox.wait("identity_linked", "owner@example.com")
    assert "Acme" in told.text
    await browser.ask("DELETE", f"/api/account/identities/{linked['identity_id']}")
    events = (await browser.ask("GET", "/api/account/security-events")).json()["events"]
    assert [event["kind"] for event in events] == ["identity_unlinked", "identity_linked", "signed_in"]


async def test_a_deleted_account_leaves_no_identity(browser: Browser, auth: Auth, superuser: Rows):
    await auth.sign_up("owner@example.com")
    browser.session = await auth.sign_in("owner@example.com")
    await browser.arrive(LINK)
    deleted = await auth.http.request(
        "DELETE", "/api/account", json={"password": PASSWORD}, headers=await browser.headers()
    )
    assert deleted.status_code == 202, deleted.text
    assert counts(superuser, "identity") == [0]
    browser.session = None
    assert (await browser.arrive())["state"] == "attestation_needed"
