"""Forgetting, the same way in every service: a map of what is held, and a loop that empties it for a subject.

The data map is code. It names every column a service stores, so that a test can find one that is missing,
and for every kind of subject how its rows are found, so that erasing and looking again are one description.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import LiteralString
from uuid import UUID

import psycopg
import psycopg_pool
import structlog
from contracts.retention import ErasureRequestedV1, ErasureTaskDoneV1, SubjectKind
from contracts.topology import CONSUMERS

from kit.background import Loop
from kit.database import Database, Scope, Transaction, Units
from kit.subscription import Subscription

log = structlog.get_logger("erasure")

TABLE = """
CREATE TABLE erasure_task (
    erasure_id uuid PRIMARY KEY,
    subject_kind text NOT NULL,
    subject_id uuid NOT NULL,
    due_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    done_at timestamptz
)
"""

BATCH_ROWS = 5_000
"""Rows a transaction deletes: large purges stay below the statement time-out and hold no lock for long."""

LOOK_EVERY_SECONDS = 1.0
"""How soon what could not be erased is tried again, and what another process took in is found if that one is gone."""


class Kind(StrEnum):
    """What a column holds, as a data protection officer would ask."""

    ID = "id"
    PERSONAL = "personal"
    CONTENT = "content"
    SECRET = "secret"  # noqa: S105  # a word, not a password
    STATE = "state"
    TIME = "time"
    METRIC = "metric"


@dataclass(frozen=True)
class Delete:
    """Rows where `where` holds are deleted. `%(subject)s` stands for the subject's id."""

    where: LiteralString


@dataclass(frozen=True)
class Anonymise:
    """Rows where `where` holds stay, but `change` (a SET list) takes the subject out of them."""

    where: LiteralString
    change: LiteralString


@dataclass(frozen=True)
class Table:
    """One table: what it is for, how long its rows stay, what each column holds, how a subject is found in it."""

    name: LiteralString
    purpose: str
    retention: str
    columns: Mapping[str, Kind]
    subjects: Mapping[SubjectKind, Delete | Anonymise] = field(default_factory=dict)


@dataclass(frozen=True)
class Objects:
    """Objects of a subject outside the database: how they are removed and counted."""

    name: str
    purpose: str
    retention: str
    erase: Callable[[SubjectKind, UUID], Awaitable[int]]
    count: Callable[[SubjectKind, UUID], Awaitable[int]]


@dataclass(frozen=True)
class DataMap:
    """Everything one service holds, in the order in which it is erased (what points at others first)."""

    service: str
    tables: Sequence[Table]
    objects: Sequence[Objects] = ()


@dataclass(frozen=True)
class Apart:
    """A second database of a service. It is emptied first: what lies there gives what lies in the first its meaning."""

    database: Database
    data_map: DataMap


@dataclass
class Erased:
    """What an erasure did, in rows or objects by store; of several rounds, their sum."""

    erased: dict[str, int] = field(default_factory=dict)
    anonymised: dict[str, int] = field(default_factory=dict)
    remaining: dict[str, int] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        return not any(self.remaining.values())

    def add(self, name: str, count: int, rule: Delete | Anonymise | None = None) -> None:
        counts = self.anonymised if isinstance(rule, Anonymise) else self.erased
        counts[name] = counts.get(name, 0) + count


@dataclass(frozen=True)
class _Task:
    erasure_id: UUID
    subject_kind: str
    subject_id: UUID


# Events are small JSON texts of ids, and few are held: whatever names the subject is found by looking into them.
_OF_SUBJECT = Delete(
    "key = %(subject)s OR aggregate = %(subject)s OR position(%(subject)s::text IN convert_from(body, 'UTF8')) > 0"
)
HELD_EVENTS = Table(
    name="held_event",
    purpose="events whose handler failed, until their next attempt",
    retention="until they are handled or given up on, which takes minutes",
    columns={
        "consumer": Kind.STATE,
        "event_id": Kind.ID,
        "aggregate": Kind.ID,
        "key": Kind.ID,
        "position": Kind.STATE,
        "subject": Kind.ID,
        "headers": Kind.ID,
        "body": Kind.ID,
        "attempts": Kind.STATE,
        "next_at": Kind.TIME,
        "held_at": Kind.TIME,
    },
    subjects=dict.fromkeys(SubjectKind, _OF_SUBJECT),
)
"""A table that kit gives every service. What waits in it about a subject would otherwise be told after the erasure."""


async def erase(
    database: Database,
    data_map: DataMap,
    kind: SubjectKind,
    subject: UUID,
    *,
    apart: Sequence[Apart] = (),
    before: Erased | None = None,
) -> Erased:
    """Erase a subject from everything the maps name, then look again. Safe to repeat; `before` is added to."""
    done = before or Erased()
    held = await _apply(database, HELD_EVENTS, _OF_SUBJECT, subject)
    if held:
        done.add(HELD_EVENTS.name, held)
    for objects in data_map.objects:
        done.add(objects.name, await objects.erase(kind, subject))
    stores = [*apart, Apart(database, data_map)]
    for store in stores:
        await _empty(store, kind, subject, done)
    done.remaining = {}
    still_held = await _count(database, HELD_EVENTS, _OF_SUBJECT, subject)
    if still_held:
        done.remaining[HELD_EVENTS.name] = still_held
    for objects in data_map.objects:
        done.remaining[objects.name] = await objects.count(kind, subject)
    for store in stores:
        for table, rule in rules_of(store.data_map, kind):
            done.remaining[table.name] = await _count(store.database, table, rule, subject)
    return done


def rules_of(data_map: DataMap, kind: SubjectKind) -> list[tuple[Table, Delete | Anonymise]]:
    """The tables that know a kind of subject, and what becomes of its rows there."""
    return [(table, table.subjects[kind]) for table in data_map.tables if kind in table.subjects]


async def _empty(store: Apart, kind: SubjectKind, subject: UUID, done: Erased) -> None:
    for table, rule in rules_of(store.data_map, kind):
        done.add(table.name, await _apply(store.database, table, rule, subject), rule)
        if await _count(store.database, table, rule, subject):
            # What it points at would wait for it, and so for who holds it.
            return


async def _apply(database: Database, table: Table, rule: Delete | Anonymise, subject: UUID) -> int:
    name, where = table.name, rule.where
    # Who deletes many rows has them in no order that others know. So it waits for none of them, and nobody waits in a
    # circle with it; what somebody else holds now is counted as remaining, and found in the next round.
    free = f"SELECT ctid FROM {name} WHERE {where} LIMIT {BATCH_ROWS} FOR UPDATE SKIP LOCKED"  # noqa: S608
    chosen = f"ctid = ANY(ARRAY({free}))"
    if isinstance(rule, Delete):
        statement = f"DELETE FROM {name} WHERE {chosen}"  # noqa: S608  # the map is code, not input
    else:
        statement = f"UPDATE {name} SET {rule.change} WHERE {chosen}"  # noqa: S608
    total = 0
    while True:
        async with database.transaction(Scope.worker()) as transaction:
            touched = await transaction.execute(statement, {"subject": subject})
        total += touched
        if touched < BATCH_ROWS:
            return total


async def _count(database: Database, table: Table, rule: Delete | Anonymise, subject: UUID) -> int:
    async with database.transaction(Scope.worker()) as transaction:
        count: int = await transaction.scalar(
            f"SELECT count(*) FROM {table.name} WHERE {rule.where}",  # noqa: S608
            {"subject": subject},
        )
    return count


class Eraser:
    """A service's part in every erasure: take the request in, erase beside the requests, answer with counts."""

    def __init__(self, database: Database, data_map: DataMap, *, apart: Sequence[Apart] = ()) -> None:
        self._database = database
        self._data_map = data_map
        self._apart = apart
        self._units = Units(database, lambda transaction: transaction)
        self._put_off: list[UUID] = []
        self._begun: dict[UUID, Erased] = {}
        self._asked = asyncio.Event()

    def subscription(self) -> Subscription:
        """Takes in `erasure.requested`; a service with more to take from RETENTION adds to it."""
        subscription = Subscription(CONSUMERS[f"{self._data_map.service}-retention"])
        subscription.on(ErasureRequestedV1)(self._accept)
        return subscription

    def loop(self) -> Loop:
        return Loop("erasure", self._step, self._asked)

    async def _accept(self, event: ErasureRequestedV1) -> None:
        transaction = self._units.joined()
        # A request that is repeated after the task was done means a restore may have brought the subject back.
        await transaction.execute(
            "INSERT INTO erasure_task (erasure_id, subject_kind, subject_id, due_at, received_at)"
            " VALUES (%s, %s, %s, %s, %s) ON CONFLICT (erasure_id) DO UPDATE"
            " SET subject_id = excluded.subject_id, received_at = excluded.received_at, done_at = NULL"
            " WHERE erasure_task.done_at IS NOT NULL",
            (event.erasure_id, event.subject_kind, event.subject_id, event.due_at, transaction.clock.now()),
        )
        transaction.when_committed(self._asked.set)

    async def _step(self) -> float:
        """Do the most urgent task that was not put off in this round, so that a stuck one holds up no other."""
        async with self._database.transaction(Scope.worker()) as transaction:
            task = await transaction.first(
                _Task,
                "SELECT erasure_id, subject_kind, subject_id FROM erasure_task"
                " WHERE done_at IS NULL AND erasure_id <> ALL(%s) ORDER BY due_at LIMIT 1",
                (self._put_off,),
            )
        if task is None:
            self._put_off.clear()
            return LOOK_EVERY_SECONDS
        if not await self._do(task):
            self._put_off.append(task.erasure_id)
        return 0

    async def _do(self, task: _Task) -> bool:
        """Erase, and answer if nothing is left; false if the task is to be tried again. Overdue ones alarm."""
        done = self._begun.setdefault(task.erasure_id, Erased())
        try:
            kind = SubjectKind(task.subject_kind)
            await erase(self._database, self._data_map, kind, task.subject_id, apart=self._apart, before=done)
        except (psycopg.OperationalError, psycopg_pool.PoolTimeout):
            raise
        except Exception as error:
            # An object store that is away must not stop the service; the type only, the text could hold a key.
            log.error("erasure_failed", erasure_id=str(task.erasure_id), error=type(error).__name__)
            return False
        if not done.complete:
            # Something arrived meanwhile; it is found in the next round.
            log.warning("erasure_incomplete", erasure_id=str(task.erasure_id), remaining=done.remaining)
            return False
        async with self._database.transaction(Scope.worker()) as transaction:
            await self._answer(transaction, task, done, transaction.clock.now())
        del self._begun[task.erasure_id]
        return True

    async def _answer(self, transaction: Transaction, task: _Task, done: Erased, at: datetime) -> None:
        # The task keeps the subject's id no longer than needed: only that it was done remains.
        closed = await transaction.execute(
            "UPDATE erasure_task SET done_at = %s, subject_id = erasure_id WHERE erasure_id = %s AND done_at IS NULL",
            (at, task.erasure_id),
        )
        if closed:
            transaction.emit(
                ErasureTaskDoneV1(
                    erasure_id=task.erasure_id,
                    service=self._data_map.service,
                    erased=done.erased,
                    anonymised=done.anonymised,
                    remaining=done.remaining,
                    done_at=at,
                )
            )
