"""Renewing grants: ahead of their end, once, and never under a call that is on its way."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from auth.adapters.platforms import CalledPlatforms
from auth.adapters.vault import EnvelopeVault
from auth.domain.renewing import FORCED_AHEAD, retry_at
from auth.ports.store import Transactions
from auth.use_cases.refreshing import refresh_due
from contracts.auth import ConnectionReauthRequiredV1, ConnectionRefreshedV1
from hypothesis import given
from hypothesis import strategies as st
from kit.clock import MovableClock
from kit.testing import wait_for
from kit.testing.services import Bus

from services.auth.tests.client import Room
from services.auth.tests.conftest import StartAuth
from services.auth.tests.test_leases import TOKEN, opened

Rows = psycopg.Connection[Any]


def times(superuser: Rows) -> tuple[datetime, datetime]:
    """When the only connection is to be renewed, and when its grant ends."""
    found = superuser.execute("SELECT refresh_at, expires_at FROM connection").fetchone()
    assert found is not None
    return found[0], found[1]


def move_to(clock: MovableClock, at: datetime) -> None:
    clock.advance(max(at - clock.now(), timedelta()))


@pytest.mark.promise("P25")
@pytest.mark.parametrize("platform", ["tiktok", "bluesky"])
async def test_a_grant_is_renewed_ahead_of_its_end(
    room: Room, bus: Bus, clock: MovableClock, superuser: Rows, keys_folder: Path, platform: str
):
    connection_id = await room.connect(platform)
    before = opened((answer := await room.borrow(connection_id)).leases[0], keys_folder)
    await room.give_back(answer)
    due_at, ends_at = times(superuser)
    assert timedelta(minutes=10) <= ends_at - due_at <= timedelta(minutes=30)
    move_to(clock, due_at)
    (told,) = await bus.wait_told(ConnectionRefreshedV1)
    assert isinstance(told, ConnectionRefreshedV1)
    assert (told.connection_id, told.expires_at) == (connection_id, times(superuser)[1])
    assert told.expires_at > ends_at
    after = opened((await room.borrow(connection_id)).leases[0], keys_folder)
    assert after.access_token != before.access_token
    stored = "SELECT generation, refreshing_until FROM connection JOIN sealed_grant USING (connection_id)"
    assert superuser.execute(stored).fetchone() == (2, None)


async def test_it_is_renewed_again_and_again(room: Room, bus: Bus, clock: MovableClock, superuser: Rows):
    await room.connect("bluesky")
    for count in (1, 2, 3):
        move_to(clock, times(superuser)[0])
        await bus.wait_told(ConnectionRefreshedV1, count)
    assert len(room.sandbox.bluesky.state.sessions) == 1
    assert not room.sandbox.bluesky.state.sessions[0].revoked


async def test_two_processes_make_one_flight(
    room: Room, start: StartAuth, offering: dict[str, str], bus: Bus, clock: MovableClock, superuser: Rows
):
    await room.connect()
    exchanged = room.sandbox.requests("tiktok", TOKEN)
    room.sandbox.add_fault("tiktok", TOKEN, "delay", delay_seconds=0.7, times=5)
    async with start(**offering), start(**offering):
        move_to(clock, times(superuser)[0])
        await bus.wait_told(ConnectionRefreshedV1)
    assert room.sandbox.requests("tiktok", TOKEN) == exchanged + 1
    assert len(await bus.told(ConnectionRefreshedV1)) == 1


async def test_many_rounds_at_once_claim_a_connection_once(
    room: Room, transactions: Transactions, called: CalledPlatforms, vault: EnvelopeVault, clock: MovableClock,
    superuser: Rows,
):  # fmt: skip
    await room.connect()
    exchanged = room.sandbox.requests("tiktok", TOKEN)
    room.sandbox.add_fault("tiktok", TOKEN, "delay", delay_seconds=0.5, times=5)
    move_to(clock, times(superuser)[0])
    rounds = [refresh_due(transactions, platforms=called, vault=vault) for _ in range(4)]
    # The loop of the running service takes part as well, so at most one of these four gets it.
    assert sum(await asyncio.gather(*rounds)) <= 1
    await wait_for(lambda: superuser.execute("SELECT generation FROM sealed_grant").fetchone() == (2,))
    assert room.sandbox.requests("tiktok", TOKEN) == exchanged + 1


async def test_a_short_outage_is_bridged(room: Room, bus: Bus, clock: MovableClock, superuser: Rows):
    connection_id = await room.connect()
    room.sandbox.add_fault("tiktok", TOKEN, "answer", status=503, times=2)
    due_at, ends_at = times(superuser)
    move_to(clock, due_at)
    for attempt in (1, 2):
        await wait_for(partial(has_failed, superuser, attempt))
        assert [shown["state"] for shown in await room.list()] == ["active"]
        assert len((await room.borrow(connection_id)).leases) == 1
        clock.advance(timedelta(seconds=31))
    (told,) = await bus.wait_told(ConnectionRefreshedV1)
    assert isinstance(told, ConnectionRefreshedV1)
    assert told.expires_at > ends_at
    assert attempts(superuser) == 0


def has_failed(superuser: Rows, times: int) -> bool:
    return attempts(superuser) == times


def attempts(superuser: Rows) -> int:
    (count,) = superuser.execute("SELECT refresh_attempts FROM connection").fetchone() or (-1,)
    return int(count)


@pytest.mark.promise("P25")
async def test_a_grant_that_was_withdrawn_needs_a_person(room: Room, bus: Bus, clock: MovableClock, superuser: Rows):
    connection_id = await room.connect()
    (held,) = room.sandbox.tiktok.state.grants
    room.sandbox.tiktok.withdraw(held.open_id)
    move_to(clock, times(superuser)[0])
    assert await bus.wait_told(ConnectionReauthRequiredV1) == [
        ConnectionReauthRequiredV1(workspace_id=room.workspace_id, connection_id=connection_id, reason="invalid_grant")
    ]
    assert [shown["state"] for shown in await room.list()] == ["reauth_required"]
    assert [refusal.code for refusal in (await room.borrow(connection_id)).refused] == ["reauth_required"]
    assert await bus.told(ConnectionRefreshedV1) == []


async def test_a_request_for_an_expired_grant_gets_the_renewed_one_soon(
    room: Room, clock: MovableClock, superuser: Rows
):
    connection_id = await room.connect()
    clock.advance(timedelta(days=1))

    async def lent() -> bool:
        return bool((await room.borrow(connection_id)).leases)

    await wait_for(lent)
    assert times(superuser)[1] > clock.now()


async def test_no_call_on_its_way_loses_its_token_to_a_renewal(
    room: Room, transactions: Transactions, called: CalledPlatforms, vault: EnvelopeVault, clock: MovableClock,
    superuser: Rows, bus: Bus,
):  # fmt: skip
    connection_id = await room.connect()
    exchanged = room.sandbox.requests("tiktok", TOKEN)
    due_at, _ = times(superuser)
    move_to(clock, due_at - timedelta(seconds=5))
    lease = await room.borrow(connection_id)
    move_to(clock, due_at)
    assert await refresh_due(transactions, platforms=called, vault=vault) == 0
    assert room.sandbox.requests("tiktok", TOKEN) == exchanged
    await room.give_back(lease)
    await bus.wait_told(ConnectionRefreshedV1)


async def test_shortly_before_the_end_a_renewal_stops_new_leases_and_waits(
    room: Room, clock: MovableClock, superuser: Rows, bus: Bus
):
    connection_id = await room.connect()
    exchanged = room.sandbox.requests("tiktok", TOKEN)
    due_at, ends_at = times(superuser)
    superuser.execute("UPDATE connection SET refresh_at = %s", (ends_at - FORCED_AHEAD + timedelta(seconds=5),))
    move_to(clock, ends_at - FORCED_AHEAD)
    lease = await room.borrow(connection_id)
    clock.advance(timedelta(seconds=6))
    await wait_for(
        lambda: superuser.execute("SELECT refreshing_until IS NOT NULL FROM connection").fetchone() == (True,)
    )
    assert [refusal.code for refusal in (await room.borrow(connection_id)).refused] == ["refreshing"]
    assert room.sandbox.requests("tiktok", TOKEN) == exchanged
    await room.give_back(lease)
    await bus.wait_told(ConnectionRefreshedV1)
    assert len((await room.borrow(connection_id)).leases) == 1
    assert due_at < ends_at


async def test_a_disconnect_revokes_what_a_renewal_just_brought(room: Room, clock: MovableClock, superuser: Rows):
    connection_id = await room.connect()
    room.sandbox.add_fault("tiktok", TOKEN, "delay", delay_seconds=0.7)
    move_to(clock, times(superuser)[0])
    await wait_for(
        lambda: superuser.execute("SELECT refreshing_until IS NOT NULL FROM connection").fetchone() == (True,)
    )
    answer = await room.disconnect(connection_id)
    assert answer.json()["platform_confirmed"] is True
    assert [held.revoked for held in room.sandbox.tiktok.state.grants] == [True]
    assert superuser.execute("SELECT count(*) FROM sealed_grant").fetchone() == (0,)


@given(attempts=st.integers(1, 1_000), chance=st.floats(0, 1))
def test_pauses_between_attempts_are_bounded(attempts: int, chance: float):
    now = datetime.fromisoformat("2026-11-22T10:00:00+00:00")
    assert timedelta(seconds=2) <= retry_at(attempts, now, chance=chance) - now <= timedelta(seconds=72)
