"""Sign-in through a real OpenID provider, from the first click to the session, on the real database."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
from auth.adapters.openid_issuer import ASK_KEYS_AGAIN
from auth.domain.openid import AWAY
from auth.domain.presence import RECENT
from contracts.auth import AccountRegisteredV1
from kit.clock import MovableClock
from kit.problems import TYPE_PREFIX
from kit.testing import wait_for
from kit.testing.services import Bus

from services.auth.tests.client import PASSWORD, Auth
from services.auth.tests.conftest import PUBLIC_URL, StartAuth
from services.auth.tests.openid_person import CLIENT_ID, CLIENT_SECRET, Person, RunningProvider, run_provider
from services.auth.tests.test_connecting import counts
from services.auth.tests.test_second_factors import STEP
from services.auth.tests.test_second_factors import Person as Enrolled

pytestmark = pytest.mark.npm

Rows = psycopg.Connection[Any]
CALLBACK = f"{PUBLIC_URL}/api/openid/callback"
DETAILS = {"time_zone": "Europe/Berlin", "age_attested": True}


@pytest.fixture(scope="session")
def provider() -> Iterator[RunningProvider]:
    with run_provider(CALLBACK) as running_provider:
        yield running_provider


@pytest.fixture
def trusting(environment: dict[str, str], provider: RunningProvider) -> dict[str, str]:
    """The environment of an auth that trusts the provider."""
    return environment | {
        "PUBLIC_URL": PUBLIC_URL,
        "OPENID_PROVIDERS": "acme",
        "OPENID_ACME_LABEL": "Acme",
        "OPENID_ACME_ISSUER": provider.issuer,
        "OPENID_ACME_CLIENT_ID": CLIENT_ID,
        "OPENID_ACME_CLIENT_SECRET": CLIENT_SECRET,
    }


@dataclass
class Browser:
    """One browser in front of auth, with the token that the gateway would have given it, and a person."""

    auth: Auth
    person: Person
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    session: str | None = None

    async def headers(self) -> dict[str, str]:
        passport = await self.auth.headers(self.session) if self.session else {}
        return {"X-Signoff-Browser": self.token} | passport

    async def leave(self, path: str = "/api/openid/sign-ins", **visit: Any) -> dict[str, str]:
        """Set out for the provider and return what the callback is called with."""
        started = await self.auth.http.post(path, json={"provider": "acme"}, headers=await self.headers())
        assert started.status_code == 201, started.text
        return await self.person.visit(started.json()["authorisation_url"], back_at=CALLBACK, **visit)

    async def come_back(self, callback: dict[str, str]) -> httpx.Response:
        answer = await self.auth.http.get("/api/openid/callback", params=callback, headers=await self.headers())
        if answer.is_success and "session_token" in answer.json():
            self.session = answer.json()["session_token"]
        return answer

    async def arrive(self, path: str = "/api/openid/sign-ins") -> dict[str, Any]:
        answer = await self.come_back(await self.leave(path))
        assert answer.status_code == 200, answer.text
        arrived: dict[str, Any] = answer.json()
        return arrived

    async def complete(self, **changes: Any) -> httpx.Response:
        answer = await self.auth.http.post(
            "/api/openid/accounts", json=DETAILS | changes, headers={"X-Signoff-Browser": self.token}
        )
        if answer.is_success:
            self.session = answer.json().get("session_token")
        return answer

    async def sign_up(self) -> UUID:
        assert (await self.arrive())["state"] == "attestation_needed"
        answer = await self.complete()
        assert answer.status_code == 201, answer.text
        return UUID(answer.json()["account_id"])

    async def ask(self, method: str, path: str) -> httpx.Response:
        return await self.auth.http.request(method, path, headers=await self.headers())


@pytest.fixture
async def auth(start: StartAuth, trusting: dict[str, str]) -> AsyncIterator[Auth]:
    async with start(**trusting) as running_auth:
        yield running_auth


@pytest.fixture
async def browser(auth: Auth) -> AsyncIterator[Browser]:
    person = Person("person@example.com")
    yield Browser(auth, person)
    await person.leave()


def problem_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix(TYPE_PREFIX)


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


async def test_who_signed_in_by_password_links_the_provider_and_signs_in_by_it(browser: Browser, auth: Auth):
    account_id = await auth.sign_up("owner@example.com")
    browser.session = await auth.sign_in("owner@example.com")
    linked = await browser.arrive("/api/account/identities/authorisations")
    assert linked["state"] == "linked"
    (shown,) = (await browser.ask("GET", "/api/account/identities")).json()["identities"]
    assert shown.pop("linked_at")
    identity_id = linked["identity_id"]
    assert shown == {"identity_id": identity_id, "provider": "acme", "email": "person@example.com"}
    again = await browser.arrive("/api/account/identities/authorisations")
    assert again["identity_id"] == identity_id
    assert (await browser.arrive())["account_id"] == str(account_id)


async def test_linking_and_unlinking_need_a_recent_proof(browser: Browser, auth: Auth, clock: MovableClock):
    await auth.sign_up("owner@example.com")
    browser.session = await auth.sign_in("owner@example.com")
    linked = await browser.arrive("/api/account/identities/authorisations")
    clock.advance(RECENT)
    path = f"/api/account/identities/{linked['identity_id']}"
    assert problem_of(await browser.ask("DELETE", path)) == (403, "presence-needed")
    started = await auth.http.post(
        "/api/account/identities/authorisations", json={"provider": "acme"}, headers=await browser.headers()
    )
    assert problem_of(started) == (403, "presence-needed")


async def test_a_session_that_ended_meanwhile_links_nothing(browser: Browser, auth: Auth, superuser: Rows):
    await auth.sign_up("owner@example.com")
    browser.session = await auth.sign_in("owner@example.com")
    callback = await browser.leave("/api/account/identities/authorisations")
    assert (await browser.ask("DELETE", "/api/session")).status_code == 204
    browser.session = None
    assert problem_of(await browser.come_back(callback)) == (404, "sign-in-unknown")
    assert counts(superuser, "identity") == [0]


async def test_an_identity_belongs_to_one_account(browser: Browser, auth: Auth):
    await browser.sign_up()
    await auth.sign_up("owner@example.com")
    browser.session = await auth.sign_in("owner@example.com")
    callback = await browser.leave("/api/account/identities/authorisations")
    assert problem_of(await browser.come_back(callback)) == (409, "identity-taken")


async def test_the_last_way_in_stays(browser: Browser, auth: Auth):
    await browser.sign_up()
    await browser.arrive("/api/session/presence/authorisations")
    (only,) = (await browser.ask("GET", "/api/account/identities")).json()["identities"]
    path = f"/api/account/identities/{only['identity_id']}"
    assert problem_of(await browser.ask("DELETE", path)) == (409, "last-way-in")
    assert (await browser.arrive())["state"] == "signed_in"


async def test_an_identity_beside_a_password_is_unlinked_by_its_owner_alone(browser: Browser, auth: Auth):
    await auth.sign_up("owner@example.com")
    browser.session = await auth.sign_in("owner@example.com")
    linked = await browser.arrive("/api/account/identities/authorisations")
    path = f"/api/account/identities/{linked['identity_id']}"
    await auth.sign_up("other@example.com")
    foreign = await auth.headers(await auth.sign_in("other@example.com"))
    assert (await auth.http.delete(path, headers=foreign)).status_code == 404
    assert (await browser.ask("DELETE", path)).status_code == 204
    assert (await browser.ask("GET", "/api/account/identities")).json() == {"identities": []}
    assert (await browser.arrive())["state"] == "attestation_needed"


async def test_presence_is_proved_by_signing_in_to_the_provider_anew(browser: Browser, auth: Auth, superuser: Rows):
    account_id = await browser.sign_up()
    link = "/api/account/identities/authorisations"
    started = await auth.http.post(link, json={"provider": "acme"}, headers=await browser.headers())
    assert problem_of(started) == (403, "presence-needed")
    before, logins = browser.session, browser.person.logins
    assert before is not None
    proved = await browser.arrive("/api/session/presence/authorisations")
    assert (proved["state"], proved["account_id"]) == ("signed_in", str(account_id))
    assert browser.person.logins == logins + 1
    assert counts(superuser, "session") == [1]
    assert (await auth.ask_passport(before)).status_code == 401
    assert (await browser.arrive(link))["state"] == "linked"


async def test_somebody_elses_identity_proves_no_presence(browser: Browser, auth: Auth, superuser: Rows):
    await browser.sign_up()
    before = browser.session
    await browser.person.leave()
    browser.person = Person("other@example.com")
    callback = await browser.leave("/api/session/presence/authorisations")
    assert problem_of(await browser.come_back(callback)) == (403, "presence-needed")
    assert superuser.execute("SELECT proved_at FROM session").fetchone() == (None,)
    assert browser.session == before


async def test_new_keys_of_the_provider_are_taken_without_a_restart(
    browser: Browser, provider: RunningProvider, clock: MovableClock
):
    await browser.sign_up()
    provider.rotate_keys()
    clock.advance(ASK_KEYS_AGAIN)
    assert (await browser.arrive())["state"] == "signed_in"


async def test_who_has_no_password_proves_presence_to_move_or_to_go(browser: Browser, superuser: Rows):
    await browser.sign_up()

    async def delete() -> httpx.Response:
        return await browser.auth.http.request("DELETE", "/api/account", json={}, headers=await browser.headers())

    async def move() -> httpx.Response:
        body = {"email": "new@example.com"}
        return await browser.auth.http.post("/api/account/address", json=body, headers=await browser.headers())

    assert problem_of(await move()) == (403, "presence-needed")
    assert problem_of(await delete()) == (403, "presence-needed")
    await browser.arrive("/api/session/presence/authorisations")
    assert (await move()).status_code == 202
    assert await browser.auth.mailbox.wait("change_address", "new@example.com")
    assert (await delete()).status_code == 202
    assert counts(superuser, "identity", "session") == [0, 0]


async def test_a_second_factor_that_is_enrolled_here_is_asked_for_whoever_vouches(
    browser: Browser, auth: Auth, clock: MovableClock, superuser: Rows
):
    await auth.sign_up()
    enrolled = Enrolled(auth, clock)
    await enrolled.set_up()
    browser.session = enrolled.token
    await browser.arrive("/api/account/identities/authorisations")
    proof = await browser.come_back(await browser.leave("/api/session/presence/authorisations"))
    assert problem_of(proof) == (403, "second-factor-needed")

    browser.session = None
    arrived = await browser.arrive()
    assert (arrived["state"], browser.session) == ("second_factor_needed", None)
    assert "code" in arrived["second_factor"]["methods"]
    clock.advance(STEP)
    answer = await enrolled.finish(arrived["second_factor"]["pending"], code=enrolled.code())
    assert answer.status_code == 201
    assert superuser.execute("SELECT count(*) FROM session WHERE strong").fetchone() == (2,)


async def test_a_person_is_told_when_a_provider_is_linked_and_reads_it_in_their_log(browser: Browser, auth: Auth):
    await auth.sign_up("owner@example.com")
    browser.session = await auth.sign_in("owner@example.com")
    linked = await browser.arrive("/api/account/identities/authorisations")
    (told,) = await auth.mailbox.wait("identity_linked", "owner@example.com")
    assert "Acme" in told.text
    await browser.ask("DELETE", f"/api/account/identities/{linked['identity_id']}")
    events = (await browser.ask("GET", "/api/account/security-events")).json()["events"]
    assert [event["kind"] for event in events] == ["identity_unlinked", "identity_linked", "signed_in"]


async def test_a_deleted_account_leaves_no_identity(browser: Browser, auth: Auth, superuser: Rows):
    await auth.sign_up("owner@example.com")
    browser.session = await auth.sign_in("owner@example.com")
    await browser.arrive("/api/account/identities/authorisations")
    deleted = await auth.http.request(
        "DELETE", "/api/account", json={"password": PASSWORD}, headers=await browser.headers()
    )
    assert deleted.status_code == 202, deleted.text
    assert counts(superuser, "identity") == [0]
    browser.session = None
    assert (await browser.arrive())["state"] == "attestation_needed"


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
