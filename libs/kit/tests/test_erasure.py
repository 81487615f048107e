"""Forgetting on the real server: everything the map names goes, nothing else, and the answer says how much."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest
from contracts.event import Event
from contracts.retention import ErasureRequestedV1, ErasureTaskDoneV1, SubjectKind
from kit import erasure
from kit.clock import SystemClock
from kit.database import Database, Scope, Transaction, Units
from kit.erasure import Anonymise, DataMap, Delete, Eraser, Kind, Objects, Table, erase
from kit.ids import new_id
from kit.relay import Relay
from kit.testing import wait_for
from kit.testing.services import Bus
from opentelemetry import trace

NOBODY = UUID(int=0)

Consuming = Callable[..., AbstractAsyncContextManager[object]]


class Bucket:
    """Objects by the workspace they belong to. While `away`, it does not answer."""

    def __init__(self) -> None:
        self.held: dict[UUID, int] = {}
        self.away = False

    async def erase(self, _: SubjectKind, subject: UUID) -> int:
        if self.away:
            raise ConnectionError("the bucket does not answer")
        return self.held.pop(subject, 0)

    async def count(self, _: SubjectKind, subject: UUID) -> int:
        return self.held.get(subject, 0)


@pytest.fixture
def bucket() -> Bucket:
    return Bucket()


@pytest.fixture
def data_map(bucket: Bucket) -> DataMap:
    """Deletes a workspace's effects; keeps those of an account (here: the post) without saying whose."""
    effects = Table(
        "effect",
        purpose="tests",
        retention="until erased",
        columns={"id": Kind.ID, "workspace_id": Kind.ID, "post_id": Kind.ID},
        subjects={
            SubjectKind.WORKSPACE: Delete("workspace_id = %(subject)s"),
            SubjectKind.ACCOUNT: Anonymise("post_id = %(subject)s", f"post_id = '{NOBODY}'"),
        },
    )
    media = Objects("media", "tests", "until erased", bucket.erase, bucket.count)
    return DataMap("scheduler", [effects], [media])


async def insert(units: Units[Transaction], workspace_id: UUID, count: int = 1, post_id: UUID | None = None) -> None:
    async with units(Scope.worker()) as transaction:
        await transaction.execute(
            "INSERT INTO effect (workspace_id, post_id) SELECT %s, %s FROM generate_series(1, %s)",
            (workspace_id, post_id or new_id(), count),
        )


async def rows(units: Units[Transaction], column: str, value: UUID) -> int:
    async with units(Scope.worker()) as transaction:
        effects = await transaction.scalars("SELECT to_jsonb(effect) ->> %s FROM effect", (column,))
    return effects.count(str(value))


@pytest.mark.promise("P12")
async def test_a_subject_goes_and_all_others_stay(
    database: Database, units: Units[Transaction], data_map: DataMap, bucket: Bucket
):
    gone, kept = new_id(), new_id()
    await insert(units, gone, 3)
    await insert(units, kept, 2)
    bucket.held = {gone: 5, kept: 1}
    done = await erase(database, data_map, SubjectKind.WORKSPACE, gone)
    assert done.erased == {"effect": 3, "media": 5}
    assert done.remaining == {"effect": 0, "media": 0}
    assert done.complete
    assert await rows(units, "workspace_id", gone) == 0
    assert await rows(units, "workspace_id", kept) == 2
    assert bucket.held == {kept: 1}


async def test_erasing_again_finds_nothing(database: Database, units: Units[Transaction], data_map: DataMap):
    gone = new_id()
    await insert(units, gone)
    await erase(database, data_map, SubjectKind.WORKSPACE, gone)
    assert (await erase(database, data_map, SubjectKind.WORKSPACE, gone)).erased == {"effect": 0, "media": 0}


async def test_what_is_anonymised_stays_without_its_subject(
    database: Database, units: Units[Transaction], data_map: DataMap
):
    account, workspace = new_id(), new_id()
    await insert(units, workspace, 2, post_id=account)
    done = await erase(database, data_map, SubjectKind.ACCOUNT, account)
    assert done.anonymised == {"effect": 2}
    assert done.remaining["effect"] == 0
    assert await rows(units, "post_id", account) == 0
    assert await rows(units, "workspace_id", workspace) == 2


@pytest.mark.parametrize("count", [4, 8, 9])
async def test_many_rows_go_in_several_transactions(
    database: Database, units: Units[Transaction], data_map: DataMap, monkeypatch: pytest.MonkeyPatch, count: int
):
    monkeypatch.setattr(erasure, "BATCH_ROWS", 4)
    gone = new_id()
    await insert(units, gone, count)
    done = await erase(database, data_map, SubjectKind.WORKSPACE, gone)
    assert done.erased["effect"] == count
    assert await rows(units, "workspace_id", gone) == 0


async def test_an_erasure_and_a_writer_that_meet_do_not_wait_in_a_circle(
    database: Database, units: Units[Transaction], data_map: DataMap
):
    gone = new_id()
    await insert(units, gone, 2)
    async with units(Scope.worker()) as looker:
        first, second = await looker.scalars("SELECT id FROM effect ORDER BY id")
    async with units(Scope.worker()) as writer:
        await writer.execute("SELECT id FROM effect WHERE id = %s FOR UPDATE", (second,))
        async with asyncio.timeout(5):
            met = await erase(database, data_map, SubjectKind.WORKSPACE, gone)
        await writer.execute("SELECT id FROM effect WHERE id = %s FOR UPDATE", (first,))
    assert (met.erased["effect"], met.remaining["effect"]) == (1, 1)
    again = await erase(database, data_map, SubjectKind.WORKSPACE, gone)
    assert again.erased["effect"] == 1
    assert again.complete


async def test_what_is_held_and_what_it_points_at_remain_for_the_next_round(
    database: Database, units: Units[Transaction], database_url: str, postgres_url_of: Callable[[str], str]
):
    gone = new_id()
    with psycopg.connect(postgres_url_of(database_url), autocommit=True) as superuser:
        superuser.execute("CREATE TABLE person (id uuid PRIMARY KEY)")
        superuser.execute("CREATE TABLE letter (person_id uuid REFERENCES person)")
        superuser.execute("GRANT ALL ON person, letter TO scheduler_worker")
        superuser.execute("INSERT INTO person VALUES (%s)", (gone,))
        superuser.execute("INSERT INTO letter VALUES (%s)", (gone,))
    letters, people = (
        Table(name, "tests", "until erased", {}, {SubjectKind.ACCOUNT: Delete(where)})
        for name, where in (("letter", "person_id = %(subject)s"), ("person", "id = %(subject)s"))
    )
    held_map = DataMap("scheduler", [letters, people])
    async with units(Scope.worker()) as writer:
        await writer.execute("SELECT 1 FROM letter FOR UPDATE")
        met = await erase(database, held_map, SubjectKind.ACCOUNT, gone)
    assert met.remaining == {"letter": 1, "person": 1}
    assert (await erase(database, held_map, SubjectKind.ACCOUNT, gone)).erased == {"letter": 1, "person": 1}


async def test_an_event_that_is_being_tried_again_is_not_forgotten_about(
    database: Database, units: Units[Transaction], data_map: DataMap
):
    gone = new_id()
    async with units(Scope.worker()) as holder:
        await holder.execute(
            "INSERT INTO held_event VALUES ('tests', %(id)s, %(id)s, %(gone)s, 1, '', '{}', '', 1, now(), now())",
            {"id": new_id(), "gone": gone},
        )
    async with units(Scope.worker()) as handler:
        await handler.execute("SELECT 1 FROM held_event FOR UPDATE")
        met = await erase(database, data_map, SubjectKind.WORKSPACE, gone)
    assert met.remaining["held_event"] == 1
    assert not met.complete
    assert (await erase(database, data_map, SubjectKind.WORKSPACE, gone)).erased["held_event"] == 1


async def test_a_kind_of_subject_the_map_does_not_name_is_not_looked_for(
    database: Database, units: Units[Transaction], data_map: DataMap
):
    workspace = new_id()
    await insert(units, workspace)
    done = await erase(database, data_map, SubjectKind.CONNECTION, workspace)
    assert "effect" not in done.erased
    assert await rows(units, "workspace_id", workspace) == 1


def requested(subject: UUID, *, due_in: timedelta = timedelta(days=30)) -> ErasureRequestedV1:
    return ErasureRequestedV1(
        erasure_id=new_id(),
        subject_kind=SubjectKind.WORKSPACE,
        subject_id=subject,
        due_at=SystemClock().now() + due_in,
    )


@asynccontextmanager
async def erasing(
    bus: Bus, nats_url: str, database: Database, data_map: DataMap, consuming: Consuming
) -> AsyncIterator[asyncio.Task[None]]:
    """A service's whole part: it hears requests, erases, and answers. Gives the loop's task."""
    eraser = Eraser(database, data_map)
    relay = Relay(database, bus.client, trace.get_tracer("test"))
    async with consuming(nats_url, database, eraser.subscription()):
        tasks = [asyncio.ensure_future(run()) for run in (eraser.loop().run, relay.run)]
        try:
            yield tasks[0]
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_request_is_answered_once_with_what_was_done(
    bus: Bus, nats_url: str, database: Database, units: Units[Transaction], data_map: DataMap, consuming: Consuming
):
    gone = new_id()
    await insert(units, gone, 3)
    request, other = requested(gone), requested(new_id())
    async with erasing(bus, nats_url, database, data_map, consuming):
        event_id = await bus.publish(request)
        await bus.wait_told(ErasureTaskDoneV1)
        await bus.publish(request, event_id=event_id)
        await bus.publish(other)
        first, second = (as_done(event) for event in await bus.wait_told(ErasureTaskDoneV1, 2))
    assert (first.erasure_id, first.service) == (request.erasure_id, "scheduler")
    assert (first.erased, first.remaining) == ({"effect": 3, "media": 0}, {"effect": 0, "media": 0})
    assert second.erasure_id == other.erasure_id


def as_done(event: Event) -> ErasureTaskDoneV1:
    assert isinstance(event, ErasureTaskDoneV1)
    return event


async def test_a_repeated_request_erases_what_a_restore_brought_back(
    bus: Bus, nats_url: str, database: Database, units: Units[Transaction], data_map: DataMap, consuming: Consuming
):
    request, other = requested(new_id()), new_id()
    async with erasing(bus, nats_url, database, data_map, consuming):
        for times in (1, 2):
            await insert(units, request.subject_id, times)
            await insert(units, other)
            await bus.publish(request)
            done = as_done((await bus.wait_told(ErasureTaskDoneV1, times))[-1])
            assert (done.erasure_id, done.erased["effect"]) == (request.erasure_id, times)
    assert await rows(units, "workspace_id", request.subject_id) == 0
    assert await rows(units, "workspace_id", other) == 2


async def test_a_done_task_no_longer_knows_its_subject(
    bus: Bus, nats_url: str, database: Database, units: Units[Transaction], data_map: DataMap, consuming: Consuming
):
    request = requested(new_id())
    async with erasing(bus, nats_url, database, data_map, consuming):
        await bus.publish(request)
        await bus.wait_told(ErasureTaskDoneV1)
    async with units(Scope.worker()) as transaction:
        kept = await transaction.scalars("SELECT to_jsonb(erasure_task)::text FROM erasure_task")
    assert len(kept) == 1
    assert str(request.subject_id) not in kept[0]


async def test_a_task_that_cannot_be_done_holds_up_no_other_and_is_done_later(
    bus: Bus, nats_url: str, database: Database, data_map: DataMap, bucket: Bucket, consuming: Consuming
):
    stuck, free = requested(new_id(), due_in=timedelta(days=1)), requested(new_id())
    refusing = {stuck.subject_id}
    erase_all = bucket.erase

    async def erase_unless_stuck(kind: SubjectKind, subject: UUID) -> int:
        if subject in refusing:
            raise ConnectionError("the bucket does not answer")
        return await erase_all(kind, subject)

    media = Objects("media", "tests", "until erased", erase_unless_stuck, bucket.count)
    broken_map = DataMap(data_map.service, data_map.tables, [media])
    async with erasing(bus, nats_url, database, broken_map, consuming) as loop:
        await bus.publish(stuck)
        await bus.publish(free)
        (told,) = await bus.wait_told(ErasureTaskDoneV1)
        assert told.aggregate() == free.erasure_id
        assert not loop.done()
        refusing.clear()
        told = (await bus.wait_told(ErasureTaskDoneV1, 2))[1]
        assert told.aggregate() == stuck.erasure_id


async def test_the_answer_counts_what_several_rounds_erased(
    bus: Bus, nats_url: str, database: Database, units: Units[Transaction], data_map: DataMap, consuming: Consuming
):
    request = requested(new_id())
    await insert(units, request.subject_id, 3)
    async with units(Scope.worker()) as writer:
        await writer.execute("SELECT 1 FROM effect WHERE id = (SELECT max(id) FROM effect) FOR UPDATE")
        async with erasing(bus, nats_url, database, data_map, consuming):
            await bus.publish(request)
            await wait_until_left(units, request.subject_id, 1)
            await writer.connection.commit()
            (told,) = await bus.wait_told(ErasureTaskDoneV1)
    assert as_done(told).erased["effect"] == 3


async def wait_until_left(units: Units[Transaction], workspace_id: UUID, count: int) -> None:
    async def is_left() -> bool:
        return await rows(units, "workspace_id", workspace_id) == count

    await wait_for(is_left)


async def test_a_task_is_answered_only_when_nothing_is_left(
    bus: Bus, nats_url: str, database: Database, data_map: DataMap, bucket: Bucket, consuming: Consuming
):
    request = requested(new_id())
    looked = asyncio.Event()
    left = [2, 1, 0]

    async def count(_: SubjectKind, __: UUID) -> int:
        looked.set()
        return left.pop(0)

    media = Objects("media", "tests", "until erased", bucket.erase, count)
    async with erasing(bus, nats_url, database, DataMap(data_map.service, data_map.tables, [media]), consuming):
        await bus.publish(request)
        await wait_for(looked.is_set)
        assert await bus.told(ErasureTaskDoneV1) == []
        (told,) = await bus.wait_told(ErasureTaskDoneV1)
    assert as_done(told).remaining == {"effect": 0, "media": 0}
    assert left == []
