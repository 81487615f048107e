"""Connections near their end: told a week ahead, stopped when it comes, and people hear of it once a day at most."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest
from auth.domain.renewing import life_of
from contracts.auth import ConnectionExpiringV1, ConnectionReauthRequiredV1, ConnectionRefreshedV1
from kit.clock import MovableClock
from kit.ids import new_id
from kit.problems import TYPE_PREFIX
from kit.secret import Secret
from kit.testing import wait_for
from kit.testing.services import Bus
from platforms.access import Access, Reach, Renewal, Withdrawal
from platforms.shape import Grant
from sandbox.consent import callback_parameters, give_consent
from sandbox.linkedin.platform import LinkedInSandbox

from services.auth.tests.client import Room
from services.auth.tests.test_refreshing import move_to, times

Rows = psycopg.Connection[Any]
DAY = timedelta(days=1)
TOKEN = "POST /v2/oauth/token/"


@pytest.fixture
def imitated() -> tuple[str, ...]:
    return ("tiktok", "bluesky", "linkedin", "youtube")


async def states(room: Room) -> list[tuple[str, str]]:
    return [(shown["state"], shown["to_do"]) for shown in await room.list()]


async def add_member(room: Room, superuser: Rows, email: str, role: str) -> None:
    account_id = await room.auth.sign_up(email)
    superuser.execute(
        "INSERT INTO member (workspace_id, account_id, role, added_at) VALUES (%s, %s, %s, now())",
        (room.workspace_id, account_id, role),
    )


@pytest.mark.promise("P25")
async def test_what_only_a_person_can_renew_is_told_a_week_ahead_and_stops_at_its_end(
    room: Room, bus: Bus, clock: MovableClock, superuser: Rows
):
    """Bluesky's sessions end after two weeks, however often their tokens are renewed."""
    await add_member(room, superuser, "admin@example.com", "admin")
    await add_member(room, superuser, "editor@example.com", "editor")
    connection_id = await room.connect("bluesky")
    (shown,) = await room.list()
    ends_at = datetime.fromisoformat(shown["ends_at"])
    assert timedelta(days=13) < ends_at - clock.now() <= timedelta(days=14)
    move_to(clock, ends_at - 7 * DAY - timedelta(minutes=1))
    await bus.wait_told(ConnectionRefreshedV1)
    assert await states(room) == [("active", "nothing")]

    move_to(clock, ends_at - 7 * DAY)
    assert await bus.wait_told(ConnectionExpiringV1) == [
        ConnectionExpiringV1(workspace_id=room.workspace_id, connection_id=connection_id, ends_at=ends_at)
    ]
    (letter,) = await room.auth.mailbox.wait("connection_ends", "owner@example.com")
    assert {"bluesky", "brand.test"} <= set(letter.text.replace("\n", " ").split())
    await room.auth.mailbox.wait("connection_ends", "admin@example.com")
    assert await states(room) == [("expiring", "reauthorise_soon")]

    move_to(clock, ends_at - DAY)
    await bus.wait_told(ConnectionRefreshedV1, 2)
    lent = await room.borrow(connection_id)
    assert len(lent.leases) == 1
    await room.give_back(lent)
    move_to(clock, ends_at)
    assert await bus.wait_told(ConnectionReauthRequiredV1) == [
        ConnectionReauthRequiredV1(workspace_id=room.workspace_id, connection_id=connection_id, reason="expired")
    ]
    assert await states(room) == [("reauth_required", "reauthorise")]
    assert [refusal.code for refusal in (await room.borrow(connection_id)).refused] == ["reauth_required"]
    await room.auth.mailbox.wait("connection_needs_you", "owner@example.com")
    assert len(await bus.told(ConnectionExpiringV1)) == 1
    assert len(room.auth.mailbox.letters("connection_ends")) == 2
    assert room.auth.mailbox.letters("connection_ends", "editor@example.com") == []

    assert await room.connect("bluesky") == connection_id
    assert await states(room) == [("active", "nothing")]


@pytest.mark.promise("P25")
async def test_a_grant_that_cannot_be_renewed_works_until_its_last_day(
    room: Room, bus: Bus, clock: MovableClock, superuser: Rows
):
    """LinkedIn gives most applications no refresh token: nothing is asked of it before a person returns."""
    room.sandbox.of(LinkedInSandbox).register_client({"approved": False})
    connection_id = await room.connect("linkedin")
    asked = room.sandbox.requests("linkedin", "POST /oauth/v2/accessToken")
    due_at, ends_at = times(superuser)
    assert due_at is None
    move_to(clock, ends_at - timedelta(hours=1))
    await bus.wait_told(ConnectionExpiringV1)
    lent = await room.borrow(connection_id)
    assert len(lent.leases) == 1
    await room.give_back(lent)
    move_to(clock, ends_at - timedelta(seconds=20))
    assert [refusal.code for refusal in (await room.borrow(connection_id)).refused] == ["reauth_required"]
    move_to(clock, ends_at)
    await bus.wait_told(ConnectionReauthRequiredV1)
    assert room.sandbox.requests("linkedin", "POST /oauth/v2/accessToken") == asked


@pytest.mark.promise("P25")
async def test_a_long_outage_of_the_platform_is_seen_and_told_and_ends_by_itself(
    room: Room, bus: Bus, clock: MovableClock, superuser: Rows
):
    connection_id = await room.connect("tiktok")
    room.sandbox.add_fault("tiktok", TOKEN, "answer", status=503, times=1_000)
    due_at, ends_at = times(superuser)
    move_to(clock, due_at)
    await wait_for(lambda: is_failing(superuser), what="the first failure")
    assert await states(room) == [("active", "wait")]
    assert room.auth.mailbox.letters("connection_waits") == []
    move_to(clock, ends_at + timedelta(hours=1))
    await room.auth.mailbox.wait("connection_waits", "owner@example.com")
    clock.advance(timedelta(minutes=2))
    assert [refusal.code for refusal in (await room.borrow(connection_id)).refused] == ["refreshing"]
    assert await states(room) == [("active", "wait")]
    room.sandbox.clear_faults("tiktok")
    clock.advance(timedelta(minutes=2))
    await bus.wait_told(ConnectionRefreshedV1)
    assert await states(room) == [("active", "nothing")]
    assert len(room.auth.mailbox.letters("connection_waits")) == 1
    assert await bus.told(ConnectionReauthRequiredV1) == []


def is_failing(superuser: Rows) -> bool:
    return superuser.execute("SELECT failing_since IS NOT NULL FROM connection").fetchone() == (True,)


@pytest.mark.promise("P25")
async def test_people_get_one_letter_a_day_about_one_connection_and_miss_none(
    room: Room, clock: MovableClock, superuser: Rows
):
    connection_id = await room.connect("tiktok")
    mailbox, path = room.auth.mailbox, f"/internal/connections/{connection_id}/dead"

    async def die() -> None:
        headers = room.auth.passport(service="publisher")
        assert (await room.auth.http.post(path, json={"code": "gone"}, headers=headers)).status_code == 204

    await die()
    await mailbox.wait("connection_needs_you")
    await room.connect("tiktok")
    await die()
    # Another connection's letter goes out meanwhile, so the second one of this was looked at and kept back.
    other = await room.connect("tiktok", account=list(room.sandbox.tiktok.state.accounts)[1])
    headers = room.auth.passport(service="publisher")
    await room.auth.http.post(f"/internal/connections/{other}/dead", json={"code": "gone"}, headers=headers)
    await mailbox.wait("connection_needs_you", count=2)
    assert superuser.execute("SELECT count(*) FROM connection WHERE notice IS NOT NULL").fetchone() == (1,)
    clock.advance(DAY)
    await mailbox.wait("connection_needs_you", count=3)


async def silent(room: Room) -> httpx.Response:
    """Come back from Google without a consent page, as who consented before: no refresh token comes with it."""
    started = await room.auth.http.post(
        f"{room.path}/authorisations", json={"platform": "youtube"}, headers=room.headers
    )
    address = started.json()["authorisation_url"].replace("prompt=consent", "prompt=none")
    async with httpx.AsyncClient() as browser:
        return await room.come_back(callback_parameters(await give_consent(browser, address)))


async def test_authorising_again_keeps_the_refresh_token_that_google_does_not_send_again(
    room: Room, bus: Bus, clock: MovableClock, superuser: Rows
):
    connection_id = await room.connect("youtube")
    again = await silent(room)
    assert (again.status_code, again.json()["connection_id"]) == (200, str(connection_id))
    move_to(clock, times(superuser)[0])
    await bus.wait_told(ConnectionRefreshedV1)
    elsewhere = Room(room.auth, room.sandbox, room.account_id, await room.auth.create_workspace(room.account_id, "Elm"))
    refused = await silent(elsewhere)
    assert (refused.status_code, refused.json()["type"]) == (409, TYPE_PREFIX + "authorisation-failed")
    assert await elsewhere.list() == []
    assert room.sandbox.truth.revocations("youtube") == []


NOW = datetime.fromisoformat("2026-11-22T10:00:00+00:00")


@pytest.mark.parametrize(
    ("renewal", "refresh_days", "renewable", "ends_days"),
    [
        (Renewal.BY_ITSELF, None, True, None),
        (Renewal.BY_REFRESH_TOKEN, None, False, 60),
        (Renewal.BY_REFRESH_TOKEN, 365, True, 365),
        (Renewal.BY_REFRESH_TOKEN, 40, False, 60),
        (Renewal.ROLLING, 180, True, None),
        (Renewal.ROLLING, 6, False, 60),
    ],
)
def test_a_grants_end_follows_from_how_it_is_renewed(
    renewal: Renewal, refresh_days: int | None, renewable: bool, ends_days: int | None
):
    """A token of sixty days; `refresh_days` is the life of its refresh token, None for none."""
    grant = Grant(
        account_id=str(new_id()),
        access_token=Secret("access"),
        refresh_token=Secret("refresh") if refresh_days else None,
        scopes=(),
        expires_at=NOW + 60 * DAY,
        refresh_expires_at=NOW + refresh_days * DAY if refresh_days else None,
    )
    life = life_of(grant, Access(renewal, Reach.AUTHORISATION, Withdrawal("", "")), NOW, chance=0)
    assert life.expires_at == NOW + 60 * DAY
    assert life.refresh_at == (NOW + 48 * DAY if renewable else None)
    assert life.ends_at == (NOW + ends_days * DAY if ends_days else None)
