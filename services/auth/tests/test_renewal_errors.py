"""A blip is not a dead token: what each platform says to a renewal, and what becomes of the connection."""

from __future__ import annotations

from functools import partial
from typing import Any

import psycopg
import pytest
from contracts.auth import ConnectionReauthRequiredV1
from kit.clock import MovableClock
from kit.testing import wait_for
from kit.testing.services import Bus

from services.auth.tests.client import Room
from services.auth.tests.nine import NINE
from services.auth.tests.test_refreshing import has_failed, move_to, times

Rows = psycopg.Connection[Any]

BLIPS: tuple[dict[str, Any], ...] = (
    {"kind": "answer", "status": 500},
    {"kind": "answer", "status": 502, "body": {"error": "bad gateway"}},
    {"kind": "answer", "status": 429},
    {"kind": "answer", "status": 200, "body": {"unexpected": True}},
    {"kind": "reset_before"},
)
"""What says nothing of the token, whoever says it."""


@pytest.fixture
def imitated(platform: str) -> tuple[str, ...]:
    return (platform,)


@pytest.mark.promise("P25")
@pytest.mark.parametrize("platform", NINE)
async def test_a_blip_is_tried_again_and_only_a_dead_token_needs_a_person(
    room: Room, platform: str, bus: Bus, clock: MovableClock, superuser: Rows
):
    known, (status, body) = NINE[platform], NINE[platform].dead
    connection_id = await room.connect(platform)
    # A GET whose connection was lost is repeated at once, below us, so the blip would never be seen.
    blips = BLIPS[:-1] if known.token_route.startswith("GET") else BLIPS
    for blip in blips:
        room.sandbox.add_fault(platform, known.token_route, **blip)
    room.sandbox.add_fault(platform, known.token_route, "answer", status=status, body=body)
    move_to(clock, times(superuser)[0])
    for number, blip in enumerate(blips, start=1):
        await wait_for(partial(has_failed, superuser, number), what=f"{blip} to count")
        (shown,) = await room.list()
        assert (shown["state"], shown["to_do"]) == ("active", "wait"), blip
        lent = await room.borrow(connection_id)
        assert len(lent.leases) == 1
        await room.give_back(lent)
        assert await bus.told(ConnectionReauthRequiredV1) == []
        superuser.execute("UPDATE connection SET refresh_at = %s", (clock.now(),))
    (told,) = await bus.wait_told(ConnectionReauthRequiredV1)
    assert isinstance(told, ConnectionReauthRequiredV1)
    assert told.connection_id == connection_id
    assert [shown["to_do"] for shown in await room.list()] == ["reauthorise"]
    await room.auth.mailbox.wait("connection_needs_you")
