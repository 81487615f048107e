"""Delivery on the real NATS and the real PostgreSQL: outbox, relay, inbox, settle."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from contracts.content import PostApprovedV1, PostDeletedV1
from contracts.topology import DEAD_LETTERS
from kit.database import Database, Scope, Transaction, Units
from kit.embedded.nats_server import EmbeddedNats
from kit.ids import new_id
from kit.relay import Relay
from kit.subscription import Subscription
from kit.testing import wait_for
from kit.testing.services import Bus
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

Recording = Callable[..., Subscription]
Consuming = Callable[..., AbstractAsyncContextManager[object]]


def deleted() -> PostDeletedV1:
    return PostDeletedV1(workspace_id=new_id(), post_id=new_id())


@asynccontextmanager
async def relaying(bus: Bus, database: Database) -> AsyncIterator[None]:
    relay = Relay(database, bus.client, trace.get_tracer("test"))
    task = asyncio.ensure_future(relay.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def dead_letters(bus: Bus) -> int:
    return (await bus.jetstream.stream_info(DEAD_LETTERS)).state.messages


async def effects(units: Units[Transaction]) -> list[object]:
    async with units(Scope.worker()) as transaction:
        return await transaction.scalars("SELECT post_id FROM effect ORDER BY id")


async def outbox_size(units: Units[Transaction]) -> int:
    async with units(Scope.worker()) as transaction:
        count: int = await transaction.scalar("SELECT count(*) FROM outbox")
        return count


async def test_an_event_is_told_when_its_transaction_commits(bus: Bus, database: Database, units: Units[Transaction]):
    event = deleted()
    async with relaying(bus, database):
        async with units(Scope.nobody()) as transaction:
            transaction.emit(event)
        assert await bus.wait_told(PostDeletedV1) == [event]
        await wait_for(lambda: _empty(units))


async def _empty(units: Units[Transaction]) -> bool:
    return await outbox_size(units) == 0


async def test_an_event_of_a_rolled_back_transaction_is_never_told(
    bus: Bus, database: Database, units: Units[Transaction]
):
    kept = deleted()
    with pytest.raises(RuntimeError, match="no"):
        async with units(Scope.nobody()) as transaction:
            transaction.emit(deleted())
            raise RuntimeError("no")
    async with units(Scope.nobody()) as transaction:
        transaction.emit(kept)
    async with relaying(bus, database):
        assert await bus.wait_told(PostDeletedV1) == [kept]


async def test_a_backlog_is_told_in_order_by_several_relays(bus: Bus, database: Database, units: Units[Transaction]):
    events = [deleted() for _ in range(1_200)]
    async with units(Scope.nobody()) as transaction:
        for event in events:
            transaction.emit(event)
    async with relaying(bus, database), relaying(bus, database):
        assert await bus.wait_told(PostDeletedV1, len(events), timeout_seconds=30) == events


async def test_rows_wait_while_nats_is_away(
    bus: Bus, database: Database, units: Units[Transaction], nats_server: EmbeddedNats
):
    event = deleted()
    async with relaying(bus, database):
        await nats_server.kill()
        async with units(Scope.nobody()) as transaction:
            transaction.emit(event)
        assert await outbox_size(units) == 1
        await nats_server.start()
        assert await bus.wait_told(PostDeletedV1, timeout_seconds=20) == [event]


async def test_a_repeated_event_has_one_effect(
    consuming: Consuming, bus: Bus, nats_url: str, database: Database, units: Units[Transaction], recording: Recording
):
    event, other = deleted(), deleted()
    async with consuming(nats_url, database, recording()):
        event_id = await bus.publish(event)
        for _ in range(3):
            await bus.publish(event, event_id=event_id)
        await bus.publish(other)
        await wait_for(lambda: bus.settled("scheduler-content"))
    assert sorted(map(str, await effects(units))) == sorted([str(event.post_id), str(other.post_id)])


async def test_a_failing_handler_is_tried_again_and_has_one_effect(
    consuming: Consuming, bus: Bus, nats_url: str, database: Database, units: Units[Transaction], recording: Recording
):
    calls: list[PostDeletedV1] = []

    def fail_twice(event: PostDeletedV1) -> None:
        calls.append(event)
        if len(calls) < 3:
            raise RuntimeError("not yet")

    event = deleted()
    async with consuming(nats_url, database, recording(fail_twice)):
        await bus.publish(event)
        await wait_for(lambda: _has_effects(units, 1))
    assert len(calls) == 3
    assert await effects(units) == [event.post_id]
    assert await dead_letters(bus) == 0


async def test_a_hopeless_event_is_parked_whole_without_the_text_of_its_error(
    consuming: Consuming, bus: Bus, nats_url: str, database: Database, units: Units[Transaction], recording: Recording
):
    def fail(_: PostDeletedV1) -> None:
        raise RuntimeError("somebody@example.com")

    event = deleted()
    async with consuming(nats_url, database, recording(fail)):
        event_id = await bus.publish(event)
        await wait_for(lambda: dead_letters(bus))
    parked = await bus.jetstream.get_last_msg(DEAD_LETTERS, "dlq.scheduler-content.*")
    assert parked.data == event.model_dump_json().encode()
    assert parked.headers is not None
    assert parked.headers["ce-id"] == str(event_id)
    assert parked.headers["signoff-reason"] == "exhausted"
    assert parked.headers["signoff-error"] == "RuntimeError"
    assert await effects(units) == []


@pytest.mark.parametrize(
    ("headers", "body", "complaint"),
    [
        ({"ce-type": "post.deleted.v1", "ce-id": "0199c1d0-0000-7000-8000-000000000000"}, b"{}", "is broken at"),
        ({"ce-type": "post.unheard_of.v1", "ce-id": "0199c1d0-0000-7000-8000-000000000000"}, b"{}", "no event"),
        ({"ce-type": "post.deleted.v1"}, b"{}", "no valid ce-id"),
        ({}, b"", "ce-id"),
    ],
)
async def test_what_is_no_event_is_parked_at_once(
    consuming: Consuming,
    bus: Bus,
    nats_url: str,
    database: Database,
    recording: Recording,
    headers: dict[str, str],
    body: bytes,
    complaint: str,
):
    async with consuming(nats_url, database, recording()):
        await bus.jetstream.publish(f"post.deleted.v1.{new_id()}", body, headers=headers)
        await wait_for(lambda: bus.settled("scheduler-content"))
    parked = await bus.jetstream.get_last_msg(DEAD_LETTERS, "dlq.scheduler-content.*")
    assert parked.headers is not None
    assert parked.headers["signoff-reason"] == "contract"
    assert complaint in parked.headers["signoff-error"]


async def test_a_consumer_goes_on_after_nats_was_killed(
    consuming: Consuming,
    bus: Bus,
    nats_url: str,
    database: Database,
    units: Units[Transaction],
    recording: Recording,
    nats_server: EmbeddedNats,
):
    first, second = deleted(), deleted()
    async with consuming(nats_url, database, recording()):
        await bus.publish(first)
        await wait_for(lambda: bus.settled("scheduler-content"))
        await nats_server.kill()
        await nats_server.start()
        await wait_for(lambda: bus.client.is_connected)
        await bus.publish(second)
        await wait_for(lambda: _has_effects(units, 2), 20)
    assert await effects(units) == [first.post_id, second.post_id]


async def _has_effects(units: Units[Transaction], count: int) -> bool:
    return len(await effects(units)) >= count


async def test_the_trace_of_a_commit_reaches_the_bus(bus: Bus, database: Database, units: Units[Transaction]):
    tracer = TracerProvider().get_tracer("test")
    async with relaying(bus, database):
        with tracer.start_as_current_span("request") as span:
            async with units(Scope.nobody()) as transaction:
                transaction.emit(
                    PostApprovedV1(workspace_id=new_id(), post_id=new_id(), revision_id=new_id(), content_hash="0" * 64)
                )
        await bus.wait_told(PostApprovedV1)
    message = await bus.jetstream.get_last_msg("CONTENT", "post.approved.v1.>")
    assert message.headers is not None
    assert message.headers["traceparent"].split("-")[1] == f"{span.get_span_context().trace_id:032x}"
