"""Inviting by mail: who may invite whom, whom a letter lets in, and what inviting does not tell."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import psycopg
import pytest
from auth.domain import invitations as rules
from auth.use_cases import invitations
from contracts.access import PERMISSIONS, Permission, Role, covers
from contracts.auth import MemberAddedV1
from kit.clock import MovableClock
from kit.testing import wait_for
from kit.testing.services import Bus

from services.auth.tests.client import sign_up_body
from services.auth.tests.team import GUEST, Team, code
from services.auth.tests.test_connecting import counts

Rows = psycopg.Connection[Any]


async def test_who_has_an_account_is_invited_reads_and_joins(team: Team, bus: Bus):
    auth = team.auth
    guest = await auth.sign_up(GUEST)
    shown = await team.invite("Guest@Example.com", "editor")
    assert (shown["email"], shown["role"], shown["invited_by"]) == (GUEST, "editor", str(team.owner))
    assert await team.invitations() == [shown]
    (letter,) = await auth.mailbox.wait("invitation", GUEST)
    for fact in ("Acorn", "Olive Owner", "editor"):
        assert fact in letter.text
    joined = await auth.accept(guest, letter.token)
    assert (joined.status_code, joined.json()) == (201, {"workspace_id": str(team.workspace_id), "role": "editor"})
    assert await team.roles() == {"owner": "owner", "guest": "editor"}
    assert await team.invitations() == []
    added = MemberAddedV1(workspace_id=team.workspace_id, account_id=guest, role=Role.EDITOR)
    assert added in await bus.wait_told(MemberAddedV1, 2)
    again = await auth.accept(guest, letter.token)
    assert (again.status_code, code(again.json())) == (404, "invitation-unknown")
    assert code(await team.invite(expect=409)) == "already-member"


@pytest.mark.promise("P03")
@pytest.mark.parametrize("mode", ["open", "approval", "closed"])
async def test_who_has_none_signs_up_with_the_letter_however_sign_up_is_set(start: Any, mode: str):
    async with start(SIGN_UP="open") as auth:
        owner = await auth.sign_up()
        workspace_id = await auth.create_workspace(owner)
    async with start(SIGN_UP=mode, OPERATOR_ADDRESS="operator@example.com") as auth:
        assert await auth.add_member(workspace_id, owner, GUEST, "approver")
        assert await Team(auth, owner, workspace_id).roles() == {"owner": "owner", "guest": "approver"}
        assert not auth.mailbox.letters("verify_address", GUEST)


async def test_a_letter_signs_up_nobody_else(team: Team, superuser: Rows):
    token = await team.auth.invite(team.workspace_id, team.owner, GUEST)
    for body, status, problem in (
        (sign_up_body("other@example.com", invitation=token), 403, "invitation-of-another"),
        (sign_up_body(GUEST, invitation="unknown"), 404, "invitation-unknown"),
        (sign_up_body(GUEST, invitation=token, password="short"), 422, "invalid"),
        (sign_up_body(GUEST, invitation=token, age_attested=False), 422, "invalid"),
    ):
        assert code(await team.auth.ask("POST", "/api/accounts", body, expect=status)) == problem
    assert counts(superuser, "account", "member", "invitation") == [1, 1, 1]


async def test_a_letter_of_who_has_an_account_makes_no_second_one(team: Team, superuser: Rows):
    guest = await team.auth.sign_up(GUEST)
    token = await team.auth.invite(team.workspace_id, team.owner, GUEST)
    body = sign_up_body(GUEST, invitation=token)
    assert code(await team.auth.ask("POST", "/api/accounts", body, expect=409)) == "address-taken"
    assert counts(superuser, "account", "member") == [2, 1]
    assert (await team.auth.accept(guest, token)).status_code == 201


async def test_a_forwarded_letter_lets_nobody_else_in(team: Team):
    thief = await team.auth.sign_up("thief@example.com")
    guest = await team.auth.sign_up(GUEST)
    token = await team.auth.invite(team.workspace_id, team.owner, GUEST)
    refused = await team.auth.accept(thief, token)
    assert (refused.status_code, code(refused.json())) == (403, "invitation-of-another")
    assert (await team.auth.accept(guest, token)).status_code == 201
    assert await team.roles() == {"owner": "owner", "guest": "viewer"}


async def test_inviting_does_not_tell_who_has_an_account(team: Team):
    await team.auth.sign_up("known@example.com")
    known, unknown = await team.invite("known@example.com"), await team.invite("unknown@example.com")
    for answer in (known, unknown):
        for own in ("invitation_id", "email", "invited_at", "expires_at"):
            answer.pop(own)
    assert known == unknown
    letters = [(await team.auth.mailbox.wait("invitation", f"{name}@example.com"))[0] for name in ("known", "unknown")]
    assert letters[0].message["Subject"] == letters[1].message["Subject"]


@pytest.mark.promise("P07")
@pytest.mark.parametrize("role", list(Role))
async def test_nobody_invites_above_their_own_role(team: Team, role: Role, superuser: Rows):
    by = team.owner if role is Role.OWNER else await team.add(role)
    for wanted in Role:
        body = {"email": f"as-{wanted}@example.com", "role": wanted}
        allowed = Permission.MEMBER_MANAGE in PERMISSIONS[role] and covers(role, wanted)
        answer = await team.auth.http.post(f"{team.path}/invitations", json=body, headers=team.as_member(by, role))
        assert answer.status_code == (201 if allowed else 403), answer.text
    (invited,) = superuser.execute("SELECT array_agg(role ORDER BY role) FROM invitation").fetchone() or (None,)
    assert invited == {Role.OWNER: sorted(Role), Role.ADMIN: sorted(set(Role) - {Role.OWNER})}.get(role)


async def test_an_invitation_is_over_after_a_week_and_forgotten(team: Team, clock: MovableClock, superuser: Rows):
    guest = await team.auth.sign_up(GUEST)
    token = await team.auth.invite(team.workspace_id, team.owner, GUEST)
    clock.advance(rules.LIFETIME + timedelta(minutes=1))
    assert (await team.auth.accept(guest, token)).status_code == 404
    assert await team.invitations() == []
    await wait_for(lambda: counts(superuser, "invitation", "invitation_count") == [0, 0])


async def test_a_withdrawn_invitation_opens_nothing(team: Team):
    guest = await team.auth.sign_up(GUEST)
    token = await team.auth.invite(team.workspace_id, team.owner, GUEST)
    (invitation,) = await team.invitations()
    path = f"{team.path}/invitations/{invitation['invitation_id']}"
    await team.auth.ask("DELETE", path, headers=team.headers, expect=204)
    assert (await team.auth.accept(guest, token)).status_code == 404
    assert code(await team.auth.ask("DELETE", path, headers=team.headers, expect=404)) == "invitation-unknown"
    assert await team.invitations() == []


async def test_an_invitation_sent_again_has_its_full_time_again(team: Team, clock: MovableClock):
    guest = await team.auth.sign_up(GUEST)
    first = await team.auth.invite(team.workspace_id, team.owner, GUEST)
    assert code(await team.invite(expect=409)) == "already-invited"
    clock.advance(timedelta(days=6))
    (invitation,) = await team.invitations()
    path = f"{team.path}/invitations/{invitation['invitation_id']}/letters"
    again = await team.auth.ask("POST", path, headers=team.headers, expect=201)
    assert again["expires_at"] > invitation["expires_at"]
    second = await team.auth.mailbox.token("invitation", GUEST)
    clock.advance(timedelta(days=2))
    assert (await team.auth.accept(guest, first)).status_code == 404
    assert (await team.auth.accept(guest, second)).status_code == 201


async def test_invitations_of_another_workspace_are_out_of_reach(team: Team):
    await team.invite()
    (invitation,) = await team.invitations()
    other = await team.auth.create_workspace(team.owner, "Birch")
    path = f"/api/workspaces/{other}/invitations"
    headers = team.auth.passport(account_id=team.owner, workspace_id=other)
    assert (await team.auth.ask("GET", path, headers=headers))["invitations"] == []
    await team.auth.ask("DELETE", f"{path}/{invitation['invitation_id']}", headers=headers, expect=404)
    await team.auth.ask("POST", f"{path}/{invitation['invitation_id']}/letters", headers=headers, expect=404)
    assert await team.invitations() == [invitation]


async def test_there_is_a_limit_to_letters_and_to_open_invitations(
    team: Team, monkeypatch: pytest.MonkeyPatch, clock: MovableClock
):

    monkeypatch.setattr(invitations, "LETTERS_A_DAY_MAX", 2)
    monkeypatch.setattr(invitations, "PENDING_MAX", 3)
    await team.invite("a@example.com")
    await team.invite("b@example.com")
    assert code(await team.invite("c@example.com", expect=429)) == "too-many-letters"
    assert len(await team.invitations()) == 2
    clock.advance(timedelta(days=1))
    await team.invite("c@example.com")
    assert code(await team.invite("d@example.com", expect=409)) == "too-many-invitations"


@pytest.mark.parametrize("email", ["", "nobody", "a b@example.com", 7])
async def test_a_wrong_address_is_refused(team: Team, email: Any):
    refused = await team.invite(email, expect=422)
    assert [error["pointer"] for error in refused["errors"]] == ["/email"]


async def test_what_is_stored_of_an_invitation_opens_nothing(team: Team, superuser: Rows):
    token = await team.auth.invite(team.workspace_id, team.owner, GUEST)
    for table in ("invitation", "proof", "letter"):
        stored = superuser.execute(f"SELECT {table}::text FROM {table}").fetchall()  # noqa: S608
        assert token not in str(stored)
