"""Sign-in through a real OpenID provider, from the first click to the session, on the real database."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import psycopg
import pytest
from auth.adapters.openid_issuer import ASK_KEYS_AGAIN
from auth.domain.openid import AWAY
from contracts.auth import AccountRegisteredV1
from kit.clock import MovableClock
from kit.testing import wait_for
from kit.testing.services import Bus

from services.auth.tests.client import Auth
from services.auth.tests.conftest import StartAuth
from services.auth.tests.openid_browser import LINK, PROVE, Browser, problem_of
from services.auth.tests.openid_person import Person, RunningProvider
from services.auth.tests.test_connecting import counts
from services.auth.tests.test_second_factors import STEP
from services.auth.tests.test_second_factors import Person as Enrolled

Rows = psycopg.Connection[Any]


@pytest.fixture
def auth(browser: Browser) -> Auth:
    """The one that the browser is in front of."""
    return browser.auth


@pytest.mark.promise("P02")
@pytest.mark.promise("P04")
async def test_a_new_person_has_an_account_once_they_attest_their_age(browser: Browser, bus: Bus, superuser: Rows):
    arrived = await browser.arrive()
    assert arrived.pop("expires_at")
    assert arrived == {"state": "attestation_needed", "email": "person@example.com", "full_name": "A Person"}
    assert counts(superuser, "account", "identity", "session") == [0, 0, 0]
    for wrong, pointer in (({"age_attested": False}, "/age_attested"), ({"time_zone": "Mars/Base"}, "/time_zone")):
        refused = await browser.complete(**wrong)
        assert refused.status_code == 422
        assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]
    assert counts(superuser, "account", "identity", "session") == [0, 0, 0]

    completed = await browser.complete(company="Acorn")
    assert completed.status_code == 201
    account_id = UUID(completed.json()["account_id"])
    shown = (await browser.ask("GET", "/api/account")).json()
    assert {name: shown[name] for name in ("account_id", "email", "full_name", "company")} == {
        "account_id": str(account_id),
        "email": "person@example.com",
        "full_name": "A Person",
        "company": "Acorn",
    }
    assert counts(superuser, "account", "identity", "credential", "openid_waiting") == [1, 1, 0, 0]
    assert await bus.wait_told(AccountRegisteredV1) == [AccountRegisteredV1(account_id=account_id)]
    assert problem_of(await browser.complete()) == (404, "sign-in-unknown")


async def test_a_known_person_signs_in_with_what_the_provider_remembers(browser: Browser):
    account_id = await browser.sign_up()
    arrived = await browser.arrive()
    assert (arrived["state"], arrived["account_id"]) == ("signed_in", str(account_id))
    assert browser.person.logins == 1
    assert (await browser.ask("GET", "/api/account")).status_code == 200


async def test_the_way_back_works_once_in_one_browser_for_ten_minutes(
    browser: Browser, clock: MovableClock, superuser: Rows
):
    callback = await browser.leave()
    for foreign in ("x" * 43, None):
        headers = {"X-Signoff-Browser": foreign} if foreign else {}
        answer = await browser.auth.http.get("/api/openid/callback", params=callback, headers=headers)
        assert problem_of(answer) == (404, "sign-in-unknown")
    assert (await browser.come_back(callback)).status_code == 200
    assert problem_of(await browser.come_back(callback)) == (404, "sign-in-unknown")
    late = await browser.leave()
    clock.advance(AWAY)
    assert problem_of(await browser.come_back(late)) == (404, "sign-in-unknown")
    assert problem_of(await browser.complete()) == (404, "sign-in-unknown")
    await wait_for(lambda: counts(superuser, "openid_start", "openid_waiting") == [0, 0])


async def test_a_state_is_of_use_once_even_at_the_same_time(browser: Browser):
    callback = await browser.leave()
    answers = await asyncio.gather(*(browser.come_back(callback) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 404, 404, 404, 404]


async def test_a_person_who_denies_is_told_so(browser: Browser):
    assert problem_of(await browser.come_back(await browser.leave(deny=True))) == (403, "sign-in-denied")


async def test_an_address_that_nobody_verified_is_no_account(browser: Browser, superuser: Rows):
    browser.person.login = "unverified@example.com"
    assert problem_of(await browser.come_back(await browser.leave())) == (403, "address-not-verified")
    assert counts(superuser, "account", "openid_waiting") == [0, 0]


async def test_the_same_address_never_opens_an_account_that_is_there(browser: Browser, auth: Auth, superuser: Rows):
    await auth.sign_up("person@example.com")
    assert problem_of(await browser.come_back(await browser.leave())) == (409, "identity-not-linked")
    assert counts(superuser, "session", "identity", "openid_waiting") == [0, 0, 0]


async def test_an_account_made_meanwhile_keeps_its_address(browser: Browser, auth: Auth, superuser: Rows):
    await browser.arrive()
    await auth.sign_up("person@example.com")
    assert problem_of(await browser.complete()) == (409, "address-taken")
    assert counts(superuser, "account", "identity", "openid_waiting") == [1, 0, 1]


async def test_new_keys_of_the_provider_are_taken_without_a_restart(
    browser: Browser, openid_provider: RunningProvider, clock: MovableClock
):
    await browser.sign_up()
    openid_provider.rotate_keys()
    clock.advance(ASK_KEYS_AGAIN)
    assert (await browser.arrive())["state"] == "signed_in"


async def test_a_second_factor_that_is_enrolled_here_is_asked_for_whoever_vouches(
    browser: Browser, auth: Auth, clock: MovableClock, superuser: Rows
):
    await auth.sign_up()
    enrolled = Enrolled(auth, clock)
    await enrolled.set_up()
    browser.session = enrolled.token
    await browser.arrive(LINK)
    proof = await browser.come_back(await browser.leave(PROVE))
    assert problem_of(proof) == (403, "second-factor-needed")

    browser.session = None
    arrived = await browser.arrive()
    assert (arrived["state"], browser.session) == ("second_factor_needed", None)
    assert "code" in arrived["second_factor"]["methods"]
    clock.advance(STEP)
    answer = await enrolled.finish(arrived["second_factor"]["pending"], code=enrolled.code())
    assert answer.status_code == 201
    assert superuser.execute("SELECT count(*) FROM session WHERE strong").fetchone() == (2,)


@pytest.mark.promise("P03")
async def test_where_an_operator_decides_a_new_person_waits(
    start: StartAuth, trusting: dict[str, str], superuser: Rows
):
    approving = trusting | {"SIGN_UP": "approval", "OPERATOR_ADDRESS": "operator@example.com"}
    async with start(**approving) as auth:
        browser = Browser(auth, Person("person@example.com"))
        await browser.arrive()
        completed = await browser.complete()
        assert completed.status_code == 202
        assert completed.json() == {"state": "approval_pending", "account_id": completed.json()["account_id"]}
        assert problem_of(await browser.come_back(await browser.leave())) == (403, "approval-pending")
        assert counts(superuser, "session") == [0]
        (told,) = await auth.mailbox.wait("approval_waiting", "operator@example.com")
        assert "person@example.com" in told.text
        superuser.execute("UPDATE account SET state = 'active'")
        assert (await browser.arrive())["state"] == "signed_in"
        await browser.person.leave()


async def test_where_sign_up_is_closed_only_an_invitation_to_the_address_completes_an_account(
    start: StartAuth, trusting: dict[str, str], superuser: Rows
):
    async with start(**trusting) as auth:
        workspace_id = await auth.create_workspace(await auth.sign_up())
        headers = await auth.headers(await auth.sign_in(), workspace_id)
        for address in ("person@example.com", "other@example.com"):
            body = {"email": address, "role": "editor"}
            await auth.ask("POST", f"/api/workspaces/{workspace_id}/invitations", body, headers, expect=201)
        token = await auth.mailbox.token("invitation", "person@example.com")
        foreign = await auth.mailbox.token("invitation", "other@example.com")
    async with start(**trusting, SIGN_UP="closed") as auth:
        browser = Browser(auth, Person("person@example.com"))
        await browser.arrive()
        assert problem_of(await browser.complete()) == (403, "sign-up-closed")
        assert problem_of(await browser.complete(invitation=foreign)) == (403, "invitation-of-another")
        assert problem_of(await browser.complete(invitation="unknown")) == (404, "invitation-unknown")
        assert (await browser.complete(invitation=token)).json()["state"] == "signed_in"
        (own,) = (await browser.ask("GET", "/api/workspaces")).json()["workspaces"]
        assert (own["workspace_id"], own["role"]) == (str(workspace_id), "editor")
        await browser.person.leave()
