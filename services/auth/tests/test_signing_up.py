"""Signing up: a letter proves the address, and no answer tells which addresses are known."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from auth.domain.accounts import SIGN_UP_LIFETIME
from auth.domain.letters import PROOF_LIFETIME, ProofPurpose
from auth.ports.store import Transactions
from auth.use_cases.approving import approve, list_waiting, refuse
from contracts.auth import AccountApprovedV1, AccountDeletedV1, AccountRegisteredV1
from kit.clock import MovableClock
from kit.database import Scope
from kit.problems import TYPE_PREFIX, NotFound
from kit.testing import wait_for
from kit.testing.services import Bus

from services.auth.tests.client import PASSWORD, Auth, sign_up_body
from services.auth.tests.conftest import StartAuth
from services.auth.tests.mailbox import TAKEN, Received, answering
from services.auth.tests.test_connecting import counts

Rows = psycopg.Connection[Any]
EMAIL = "owner@example.com"
OPERATOR = "operator@example.com"


async def sign_in_status(auth: Auth, password: str = PASSWORD) -> tuple[int, str]:
    answer = await auth.http.post("/api/session", json={"email": EMAIL, "password": password})
    return answer.status_code, answer.json().get("type", "").removeprefix(TYPE_PREFIX)


async def test_nobody_signs_in_before_their_address_is_verified(auth: Auth, bus: Bus):
    answer = await auth.http.post("/api/accounts", json=sign_up_body())
    assert (answer.status_code, answer.content) == (202, b"")
    token = await auth.mailbox.token("verify_address")
    assert await sign_in_status(auth) == (401, "credentials-refused")
    assert await bus.told(AccountRegisteredV1) == []
    verified = await auth.ask("POST", "/api/accounts/verifications", {"token": token})
    assert verified["state"] == "active"
    assert (await sign_in_status(auth))[0] == 201
    told = AccountRegisteredV1(account_id=UUID(verified["account_id"]))
    assert await bus.wait_told(AccountRegisteredV1) == [told]


async def test_a_token_verifies_once_and_in_time(auth: Auth, clock: MovableClock):
    await auth.ask("POST", "/api/accounts", sign_up_body(), expect=202)
    await auth.ask("POST", "/api/accounts", sign_up_body("late@example.com"), expect=202)
    token = await auth.mailbox.token("verify_address", EMAIL)
    late = await auth.mailbox.token("verify_address", "late@example.com")
    await auth.ask("POST", "/api/accounts/verifications", {"token": token})
    clock.advance(PROOF_LIFETIME[ProofPurpose.VERIFY_ADDRESS])
    for wrong in (token, late, "unknown"):
        problem = await auth.ask("POST", "/api/accounts/verifications", {"token": wrong}, expect=404)
        assert problem["type"] == TYPE_PREFIX + "proof-unknown"


async def test_a_known_address_is_answered_the_same_and_told_once_an_hour(auth: Auth, clock: MovableClock):
    await auth.sign_up(language="de")
    before = len(auth.mailbox.received)
    for _ in range(3):
        answer = await auth.http.post("/api/accounts", json=sign_up_body("OWNER@example.com"))
        assert (answer.status_code, answer.content) == (202, b"")
    await auth.ask("POST", "/api/accounts", sign_up_body("other@example.com"), expect=202)
    await auth.mailbox.wait("verify_address", "other@example.com")
    [letter] = auth.mailbox.letters("address_known")
    assert len(auth.mailbox.received) == before + 2
    assert letter.recipients == [EMAIL]
    assert letter.message["Subject"] == "Sie haben schon ein Konto"
    clock.advance(timedelta(hours=1))
    await auth.ask("POST", "/api/accounts", sign_up_body(), expect=202)
    await auth.mailbox.wait("address_known", count=2)


async def test_a_sign_up_looks_at_nobodys_account(auth: Auth, superuser: Rows):
    """Not a stopwatch, which would be noise: a known and an unknown address leave the same rows behind."""
    await auth.sign_up()
    # Held so that no letter is sent meanwhile.
    with superuser.transaction():
        superuser.execute("LOCK TABLE letter_sent IN ACCESS EXCLUSIVE MODE")
        written = []
        for email in (EMAIL, "nobody@example.com"):
            before = counts(superuser, "account", "credential", "letter", "proof")
            await auth.ask("POST", "/api/accounts", sign_up_body(email), expect=202)
            after = counts(superuser, "account", "credential", "letter", "proof")
            written.append([now - then for now, then in zip(after, before, strict=True)])
    assert written == [[1, 1, 1, 0], [1, 1, 1, 0]]


async def test_the_address_belongs_to_who_reads_its_mail(auth: Auth):
    """Somebody else may have signed up with it first, with a password of theirs."""
    await auth.ask("POST", "/api/accounts", sign_up_body(password="a stranger's password"), expect=202)
    strange = await auth.mailbox.token("verify_address")
    await auth.ask("POST", "/api/accounts", sign_up_body(), expect=202)
    own = await auth.mailbox.token("verify_address")
    await auth.ask("POST", "/api/accounts/verifications", {"token": own})
    problem = await auth.ask("POST", "/api/accounts/verifications", {"token": strange}, expect=409)
    assert problem["type"] == TYPE_PREFIX + "address-taken"
    assert (await sign_in_status(auth))[0] == 201
    assert (await sign_in_status(auth, "a stranger's password"))[0] == 401


async def test_a_letter_that_got_lost_is_sent_again(auth: Auth):
    await auth.ask("POST", "/api/accounts", sign_up_body(), expect=202)
    await auth.mailbox.wait("verify_address")
    auth.mailbox.received.clear()
    for email in ("nobody@example.com", EMAIL):
        await auth.ask("POST", "/api/accounts/verifications/requests", {"email": email}, expect=202)
    token = await auth.mailbox.token("verify_address")
    assert auth.mailbox.received == []
    await auth.ask("POST", "/api/accounts/verifications", {"token": token})
    assert (await sign_in_status(auth))[0] == 201


async def test_a_letter_that_is_repeated_after_its_work_is_done_is_left_out(auth: Auth, clock: MovableClock):
    """The server takes the letter, says that it did not, and the person is quicker than the second attempt."""
    taken: list[Received] = []
    auth.mailbox.answer = answering(taken, "451 later")
    await auth.ask("POST", "/api/accounts", sign_up_body(), expect=202)
    await wait_for(lambda: taken)
    await auth.ask("POST", "/api/accounts/verifications", {"token": taken[0].token})
    auth.mailbox.answer = lambda _: TAKEN
    clock.advance(timedelta(minutes=1))
    await auth.sign_up("other@example.com")
    assert auth.mailbox.received == []


async def test_a_mailbox_is_not_filled_with_what_strangers_ask_for(auth: Auth):
    for _ in range(7):
        await auth.ask("POST", "/api/accounts", sign_up_body(), expect=202)
    await auth.sign_up("other@example.com")
    assert len(auth.mailbox.letters("verify_address", EMAIL)) == 5


async def test_a_sign_up_that_nobody_verifies_vanishes(auth: Auth, clock: MovableClock, bus: Bus, superuser: Rows):
    kept = await auth.sign_up("kept@example.com")
    await auth.ask("POST", "/api/accounts", sign_up_body(), expect=202)
    await auth.mailbox.wait("verify_address")
    clock.advance(SIGN_UP_LIFETIME + timedelta(minutes=1))
    await wait_for(lambda: counts(superuser, "account", "credential", "proof", "letter_sent") == [1, 1, 0, 0])
    assert superuser.execute("SELECT account_id FROM account").fetchall() == [(kept,)]
    assert await bus.told(AccountDeletedV1) == []


async def test_a_closed_house_lets_nobody_sign_up_who_is_not_invited(start: StartAuth):
    """Who is invited does; see the tests of invitations."""
    async with start(SIGN_UP="closed") as auth:
        refused = await auth.ask("POST", "/api/accounts", sign_up_body(), expect=403)
        assert refused["type"] == TYPE_PREFIX + "sign-up-closed"
        unknown = await auth.ask("POST", "/api/accounts", sign_up_body(invitation="unknown"), expect=404)
        assert unknown["type"] == TYPE_PREFIX + "invitation-unknown"
        assert (await sign_in_status(auth))[0] == 401


@pytest.mark.promise("P03")
@pytest.mark.promise("P90")
async def test_an_operator_lets_people_in(start: StartAuth, transactions: Transactions, bus: Bus):
    async with start(SIGN_UP="approval", OPERATOR_ADDRESS=OPERATOR) as auth:
        account_id = await auth.sign_up(language="de")
        [asked] = await auth.mailbox.wait("approval_waiting", OPERATOR)
        assert (EMAIL in asked.text, str(account_id) in asked.text) == (True, True)
        assert asked.message["Content-Language"] == "en"
        assert await sign_in_status(auth, "a wrong password") == (401, "credentials-refused")
        assert await sign_in_status(auth) == (403, "approval-pending")
        async with transactions(Scope.worker()) as store:
            assert [account.account_id for account in await list_waiting(store)] == [account_id]
        await approve(transactions, account_id)
        assert (await sign_in_status(auth))[0] == 201
        [letter] = await auth.mailbox.wait("account_approved", EMAIL)
        assert letter.message["Subject"] == "Ihr Konto ist freigegeben"
        assert await bus.wait_told(AccountApprovedV1) == [AccountApprovedV1(account_id=account_id)]
        with pytest.raises(NotFound):
            await approve(transactions, account_id)


@pytest.mark.promise("P03")
async def test_an_operator_refuses_and_the_account_is_erased(start: StartAuth, transactions: Transactions, bus: Bus):
    async with start(SIGN_UP="approval", OPERATOR_ADDRESS=OPERATOR) as auth:
        account_id = await auth.sign_up(language="de")
        [erasure] = await refuse(transactions, account_id)
        [deleted] = await bus.wait_told(AccountDeletedV1)
        assert deleted == AccountDeletedV1(account_id=account_id, erasure_id=erasure.erasure_id)
        [letter] = await auth.mailbox.wait("account_refused", EMAIL)
        assert letter.message["Content-Language"] == "de"
        assert await sign_in_status(auth) == (401, "credentials-refused")
        with pytest.raises(NotFound):
            await refuse(transactions, account_id)
