"""Dead letters on the real NATS and PostgreSQL: what is parked, what a replay does, and that it does it once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import nats
import pytest
from contracts.content import PostDeletedV1
from contracts.event import Event
from contracts.publisher import PublicationFailedV1
from contracts.topology import CONSUMERS, DEAD_LETTERS, STREAM_MAX_AGE, Consumer
from kit import codec, dead_letters
from kit.clock import SystemClock
from kit.database import Database, Scope, Transaction, Units
from kit.dead_letters import DeadLetter
from kit.ids import new_id
from kit.replays import PAGE, DeadLetters, Selection
from kit.streams import MESSAGE_BYTES_MAX
from kit.subscription import Subscription
from kit.testing import wait_for
from kit.testing.services import Bus

Recording = Callable[..., Subscription]
Consuming = Callable[..., AbstractAsyncContextManager[object]]

SCHEDULER = CONSUMERS["scheduler-content"]
REPLAYS = SCHEDULER.replay_subject("*")


def deleted() -> PostDeletedV1:
    return PostDeletedV1(workspace_id=new_id(), post_id=new_id())


async def park(bus: Bus, event: Event, consumer: Consumer = SCHEDULER, **headers: str) -> None:
    """Give up on an event as a consumer does."""
    await dead_letters.park(
        bus.jetstream,
        consumer=consumer,
        subject=event.subject(),
        headers=codec.headers_of(event, new_id(), source="test", at=SystemClock().now()) | headers,
        body=codec.encode(event),
        sequence=unheard_of(),
        attempts=11,
        reason="exhausted",
        error=RuntimeError("somebody@example.com"),
    )


def unheard_of() -> int:
    """A sequence that no test before has parked: the stream of dead letters knows their ids for two minutes."""
    return new_id().int


async def parked(bus: Bus, selection: Selection | None = None) -> list[DeadLetter]:
    return [letter async for page in DeadLetters(bus.client).pages(selection or Selection()) for letter in page]


async def stored(bus: Bus, subject: str = REPLAYS) -> int:
    """How many messages a stream holds under a subject."""
    info = await bus.jetstream.stream_info("CONTENT", subjects_filter=subject)
    return sum((info.state.subjects or {}).values())


async def effects(units: Units[Transaction]) -> list[object]:
    async with units(Scope.worker()) as transaction:
        return await transaction.scalars("SELECT post_id FROM effect ORDER BY id")


class Mendable:
    """A handler's fault, until it is mended."""

    def __init__(self) -> None:
        self.mended = False

    def __call__(self, _: PostDeletedV1) -> None:
        if not self.mended:
            raise RuntimeError("broken")


@pytest.fixture
async def consumed(
    consuming: Consuming, recording: Recording, nats_url: str, database: Database, bus: Bus
) -> AsyncIterator[tuple[Mendable, PostDeletedV1, DeadLetter]]:
    """A running consumer that has just given up on an event, and whose fault can be mended."""
    fault, event = Mendable(), deleted()
    async with consuming(nats_url, database, recording(fault)):
        await bus.publish(event)
        await wait_for(lambda: parked(bus), what="the event to be parked")
        await wait_for(lambda: bus.settled(SCHEDULER.name))
        yield fault, event, (await parked(bus))[0]


async def test_a_replay_has_the_effect_that_failed_before(
    consumed: tuple[Mendable, PostDeletedV1, DeadLetter], bus: Bus, units: Units[Transaction]
):
    fault, event, letter = consumed
    assert await effects(units) == []
    fault.mended = True
    assert await DeadLetters(bus.client).replay([letter]) == {}
    await wait_for(lambda: effects(units))
    assert await effects(units) == [event.post_id]
    assert await parked(bus) == []


async def test_an_event_that_is_replayed_again_and_again_has_one_effect(
    consumed: tuple[Mendable, PostDeletedV1, DeadLetter], bus: Bus, units: Units[Transaction]
):
    fault, event, letter = consumed
    fault.mended = True
    letters = DeadLetters(bus.client)
    # The second within the stream's memory of message ids; the others, as after it, are left to the inbox.
    for id_ in (letter.id, letter.id, letter.id + 1_000, letter.id + 2_000):
        assert await letters.replay([replace(letter, id=id_)]) == {}
    assert await stored(bus) == 3
    await wait_for(lambda: bus.settled(SCHEDULER.name))
    assert await effects(units) == [event.post_id]


@asynccontextmanager
async def cut_off_before_deleting(url: str) -> AsyncIterator[tuple[DeadLetters, asyncio.Event]]:
    """Dead letters over a line that breaks where the first deletion is to go through; the event says when."""
    host, _, port = url.removeprefix("nats://").partition(":")
    broken = asyncio.Event()

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            if b".MSG.DELETE." in data:
                broken.set()
                return
            writer.write(data)

    async def between(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream, downstream = await asyncio.open_connection(host, port)
        copies = [asyncio.ensure_future(forward(reader, downstream)), asyncio.ensure_future(forward(upstream, writer))]
        await asyncio.wait(copies, return_when=asyncio.FIRST_COMPLETED)
        for copy in copies:
            copy.cancel()
        downstream.close()
        writer.close()

    async with await asyncio.start_server(between, "127.0.0.1", 0) as line:
        client = await nats.connect(f"nats://127.0.0.1:{line.sockets[0].getsockname()[1]}", allow_reconnect=False)
        yield DeadLetters(client), broken
        await client.close()


async def test_a_replay_that_was_cut_off_before_it_deleted_has_one_effect(
    consumed: tuple[Mendable, PostDeletedV1, DeadLetter], bus: Bus, nats_url: str, units: Units[Transaction]
):
    fault, event, letter = consumed
    fault.mended = True
    async with cut_off_before_deleting(nats_url) as (letters, broken):
        replaying = asyncio.ensure_future(letters.replay([letter]))
        await asyncio.wait_for(broken.wait(), 5)
        replaying.cancel()
    assert await stored(bus) == 1
    assert await parked(bus) == [letter]
    assert await DeadLetters(bus.client).replay([letter]) == {}
    await wait_for(lambda: bus.settled(SCHEDULER.name))
    assert await effects(units) == [event.post_id]
    assert await parked(bus) == []


async def test_a_replay_that_fails_is_parked_again_as_the_event_it_is_and_for_no_longer(
    consumed: tuple[Mendable, PostDeletedV1, DeadLetter], bus: Bus
):
    _, event, letter = consumed
    await DeadLetters(bus.client).replay([letter])

    async def another() -> list[DeadLetter]:
        return [found for found in await parked(bus) if found.id != letter.id]

    again = (await wait_for(another))[0]
    assert again.subject == letter.subject == SCHEDULER.dead_letter_subject(str(event.workspace_id))
    assert again.headers["signoff-subject"] == letter.headers["signoff-subject"] == event.subject()
    assert again.headers["ce-id"] == letter.headers["ce-id"]
    assert again.expires == letter.expires
    message = await bus.jetstream.get_msg(DEAD_LETTERS, again.id)
    assert int((message.headers or {})["Nats-TTL"]) <= STREAM_MAX_AGE.total_seconds()


async def test_only_the_consumer_that_gave_up_hears_a_replay(bus: Bus):
    event = PublicationFailedV1(
        workspace_id=new_id(),
        publication_id=new_id(),
        post_id=new_id(),
        schedule_id=new_id(),
        connection_id=new_id(),
        revision_id=new_id(),
        platform="tiktok",
        code="refused",
    )
    await park(bus, event, CONSUMERS["scheduler-publisher"])
    assert await DeadLetters(bus.client).replay(await parked(bus)) == {}

    async def pending(consumer: str) -> int:
        return (await bus.jetstream.consumer_info("PUBLISHER", consumer)).num_pending or 0

    await wait_for(lambda: pending("scheduler-publisher"))
    others = [name for name, it in CONSUMERS.items() if it.stream == "PUBLISHER" and name != "scheduler-publisher"]
    assert len(others) > 1
    assert [await pending(name) for name in others] == [0] * len(others)


async def test_a_replay_is_what_was_parked_without_what_parking_added(bus: Bus):
    event = deleted()
    await park(bus, event, traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    (letter,) = await parked(bus)
    assert (letter.error, letter.attempts, letter.reason) == ("RuntimeError", "11", "exhausted")
    await DeadLetters(bus.client).replay([letter])
    message = await bus.jetstream.get_last_msg("CONTENT", REPLAYS)
    assert message.data == codec.encode(event)
    headers = dict(message.headers or {})
    ttl_seconds = int(headers.pop("Nats-TTL"))
    assert headers.pop("Nats-Msg-Id") == f"replay:{letter.id}"
    assert headers.pop("Nats-Expected-Stream") == "CONTENT"
    assert headers.pop(dead_letters.EXPIRES) == letter.expires.isoformat()
    assert headers == {name: value for name, value in letter.headers.items() if not name.startswith("signoff-")}
    assert STREAM_MAX_AGE - timedelta(minutes=1) < timedelta(seconds=ttl_seconds) <= STREAM_MAX_AGE


async def test_a_replay_is_gone_when_its_dead_letter_would_be(bus: Bus):
    await park(bus, deleted())
    (letter,) = await parked(bus)
    await DeadLetters(bus.client).replay([replace(letter, expires=SystemClock().now() + timedelta(seconds=1))])
    assert await stored(bus) == 1
    await wait_for(lambda: _is_empty(bus))


async def _is_empty(bus: Bus) -> bool:
    return await stored(bus) == 0


@pytest.mark.parametrize(
    ("consumer", "headers", "complaint"),
    [
        ("gone-content", {}, "no consumer gone-content any more"),
        ("metrics-auth", {}, "metrics-auth does not take post.deleted.v1 any more"),
        ("scheduler-content", {"ce-type": "post.unheard_of.v1"}, "no event is called"),
        ("scheduler-content", {"ce-id": "7"}, "no valid ce-id"),
    ],
)
async def test_what_no_consumer_would_take_is_refused_and_kept(
    bus: Bus, consumer: str, headers: dict[str, str], complaint: str
):
    event = deleted()
    envelope = codec.headers_of(event, new_id(), source="test", at=SystemClock().now()) | headers
    await bus.jetstream.publish(f"dlq.{consumer}.{event.workspace_id}", codec.encode(event), headers=envelope)
    (letter,) = await parked(bus)
    failed = await DeadLetters(bus.client).replay([letter])
    assert list(failed) == [letter.id]
    assert complaint in failed[letter.id]
    assert await parked(bus) == [letter]
    assert await stored(bus) == 0


async def test_what_the_stream_refuses_is_named_with_its_reason_and_kept(bus: Bus):
    event = deleted()
    headers = codec.headers_of(event, new_id(), source="test", at=SystemClock().now())
    # What nobody knows of an event is ignored; only its size is in the way.
    body = codec.encode(event)[:-1] + b',"padding":"' + b"x" * MESSAGE_BYTES_MAX + b'"}'
    await bus.jetstream.publish(SCHEDULER.dead_letter_subject(str(event.workspace_id)), body, headers=headers)
    await park(bus, deleted())
    letters = await parked(bus)
    failed = await DeadLetters(bus.client).replay(letters)
    assert failed == {letters[0].id: "message size exceeds maximum allowed"}
    assert await parked(bus) == letters[:1]


async def test_nothing_is_replayed_where_nobody_would_hear_it(bus: Bus):
    await park(bus, deleted())
    await bus.jetstream.delete_consumer("CONTENT", SCHEDULER.name)
    (letter,) = await parked(bus)
    failed = await DeadLetters(bus.client).replay([letter])
    assert "run signoff topology apply" in failed[letter.id]
    assert await parked(bus) == [letter]


async def test_a_selection_narrows_by_consumer_event_key_and_age(bus: Bus):
    first, second = deleted(), deleted()
    await park(bus, first)
    await park(bus, second)
    await park(bus, first, CONSUMERS["metrics-auth"])
    letters = await parked(bus)

    async def found(selection: Selection) -> list[int]:
        return [letters.index(letter) for letter in await parked(bus, selection)]

    assert await found(Selection(consumer="metrics-auth")) == [2]
    assert await found(Selection(key=str(first.workspace_id))) == [0, 2]
    assert await found(Selection(consumer="scheduler-content", key=str(second.workspace_id))) == [1]
    assert await found(Selection(event="post.deleted")) == [0, 1, 2]
    assert await found(Selection(event="post.deleted.v1", key=str(second.workspace_id))) == [1]
    assert await found(Selection(event="post.delete")) == await found(Selection(event="post.deleted.v2")) == []
    assert await found(Selection(parked_from=letters[1].parked_at + timedelta(microseconds=1))) == [2]
    assert await found(Selection(parked_until=letters[1].parked_at)) == [0, 1]
    assert await found(Selection(id_until=letters[0].id)) == [0]


async def test_more_than_a_page_is_read_whole_and_dropped_to_the_last_that_was_seen(bus: Bus):
    events = [deleted() for _ in range(PAGE + 5)]
    for event in events:
        await park(bus, event)
    letters = await parked(bus)
    assert [letter.key for letter in letters] == [str(event.workspace_id) for event in events]
    later = deleted()
    await park(bus, later)
    box = DeadLetters(bus.client)
    async for page in box.pages(Selection(id_until=letters[-1].id)):
        assert await box.drop(page) == {}
        # What is gone already is as good as dropped.
        assert await box.drop(page) == {}
    assert [letter.key for letter in await parked(bus)] == [str(later.workspace_id)]


async def test_the_greatest_message_of_a_stream_can_be_parked(bus: Bus):
    subject, headers = f"post.deleted.v1.{new_id()}", {"ce-type": "post.deleted.v1", "ce-id": str(new_id())}
    # The server counts a line of its own, and each header with its separators.
    own_bytes = sum(len(name) + len(value) + 4 for name, value in headers.items()) + len("NATS/1.0\r\n\r\n")
    body = b"x" * (MESSAGE_BYTES_MAX - own_bytes)
    await bus.jetstream.publish(subject, body, headers=headers)
    await dead_letters.park(
        bus.jetstream,
        consumer=SCHEDULER,
        subject=subject,
        headers=headers,
        body=body,
        sequence=unheard_of(),
        attempts=1,
        reason="contract",
        error=codec.ContractError("x" * 1_000),
    )
    (letter,) = await parked(bus)
    assert letter.body == body
    assert len(letter.error) == dead_letters.ERROR_LENGTH_MAX
