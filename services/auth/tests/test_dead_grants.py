"""Grants that die: destroyed at once where the platform proves it, and ended if nobody authorises again in time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from auth.domain.renewing import Life
from auth.domain.withdrawing import GRACE_DAYS
from auth.ports.store import Transactions
from contracts.auth import (
    ConnectionEstablishedV1,
    ConnectionReauthRequiredV1,
    ConnectionRevokedV2,
    PlatformConfirmation,
    RevocationReason,
)
from kit.clock import MovableClock
from kit.database import Scope
from kit.testing import wait_for
from kit.testing.services import Bus
from platforms.registry import ACCESS
from platforms.shape import PlatformName
from sandbox.facebook.platform import FacebookSandbox

from services.auth.tests.client import Room, Superuser
from services.auth.tests.test_connecting import counts
from services.auth.tests.test_disconnecting import row
from services.auth.tests.test_refreshing import move_to, times

GRACE = timedelta(days=GRACE_DAYS)


@pytest.fixture
def imitated() -> tuple[str, ...]:
    return ("tiktok", "facebook")


async def die(room: Room, bus: Bus, clock: MovableClock, superuser: Superuser) -> UUID:
    """A TikTok connection whose grant the platform refuses to renew."""
    connection_id = await room.connect()
    for held in room.sandbox.tiktok.state.grants:
        room.sandbox.tiktok.withdraw(held.open_id)
    move_to(clock, times(superuser)[0])
    await bus.wait_told(ConnectionReauthRequiredV1)
    return connection_id


async def report(room: Room, connection_id: UUID, code: str, generation: int | None = 1) -> None:
    told: dict[str, Any] = {"code": code, "generation": generation}
    path = f"/internal/connections/{connection_id}/dead"
    await room.auth.ask("POST", path, told, room.auth.passport(service="metrics"), expect=204)


def tokens(superuser: Superuser) -> tuple[int, int]:
    """Ciphertexts and keys that are there."""
    (ciphertexts,) = superuser.execute("SELECT count(*) FROM sealed_grant WHERE ciphertext <> ''").fetchone() or (-1,)
    return ciphertexts, counts(superuser, "grant_key")[0]


@pytest.mark.promise("P27")
@pytest.mark.promise("P60")
async def test_the_tokens_of_a_dead_grant_are_destroyed_and_its_connection_waits_for_a_person(
    room: Room, bus: Bus, clock: MovableClock, superuser: Superuser
):
    connection_id = await die(room, bus, clock, superuser)
    await wait_for(lambda: tokens(superuser) == (0, 0))
    (shown,) = await room.list()
    assert (shown["connection_id"], shown["state"]) == (str(connection_id), "reauth_required")
    clock.advance(GRACE - timedelta(minutes=1))
    assert await room.connect() == connection_id
    await bus.wait_told(ConnectionEstablishedV1, 2)
    assert (tokens(superuser), row(superuser)["dead_since"]) == ((1, 1), None)
    lease = await room.borrow(connection_id)
    assert len(lease.leases) == 1
    await room.give_back(lease)
    clock.advance(timedelta(minutes=2))
    assert await bus.told(ConnectionRevokedV2) == []


@pytest.mark.promise("P27")
@pytest.mark.promise("P61")
async def test_if_nobody_comes_back_the_clock_runs_from_the_day_the_grant_died(
    room: Room, bus: Bus, clock: MovableClock, superuser: Superuser
):
    connection_id = await die(room, bus, clock, superuser)
    died_at = row(superuser)["dead_since"]
    clock.advance(GRACE + timedelta(minutes=1))
    (told,) = await bus.wait_told(ConnectionRevokedV2)
    assert isinstance(told, ConnectionRevokedV2)
    assert (told.connection_id, told.reason, told.revoked_at) == (connection_id, RevocationReason.PLATFORM, died_at)
    assert told.platform_confirmation is PlatformConfirmation.NOT_ASKED
    assert told.revoked_at < clock.now() - GRACE
    assert room.sandbox.requests("tiktok", "POST /v2/oauth/revoke/") == 0
    assert await room.list() == []


async def test_a_dead_connection_that_is_ended_by_hand_needs_no_answer_of_the_platform(
    room: Room, bus: Bus, clock: MovableClock, superuser: Superuser
):
    connection_id = await die(room, bus, clock, superuser)
    answer = (await room.disconnect(connection_id)).json()
    assert (answer["state"], answer["platform_confirmed"], answer["where_to_withdraw"]) == ("revoked", None, None)


async def test_what_a_borrower_says_destroys_only_what_it_proves(room: Room, superuser: Superuser):
    connection_id = await room.connect("facebook")
    await report(room, connection_id, "190.460")
    assert row(superuser)["state"] == "reauth_required"
    assert tokens(superuser) == (1, 1)
    assert await room.connect("facebook") == connection_id
    await report(room, connection_id, "190.458", generation=1)
    assert row(superuser)["state"] == "active"
    await report(room, connection_id, "190.458", generation=2)
    assert row(superuser)["state"] == "reauth_required"
    await wait_for(lambda: tokens(superuser) == (0, 0))


async def test_a_report_that_names_no_generation_destroys_nothing(room: Room, superuser: Superuser):
    connection_id = await room.connect("facebook")
    await report(room, connection_id, "190.458", generation=None)
    assert (row(superuser)["state"], tokens(superuser)) == ("reauth_required", (1, 1))


@pytest.mark.promise("P27")
async def test_a_grant_that_may_still_live_is_ended_at_the_platform_when_its_time_is_over(
    room: Room, bus: Bus, clock: MovableClock, superuser: Superuser
):
    connection_id = await room.connect("facebook")
    await report(room, connection_id, "10")
    clock.advance(GRACE + timedelta(minutes=1))
    (told,) = await bus.wait_told(ConnectionRevokedV2)
    assert isinstance(told, ConnectionRevokedV2)
    assert (told.reason, told.platform_confirmation) == (RevocationReason.PLATFORM, PlatformConfirmation.CONFIRMED)
    assert len(room.sandbox.truth.revocations("facebook")) == 1
    assert tokens(superuser) == (0, 0)


async def test_a_renewal_on_its_way_brings_nothing_back(
    room: Room, transactions: Transactions, clock: MovableClock, superuser: Superuser
):
    connection_id = await room.connect()
    async with transactions(Scope.worker()) as store:
        assert len(await store.grants.shred([connection_id])) == 1
    async with transactions(Scope.worker()) as store:
        life = Life(clock.now() + timedelta(days=1), None, None)
        renewed = store.connections.renewed(connection_id, generation=1, scopes=[], life=life, at=clock.now())
        assert await renewed is None
    assert tokens(superuser)[0] == 0
    assert await room.connect() == connection_id
    assert len((await room.borrow(connection_id)).leases) == 1


def test_every_platform_has_words_that_prove_an_end():
    assert set(ACCESS) == set(PlatformName)
    for access in ACCESS.values():
        assert access.proofs
        assert not access.proofs & {"access_token_invalid", "190", "190.460", "401", "unauthorized", "invalid_request"}


def test_only_facebook_is_asked_without_a_token_of_the_person():
    assert [name for name, access in ACCESS.items() if access.by_application] == [PlatformName.FACEBOOK]
    assert FacebookSandbox.name == "facebook"
