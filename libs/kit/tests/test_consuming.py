"""Order and exactly one effect, whatever fails: on the real NATS and the real PostgreSQL."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from uuid import UUID

import psycopg
import pytest
from contracts.content import PostApprovalWithdrawnV1, PostDeletedV1
from contracts.retention import SubjectKind
from contracts.topology import CONSUMERS, DEAD_LETTERS
from kit import bus as buses
from kit import codec
from kit.clock import SystemClock
from kit.consuming import Consumers
from kit.database import Database, Scope, Transaction, Units
from kit.erasure import DataMap, erase
from kit.held import HeldEvents
from kit.ids import new_id
from kit.lanes import Batches
from kit.pull import Delivery, Pull
from kit.secret import Secret
from kit.settings import BusSettings
from kit.settle import RetryPolicy
from kit.subscription import Subscription
from kit.testing import wait_for
from kit.testing.services import Bus
from opentelemetry import trace

A, B = UUID(int=1), UUID(int=2)
CONSUMER = CONSUMERS["scheduler-content"]
QUICK = RetryPolicy(delays_seconds=(0.02,) * 8, jitter=0.1, outage_delay_seconds=0.05)
PATIENT = RetryPolicy(delays_seconds=(3600,), outage_delay_seconds=0.05)

Recording = Callable[..., Subscription]
Consuming = Callable[..., AbstractAsyncContextManager[Consumers]]


def event(post_id: UUID) -> PostDeletedV1:
    """The workspace tells the events of one post apart."""
    return PostDeletedV1(workspace_id=new_id(), post_id=post_id)


async def told(bus: Bus, *events: PostDeletedV1) -> None:
    for one in events:
        await bus.publish(one)


class Effects:
    """What was handled, in the order of the commits."""

    def __init__(self, units: Units[Transaction]) -> None:
        self._units = units

    async def of(self, post_id: UUID) -> list[UUID]:
        async with self._units(Scope.worker()) as transaction:
            return await transaction.scalars(
                "SELECT workspace_id FROM effect WHERE post_id = %s ORDER BY id", (post_id,)
            )

    async def reach(self, count: int) -> None:
        await wait_for(lambda: self._reached(count), what=f"{count} effects")

    async def _reached(self, count: int) -> bool:
        async with self._units(Scope.worker()) as transaction:
            return bool(await transaction.scalar("SELECT count(*) >= %s FROM effect", (count,)))

    async def held(self) -> int:
        async with self._units(Scope.worker()) as transaction:
            count: int = await transaction.scalar("SELECT count(*) FROM held_event")
            return count


@pytest.fixture
def effects(units: Units[Transaction]) -> Effects:
    return Effects(units)


def failing(chosen: PostDeletedV1, times: int) -> Callable[[PostDeletedV1], None]:
    """Fail so many times on one event, after its effect was written and before it is committed."""
    tried: Counter[UUID] = Counter()

    def before_commit(one: PostDeletedV1) -> None:
        tried[one.workspace_id] += 1
        if one == chosen and tried[one.workspace_id] <= times:
            raise RuntimeError("not yet")

    return before_commit


async def test_what_follows_a_failed_event_waits_behind_it_and_others_pass(
    consuming: Consuming, bus: Bus, nats_url: str, database: Database, recording: Recording, effects: Effects
):
    first, second, third, other = event(A), event(A), event(A), event(B)
    async with consuming(nats_url, database, recording(failing(first, times=3)), policy=QUICK):
        await told(bus, first, second, other, third)
        await effects.reach(4)
    assert await effects.of(A) == [first.workspace_id, second.workspace_id, third.workspace_id]
    assert await effects.of(B) == [other.workspace_id]
    assert await effects.held() == 0


async def test_a_given_up_event_is_parked_and_the_next_of_its_aggregate_handled(
    consuming: Consuming, bus: Bus, nats_url: str, database: Database, recording: Recording, effects: Effects
):
    hopeless, behind = event(A), event(A)
    async with consuming(nats_url, database, recording(failing(hopeless, times=99)), policy=QUICK):
        await told(bus, hopeless, behind)
        await effects.reach(1)
    assert await effects.of(A) == [behind.workspace_id]
    parked = await bus.jetstream.get_last_msg(DEAD_LETTERS, f"dlq.scheduler-content.{hopeless.workspace_id}")
    assert parked.headers is not None
    assert parked.headers["signoff-attempts"] == str(QUICK.attempts_max)


async def test_a_held_event_keeps_its_place_and_its_attempts_over_a_restart(
    consuming: Consuming,
    bus: Bus,
    nats_url: str,
    database: Database,
    recording: Recording,
    effects: Effects,
    units: Units[Transaction],
):
    first, second = event(A), event(A)
    async with consuming(nats_url, database, recording(failing(first, times=99)), policy=PATIENT):
        await told(bus, first)
        await wait_for(effects.held)
    await told(bus, second)
    async with consuming(nats_url, database, recording(), policy=PATIENT):
        await wait_for(lambda: _is(effects.held, 2))
    async with units(Scope.worker()) as transaction:
        assert await transaction.scalars("SELECT attempts FROM held_event ORDER BY position") == [1, 0]
        await transaction.execute("UPDATE held_event SET next_at = now()")
    async with consuming(nats_url, database, recording(), policy=PATIENT):
        await effects.reach(2)
    assert await effects.of(A) == [first.workspace_id, second.workspace_id]


async def _is(look: Callable[[], object], wanted: int) -> bool:
    return bool(await look() == wanted)  # type: ignore[misc]


async def test_what_a_dead_process_had_in_hand_comes_at_once_and_before_what_followed(
    consuming: Consuming,
    bus: Bus,
    nats_url: str,
    database_url: str,
    database: Database,
    recording: Recording,
    effects: Effects,
):
    """Without the reset, the server would give the first event to the next process only after `ack_wait`."""
    entered = asyncio.Event()
    dying = Subscription(CONSUMER)

    @dying.on(PostDeletedV1)
    async def on_deleted(_: PostDeletedV1) -> None:
        entered.set()
        await asyncio.Event().wait()

    dying.on(PostApprovalWithdrawnV1)(_ignore)
    first, second = event(A), event(A)
    client = await buses.connect(BusSettings(nats_url), "scheduler")
    doomed = Database("scheduler", Secret(database_url), SystemClock(), connections_max=4)
    await doomed.open()
    task = asyncio.ensure_future(
        Consumers(client, doomed, [dying], policy=QUICK, tracer=trace.get_tracer("test")).run()
    )
    await told(bus, first)
    await entered.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await client.close()
    await doomed.close()
    await told(bus, second)
    async with consuming(nats_url, database, recording(), policy=QUICK):
        await effects.reach(2)
    assert await effects.of(A) == [first.workspace_id, second.workspace_id]


async def _ignore(_: PostApprovalWithdrawnV1) -> None:
    return


async def test_one_process_consumes_and_the_next_takes_over_when_it_ends(
    consuming: Consuming, bus: Bus, nats_url: str, database: Database, recording: Recording, effects: Effects
):
    by_first: list[PostDeletedV1] = []
    by_second: list[PostDeletedV1] = []
    events = [event(A) for _ in range(6)]
    async with consuming(nats_url, database, recording(by_first.append)):
        await told(bus, events[0])
        await effects.reach(1)
        standby = consuming(nats_url, database, recording(by_second.append))
        async with asyncio.timeout(10):
            await standby.__aenter__()
        await told(bus, *events[1:4])
        await effects.reach(4)
    await told(bus, *events[4:])
    await effects.reach(6)
    await standby.__aexit__(None, None, None)
    assert (by_first, by_second) == (events[:4], events[4:])


async def test_a_lost_database_uses_up_no_attempt(
    consuming: Consuming,
    bus: Bus,
    nats_url: str,
    database: Database,
    recording: Recording,
    effects: Effects,
    units: Units[Transaction],
    postgres_url_of: Callable[[str], str],
    database_url: str,
):
    """The session is ended in the middle of the handler, more often than there are attempts."""
    rounds = 4
    tried: list[PostDeletedV1] = []

    def end_session(one: PostDeletedV1) -> None:
        tried.append(one)
        if len(tried) <= rounds:
            with psycopg.connect(postgres_url_of(database_url), autocommit=True) as administrator:
                mine = units.joined().connection.info.backend_pid
                administrator.execute("SELECT pg_terminate_backend(%s)", (mine,))

    only_once = RetryPolicy(delays_seconds=(), outage_delay_seconds=0.05)
    one = event(A)
    async with consuming(nats_url, database, recording(end_session), policy=replace(only_once, delays_seconds=(0.1,))):
        await told(bus, one)
        await effects.reach(1)
    assert len(tried) == rounds + 1
    assert await effects.of(A) == [one.workspace_id]
    assert (await bus.jetstream.stream_info(DEAD_LETTERS)).state.messages == 0


@pytest.fixture
def in_batches(units: Units[Transaction]) -> Callable[[list[int], UUID | None], Subscription]:
    """Handles batches and notes their sizes; fails on one workspace's event for ever."""

    def made(sizes: list[int], bad: UUID | None = None) -> Subscription:
        subscription = Subscription(replace(CONSUMER, batch_size=50))

        @subscription.on_batch(PostDeletedV1)
        async def on_deleted(events: Sequence[PostDeletedV1]) -> None:
            sizes.append(len(events))
            for one in events:
                await units.joined().execute(
                    "INSERT INTO effect (workspace_id, post_id) VALUES (%s, %s)", (one.workspace_id, one.post_id)
                )
            if any(one.workspace_id == bad for one in events):
                raise RuntimeError("bad")

        subscription.on(PostApprovalWithdrawnV1)(_ignore)
        return subscription

    return made


async def test_a_backlog_is_handled_in_batches_in_order_and_once(
    consuming: Consuming,
    bus: Bus,
    nats_url: str,
    database: Database,
    effects: Effects,
    in_batches: Callable[..., Subscription],
):
    events = [event(A if number % 3 else B) for number in range(120)]
    await told(bus, *events)
    repeated = await bus.publish(events[0])
    await bus.publish(events[0], event_id=repeated)
    sizes: list[int] = []
    async with consuming(nats_url, database, in_batches(sizes)):
        await effects.reach(121)
        await wait_for(lambda: bus.settled("scheduler-content"))
    assert max(sizes) > 10
    assert sum(sizes) == 121
    assert (await effects.of(B))[:-1] == [one.workspace_id for one in events if one.post_id == B]
    assert await effects.of(A) == [one.workspace_id for one in events if one.post_id == A]


async def test_what_comes_while_the_last_worker_ends_is_handled_at_once(
    monkeypatch: pytest.MonkeyPatch,
    consuming: Consuming,
    bus: Bus,
    nats_url: str,
    database: Database,
    effects: Effects,
    in_batches: Callable[..., Subscription],
):
    """Nothing follows that would wake a worker for it."""
    first, second = event(A), event(A)
    arrived: list[Delivery] = []
    add, connection = Batches.add, database.connection

    def add_and_tell(line: Batches, delivery: Delivery) -> None:
        add(line, delivery)
        arrived.append(delivery)

    @asynccontextmanager
    async def slow_to_return() -> AsyncIterator[object]:
        async with connection() as one:
            yield one
            if len(arrived) == 1:
                await told(bus, second)
                await wait_for(lambda: len(arrived) == 2)

    monkeypatch.setattr(Batches, "add", add_and_tell)
    monkeypatch.setattr(database, "connection", slow_to_return)
    async with consuming(nats_url, database, in_batches([])):
        await told(bus, first)
        # Before that nobody else is to take a connection and to give it back.
        await wait_for(lambda: len(arrived) == 2)
        await effects.reach(2)


async def test_a_batch_with_a_bad_event_is_taken_apart(
    consuming: Consuming,
    bus: Bus,
    nats_url: str,
    database: Database,
    effects: Effects,
    in_batches: Callable[..., Subscription],
):
    events = [event(new_id()) for _ in range(20)]
    bad = events[7]
    await told(bus, *events)
    async with consuming(nats_url, database, in_batches([], bad.workspace_id), policy=PATIENT):
        await effects.reach(19)
        await wait_for(effects.held)
    assert await effects.of(bad.post_id) == []
    assert await effects.held() == 1


async def test_what_is_held_about_a_subject_is_erased_with_it(
    consuming: Consuming, bus: Bus, nats_url: str, database: Database, recording: Recording, effects: Effects
):
    by_key, by_aggregate, stays = event(A), event(B), event(new_id())
    named = PostApprovalWithdrawnV1(workspace_id=new_id(), post_id=A, revision_id=new_id())

    def fail(_: PostDeletedV1) -> None:
        raise RuntimeError("not yet")

    async with consuming(nats_url, database, recording(fail), policy=PATIENT):
        await told(bus, by_key, by_aggregate, stays)
        await bus.publish(named)
        await wait_for(lambda: _is(effects.held, 4))
    nothing = DataMap("scheduler", ())
    done = await erase(database, nothing, SubjectKind.WORKSPACE, by_key.workspace_id)
    assert done.erased == {"held_event": 1}
    await erase(database, nothing, SubjectKind.CONNECTION, B)
    assert await effects.held() == 2
    await erase(database, nothing, SubjectKind.CONNECTION, named.revision_id)
    assert await effects.held() == 1


async def test_a_process_that_lost_its_lead_unknowingly_claims_nothing_and_asks_for_it_again(
    consuming: Consuming,
    bus: Bus,
    nats_url: str,
    database: Database,
    recording: Recording,
    effects: Effects,
    units: Units[Transaction],
):
    """As if another process had taken the lead between two looks at the session."""
    handled: list[PostDeletedV1] = []
    first, second = event(A), event(A)
    async with consuming(nats_url, database, recording(handled.append)):
        await told(bus, first)
        await effects.reach(1)
        async with units(Scope.worker()) as transaction:
            await transaction.execute("UPDATE consumer_lead SET epoch = epoch + 1")
        await told(bus, second)
        await effects.reach(2)
    async with units(Scope.worker()) as transaction:
        assert await transaction.scalar("SELECT epoch FROM consumer_lead") == 3
    assert handled == [first, second]


async def test_what_a_former_leader_holds_while_the_next_one_begins_is_tried_again_though_nothing_else_comes(
    monkeypatch: pytest.MonkeyPatch,
    consuming: Consuming,
    bus: Bus,
    nats_url: str,
    database: Database,
    recording: Recording,
    effects: Effects,
    units: Units[Transaction],
):
    """Its transaction claimed under the former lead, and both its commit and its acknowledgement come just now."""
    one = event(A)
    await told(bus, one)
    former = await bus.jetstream.pull_subscribe_bind("scheduler-content", "CONTENT")
    (message,) = await former.fetch(1)
    delivery = Delivery(1, 1, message.subject, message.headers or {}, message.data, message.reply)
    looked: list[HeldEvents] = []
    load = HeldEvents.load

    async def hold() -> None:
        event_id = codec.event_id_of(delivery.headers)
        async with units(Scope.worker()) as transaction:
            await transaction.execute("INSERT INTO inbox VALUES (%s, %s, now())", (CONSUMER.name, event_id))
            await HeldEvents(database, CONSUMER, QUICK).insert(transaction, delivery, event_id, one, attempts=0)
        await message.ack_sync()

    async def load_and_be_late(held: HeldEvents) -> None:
        await load(held)
        looked.append(held)
        if len(looked) == 1:
            await hold()

    monkeypatch.setattr(HeldEvents, "load", load_and_be_late)
    async with consuming(nats_url, database, recording()):
        await effects.reach(1)
    assert await effects.of(A) == [one.workspace_id]


async def test_a_pull_that_has_its_hands_full_is_not_taken_for_broken(
    monkeypatch: pytest.MonkeyPatch, consuming: Consuming, bus: Bus, nats_url: str, database: Database
):
    """It asks for nothing, and the server says nothing to who asks for nothing."""
    monkeypatch.setattr("kit.pull.HEARTBEAT_SECONDS", 0.2)
    monkeypatch.setattr("kit.pull._LOOK_SECONDS", 0.1)
    opened: list[Pull] = []
    looks: list[float] = []
    handled: list[PostDeletedV1] = []
    open_, pause, slow = Pull.open, Pull.pause, Subscription(replace(CONSUMER, batch_size=50))

    async def open_and_tell(pull: Pull) -> None:
        opened.append(pull)
        await open_(pull)

    async def pause_and_tell(pull: Pull, seconds: float) -> None:
        await pause(pull, seconds)
        looks.append(seconds)

    @slow.on_batch(PostDeletedV1)
    async def on_deleted(events: Sequence[PostDeletedV1]) -> None:
        if not handled:
            await wait_for(lambda: len(looks) >= 8 or opened[0].broken.is_set())
        handled.extend(events)

    slow.on(PostApprovalWithdrawnV1)(_ignore)
    monkeypatch.setattr(Pull, "open", open_and_tell)
    monkeypatch.setattr(Pull, "pause", pause_and_tell)
    await told(bus, *(event(A) for _ in range(120)))
    async with consuming(nats_url, database, slow):
        await wait_for(lambda: len(handled) == 120)
        await wait_for(lambda: bus.settled("scheduler-content"))
    assert len(opened) == 1


async def test_what_another_pull_took_is_not_overtaken(
    consuming: Consuming, bus: Bus, nats_url: str, database: Database, recording: Recording, effects: Effects
):
    """A process that led before may still have a request waiting at the server, which gives it what comes next."""
    events = [event(A) for _ in range(6)]
    stranger = await bus.jetstream.pull_subscribe_bind("scheduler-content", "CONTENT")
    async with consuming(nats_url, database, recording()):
        await told(bus, events[0])
        await effects.reach(1)
        stolen = asyncio.ensure_future(stranger.fetch(1, timeout=5))
        await wait_for(lambda: _waits_at(bus, 2))
        await told(bus, *events[1:])
        await effects.reach(6)
        await stolen
    assert await effects.of(A) == [one.workspace_id for one in events]


async def _waits_at(bus: Bus, pulls: int) -> bool:
    info = await bus.jetstream.consumer_info("CONTENT", "scheduler-content")
    return (info.num_waiting or 0) >= pulls
