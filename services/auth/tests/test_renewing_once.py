"""A refresh token that works once is used once; and a crash after its use ends in recovery or with a person."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from auth.adapters.platforms import CalledPlatforms
from auth.adapters.vault import EnvelopeVault
from auth.domain.connections import FLIGHT
from auth.ports.store import Transactions
from auth.use_cases.refreshing import refresh_due
from contracts.auth import ConnectionReauthRequiredV1, ConnectionRefreshedV1
from kit.clock import MovableClock
from kit.settings import Environment
from kit.testing.services import Bus
from platforms.environment import OfferedPlatforms
from platforms.shape import Grant, PlatformName
from sandbox.server import Sandbox

from services.auth.tests.client import Room
from services.auth.tests.conftest import StartAuth
from services.auth.tests.nine import NINE
from services.auth.tests.test_refreshing import move_to, times

Rows = psycopg.Connection[Any]

ROTATING = [name for name, known in NINE.items() if known.rotates]

REQUESTS = {"bluesky": 2}
"""Where one renewal is several requests: Bluesky refuses the first one, to hand out the nonce of the hour."""

LASTING = ["youtube", "linkedin"]
"""Their refresh tokens outlive a renewal whose answer was lost."""


@pytest.fixture
def imitated(platform: str) -> tuple[str, ...]:
    return (platform,)


@pytest.mark.promise("P25")
@pytest.mark.parametrize("platform", ROTATING)
async def test_fifty_triggers_of_two_processes_make_one_call(
    room: Room, platform: str, start: StartAuth, offering: dict[str, str], bus: Bus, clock: MovableClock,
    superuser: Rows,
):  # fmt: skip
    """Each request for a lease nudges the loop of the process it came to, while the grant is out of date."""
    connection_id = await room.connect(platform)
    route = NINE[platform].token_route
    before = room.sandbox.requests(platform, route)
    room.sandbox.add_fault(platform, route, "delay", delay_seconds=0.5, times=50)
    async with start(**offering) as other:
        beside = replace(room, auth=other)
        move_to(clock, times(superuser)[1] + timedelta(minutes=1))
        asked = [(room, beside)[number % 2].borrow(connection_id) for number in range(50)]
        answers = await asyncio.gather(*asked)
        assert {refusal.code for answer in answers for refusal in answer.refused} == {"refreshing"}
        await bus.wait_told(ConnectionRefreshedV1)
        assert len((await beside.borrow(connection_id)).leases) == 1
    assert room.sandbox.requests(platform, route) == before + REQUESTS.get(platform, 1)
    assert superuser.execute("SELECT generation FROM sealed_grant").fetchone() == (2,)


class Killed(BaseException):
    """What nothing catches."""


class AnsweredTooLate(CalledPlatforms):
    """The platforms as a process calls them that dies between their answer to a renewal and its own commit."""

    async def refresh(self, name: PlatformName, grant: Grant) -> Grant:
        await super().refresh(name, grant)
        raise Killed


@pytest.fixture
async def called_too_late(offering: dict[str, str], clock: MovableClock) -> AsyncIterator[CalledPlatforms]:
    platforms = AnsweredTooLate(OfferedPlatforms.read(Environment(offering)), clock)
    async with platforms.open():
        yield platforms


@pytest.mark.promise("P25")
@pytest.mark.parametrize("platform", [*ROTATING, *LASTING])
async def test_a_crash_between_the_platforms_answer_and_the_commit_is_never_a_silent_end(
    platform: str, start: StartAuth, offering: dict[str, str], sandbox: Sandbox, bus: Bus, clock: MovableClock,
    transactions: Transactions, called_too_late: CalledPlatforms, vault: EnvelopeVault, superuser: Rows,
):  # fmt: skip
    async with start(**offering) as auth:
        account_id = await auth.sign_up()
        workspace_id = await auth.create_workspace(account_id)
        connection_id = await Room(auth, sandbox, account_id, workspace_id).connect(platform)
    before = sandbox.requests(platform, NINE[platform].token_route)
    move_to(clock, times(superuser)[0])
    with pytest.raises(Killed):
        await refresh_due(transactions, platforms=called_too_late, vault=vault)
    assert sandbox.requests(platform, NINE[platform].token_route) > before
    assert superuser.execute("SELECT generation FROM sealed_grant").fetchone() == (1,)

    clock.advance(FLIGHT + timedelta(seconds=1))
    async with start(**offering) as auth:
        room = Room(auth, sandbox, account_id, workspace_id)
        if platform in LASTING:
            await bus.wait_told(ConnectionRefreshedV1)
            assert len((await room.borrow(connection_id)).leases) == 1
            return
        assert len(await bus.wait_told(ConnectionReauthRequiredV1)) == 1
        assert [(shown["state"], shown["to_do"]) for shown in await room.list()] == [("reauth_required", "reauthorise")]
        assert [each.code for each in (await room.borrow(connection_id)).refused] == ["reauth_required"]
        assert await auth.mailbox.wait("connection_needs_you", "owner@example.com")
        assert await room.connect(platform) == connection_id
        assert len((await room.borrow(connection_id)).leases) == 1
