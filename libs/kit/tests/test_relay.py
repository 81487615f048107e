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
from kit.relay import TOGETHER_MIN, Relay
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


async def batches_of(bus: Bus) -> set[str | None]:
    """The batches in which NATS got what it holds; None for what came by itself."""
    return {(message.headers or {}).get("Nats-Batch-Id") for message in await bus.messages(PostDeletedV1)}


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


async def test_a_burst_is_stored_as_one_batch(bus: Bus, database: Database, units: Units[Transaction]):
    await emit(units, *(event(new_id()) for _ in range(TOGETHER_MIN)))
    async with relaying(bus, database):
        await bus.wait_told(PostDeletedV1, TOGETHER_MIN)
    batches = await batches_of(bus)
    assert len(batches) == 1
    assert None not in batches


async def test_a_few_events_are_no_batch(bus: Bus, database: Database, units: Units[Transaction]):
    await emit(units, *(event(new_id()) for _ in range(TOGETHER_MIN - 1)))
    async with relaying(bus, database):
        await bus.wait_told(PostDeletedV1, TOGETHER_MIN - 1)
    assert await batches_of(bus) == {None}


async def test_a_burst_of_which_some_is_stored_already_is_told_once_and_in_order(
    bus: Bus, database: Database, units: Units[Transaction]
):
    """As after a crash between the stream's answer and the end of the transaction."""
    before, after = [event(A), event(A), event(B)], [event(A) for _ in range(TOGETHER_MIN)]
    await emit(units, *before)
    async with units(Scope.worker()) as transaction:
        kept = await transaction.scalar("SELECT json_agg(outbox ORDER BY id)::text FROM outbox")
    async with relaying(bus, database):
        await bus.wait_told(PostDeletedV1, len(before))
        await wait_for(lambda: _is_empty(units))
    async with units(Scope.worker()) as transaction:
        await transaction.execute(
            "INSERT INTO outbox OVERRIDING SYSTEM VALUE SELECT * FROM json_populate_recordset(NULL::outbox, %s::json)",
            (kept,),
        )
    await emit(units, *after)
    async with relaying(bus, database):
        await wait_for(lambda: _is_empty(units))
        told = await bus.told(PostDeletedV1)
    assert [one for one in told if one.aggregate() == A] == [*before[:2], *after]
    assert [one for one in told if one.aggregate() == B] == before[2:]


async def test_an_event_that_is_refused_in_a_burst_holds_back_its_own_aggregate_and_no_other(
    bus: Bus, database: Database, units: Units[Transaction]
):
    refused, behind, others = event(A), event(A), [event(B) for _ in range(TOGETHER_MIN)]
    await emit(units, refused, *others, behind)
    await resize(units, refused, b" " * (MESSAGE_BYTES_MAX + 1))
    async with relaying(bus, database):
        assert await bus.wait_told(PostDeletedV1, len(others)) == others
        await resize(units, refused, refused.model_dump_json().encode())
        told = await bus.wait_told(PostDeletedV1, len(others) + 2)
    assert [one for one in told if one.aggregate() == A] == [refused, behind]


async def _is_empty(units: Units[Transaction]) -> bool:
    async with units(Scope.worker()) as transaction:
        return not await transaction.scalar("SELECT count(*) FROM outbox")


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
