"""What leaves the outbox leaves it in order, whatever the server refuses in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from contracts.content import PostDeletedV1
from contracts.event import Event
from kit.database import Database, Scope, Transaction, Units
from kit.ids import new_id
from kit.relay import Relay
from kit.streams import MESSAGE_BYTES_MAX
from kit.testing import wait_for
from kit.testing.services import Bus
from opentelemetry import trace

A, B = UUID(int=1), UUID(int=2)


def event(post_id: UUID) -> PostDeletedV1:
    return PostDeletedV1(workspace_id=new_id(), post_id=post_id)


@asynccontextmanager
async def relaying(bus: Bus, database: Database) -> AsyncIterator[None]:
    task = asyncio.ensure_future(Relay(database, bus.client, trace.get_tracer("test")).run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def emit(units: Units[Transaction], *events: Event) -> None:
    async with units(Scope.nobody()) as transaction:
        for one in events:
            transaction.emit(one)


async def resize(units: Units[Transaction], told: Event, body: bytes) -> None:
    """Make one event so big that its stream refuses it, or small again."""
    async with units(Scope.worker()) as transaction:
        await transaction.execute("UPDATE outbox SET body = %s WHERE subject = %s", (body, told.subject()))


async def test_a_refused_event_holds_back_its_own_aggregate_and_no_other(
    bus: Bus, database: Database, units: Units[Transaction]
):
    first, refused, behind = event(A), event(A), event(A)
    others = [event(B), event(B), event(B), event(B)]
    await emit(units, first, refused, behind, *others)
    await resize(units, refused, b" " * (MESSAGE_BYTES_MAX + 1))
    async with relaying(bus, database):
        told = await bus.wait_told(PostDeletedV1, 5)
        assert [one for one in told if one.aggregate() == A] == [first]
        assert [one for one in told if one.aggregate() == B] == others
        await resize(units, refused, refused.model_dump_json().encode())
        told = await bus.wait_told(PostDeletedV1, 7)
    assert [one for one in told if one.aggregate() == A] == [first, refused, behind]


async def test_many_events_of_one_aggregate_are_told_in_order(bus: Bus, database: Database, units: Units[Transaction]):
    events = [event(A) for _ in range(60)]
    await emit(units, *events)
    async with relaying(bus, database):
        assert await bus.wait_told(PostDeletedV1, len(events)) == events


async def test_nothing_is_given_to_the_library_while_nats_is_away(
    bus: Bus, database: Database, units: Units[Transaction]
):
    """It would keep what it cannot send, and send it after what is published meanwhile."""
    await bus.client.close()
    before = bus.client.stats["out_msgs"]
    async with relaying(bus, database):
        await emit(units, event(A))
        looks = asyncio.ensure_future(_looks(database))
        assert await looks >= 2
    assert bus.client.stats["out_msgs"] == before
    async with units(Scope.worker()) as transaction:
        assert await transaction.scalar("SELECT count(*) FROM outbox") == 1


async def _looks(database: Database) -> int:
    """How often the relay was woken and went back to waiting."""
    looks = 0
    for _ in range(2):
        database.committed.set()
        await wait_for(lambda: not database.committed.is_set())
        looks += 1
    return looks
