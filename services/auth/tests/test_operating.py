"""What an operator does about people: a child's account goes at once, and who must be told is found and told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import psycopg
import pytest
from auth.domain.audiences import Audience
from auth.domain.letters import LetterKind
from auth.ports.store import Transactions
from auth.use_cases.operating import count_people, erase_account, find_account, tell_people
from contracts.auth import AccountDeletedV1, ConnectionRevokedV2, RevocationReason, WorkspaceDeletedV1
from kit.clock import MovableClock
from kit.ids import new_id
from kit.problems import NotFound
from kit.testing.services import Bus

from services.auth.tests.client import Room

Rows = psycopg.Connection[Any]


@pytest.mark.promise("P04")
@pytest.mark.promise("P71")
async def test_an_operator_erases_an_account_at_once_with_all_that_only_it_owns(
    room: Room, transactions: Transactions, bus: Bus, superuser: Rows
):
    token = await room.auth.sign_in()
    await room.connect("bluesky")
    account = await find_account(transactions, " Owner@Example.com ")
    assert account.account_id == room.account_id
    await erase_account(transactions, account.account_id)
    assert (await room.auth.ask_passport(token)).status_code == 401
    (revoked,) = await bus.wait_told(ConnectionRevokedV2)
    assert revoked.reason is RevocationReason.ACCOUNT_DELETED  # type: ignore[attr-defined]
    await bus.wait_told(WorkspaceDeletedV1)
    (deleted,) = await bus.wait_told(AccountDeletedV1)
    assert deleted.account_id == room.account_id  # type: ignore[attr-defined]
    assert superuser.execute("SELECT count(*) FROM sealed_grant").fetchone() == (0,)
    with pytest.raises(NotFound):
        await erase_account(transactions, account.account_id)


@pytest.mark.parametrize("named", ["nobody@example.com", "0199c1d0-52a1-7c3e-9b1f-3d0c6a52e871", ""])
async def test_who_is_not_there_is_not_found(transactions: Transactions, named: str):
    with pytest.raises(NotFound):
        await find_account(transactions, named)


@pytest.mark.promise("P72")
async def test_everybody_is_told_of_a_new_policy(room: Room, transactions: Transactions):
    await room.auth.sign_up("other@example.com")
    facts = {"summary": "We keep less.", "valid_from": "1 March 2027", "policy": "https://signoff.example/privacy"}
    assert await tell_people(transactions, Audience(), LetterKind.POLICY_CHANGED, facts) == 2
    for address in ("owner@example.com", "other@example.com"):
        (letter,) = await room.auth.mailbox.wait("policy_changed", address)
        assert all(fact in letter.text for fact in facts.values())


@pytest.mark.promise("P73")
async def test_the_people_whom_an_incident_concerns_are_found_and_told(
    room: Room, transactions: Transactions, clock: MovableClock
):
    await room.connect("bluesky")
    other = await room.auth.sign_up("other@example.com")
    elsewhere = await room.auth.create_workspace(other)
    clock.advance(timedelta(hours=2))
    await room.auth.sign_in("other@example.com")
    since = clock.now() - timedelta(hours=1)
    concerned = {
        Audience(): 2,
        Audience(workspace_id=room.workspace_id): 1,
        Audience(workspace_id=elsewhere): 1,
        Audience(workspace_id=new_id()): 0,
        Audience(platform="bluesky"): 1,
        Audience(platform="tiktok"): 0,
        Audience(active_from=since): 1,
        Audience(active_until=since - timedelta(hours=5)): 0,
        Audience(platform="bluesky", active_from=since): 0,
    }
    assert {audience: await count_people(transactions, audience) for audience in concerned} == concerned
    facts = {"summary": "Somebody read our logs.", "advice": "Connect your account again."}
    assert await tell_people(transactions, Audience(platform="bluesky"), LetterKind.INCIDENT, facts) == 1
    (letter,) = await room.auth.mailbox.wait("incident", "owner@example.com")
    assert facts["advice"] in letter.text
