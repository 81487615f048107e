"""Events whose handler failed wait here for their next attempt, and the later events of the same aggregate behind them.

A held event is claimed already and acknowledged to NATS: its attempts are counted here, where no shutdown uses one up,
and it holds nobody back but its own aggregate.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from contracts.event import Event
from contracts.topology import Consumer
from psycopg.types.json import Jsonb

from kit.database import Database, Scope, Transaction
from kit.pull import Delivery
from kit.settle import RetryPolicy, is_outage

log = structlog.get_logger("held")

TABLE = """
CREATE TABLE held_event (
    consumer text NOT NULL,
    event_id uuid NOT NULL,
    aggregate uuid NOT NULL,
    key uuid NOT NULL,
    position bigint NOT NULL,
    subject text NOT NULL,
    headers jsonb NOT NULL,
    body bytea NOT NULL,
    attempts smallint NOT NULL,
    next_at timestamptz NOT NULL,
    held_at timestamptz NOT NULL,
    PRIMARY KEY (consumer, event_id)
)
"""
INDEX = "CREATE INDEX held_event_order ON held_event (consumer, aggregate, position)"

HELD_MAX = 10_000
"""Held events of one consumer. Where so many fail at once the fault is ours: it takes no more until some are done."""

_HEADS_MAX = 100
_LOOK_AGAIN_SECONDS = 30.0
"""How long to sleep with nothing due. A clock that is moved, or one that leaps, is noticed after this."""


@dataclass(frozen=True)
class HeldEvent:
    """The first waiting event of an aggregate. `attempts` is how often its handler failed."""

    event_id: UUID
    aggregate: UUID
    position: int
    subject: str
    headers: dict[str, str]
    body: bytes
    attempts: int
    next_at: datetime


Retry = Callable[[HeldEvent], Awaitable[None]]


class HeldEvents:
    """What one consumer holds back."""

    def __init__(self, database: Database, consumer: Consumer, policy: RetryPolicy) -> None:
        self._database = database
        self._consumer = consumer
        self._policy = policy
        self._waiting: dict[UUID, int] = {}
        self._noted = 0
        self._changed = asyncio.Event()

    def __contains__(self, aggregate: UUID) -> bool:
        return aggregate in self._waiting

    @property
    def full(self) -> bool:
        return sum(self._waiting.values()) >= HELD_MAX

    async def load(self) -> None:
        """Learn from the database which aggregates wait."""
        while True:
            noted = self._noted
            async with self._database.transaction(Scope.worker()) as transaction:
                rows = await transaction.all(
                    _Waiting,
                    "SELECT aggregate, count(*) AS events FROM held_event WHERE consumer = %s GROUP BY aggregate",
                    (self._consumer.name,),
                )
            # What was noted while the query ran may be missing from its answer.
            if noted == self._noted:
                self._waiting = {row.aggregate: row.events for row in rows}
                self._changed.set()
                return

    async def holds(self, transaction: Transaction, aggregate: UUID) -> bool:
        """Whether something of an aggregate waits, as the database has it."""
        return bool(
            await transaction.scalar(
                "SELECT true FROM held_event WHERE consumer = %s AND aggregate = %s LIMIT 1",
                (self._consumer.name, aggregate),
            )
        )

    async def insert(
        self, transaction: Transaction, delivery: Delivery, event_id: UUID, event: Event, *, attempts: int
    ) -> None:
        """Hold an event in the transaction that claims it; call `note` once that is committed."""
        now = transaction.clock.now()
        delay = timedelta(seconds=self._policy.delay_seconds(attempts) if attempts else 0)
        await transaction.execute(
            "INSERT INTO held_event (consumer, event_id, aggregate, key, position, subject, headers, body, attempts,"
            " next_at, held_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (
                self._consumer.name,
                event_id,
                event.aggregate(),
                event.key(),
                delivery.sequence,
                delivery.subject,
                Jsonb(dict(delivery.headers)),
                delivery.body,
                attempts,
                now + delay,
                now,
            ),
        )

    def note(self, aggregate: UUID) -> None:
        """An event of the aggregate is held from now on."""
        self._waiting[aggregate] = self._waiting.get(aggregate, 0) + 1
        self._noted += 1
        self._changed.set()

    async def run(self, retry: Retry) -> None:
        """Call `retry` for what is due, the first of each aggregate, for ever."""
        while True:
            self._changed.clear()
            try:
                pause_seconds = await self._round(retry)
            except Exception as error:
                if not is_outage(error):
                    raise
                log.warning("held_events_wait", consumer=self._consumer.name, reason=type(error).__name__)
                pause_seconds = self._policy.outage_delay_seconds
            if pause_seconds > 0:
                await self._wait(pause_seconds)

    async def _round(self, retry: Retry) -> float:
        """Seconds until the next event is due; 0 if something was done."""
        if not self._waiting:
            return _LOOK_AGAIN_SECONDS
        heads = await self._heads()
        now = self._database.clock.now()
        due = [head for head in heads if head.next_at <= now]
        for head in due:
            await retry(head)
        if due or not heads:
            await self.load()
            return 0
        return min(_LOOK_AGAIN_SECONDS, (heads[0].next_at - now).total_seconds())

    async def _heads(self) -> list[HeldEvent]:
        async with self._database.transaction(Scope.worker()) as transaction:
            return await transaction.all(
                HeldEvent,
                "SELECT * FROM (SELECT DISTINCT ON (aggregate) event_id, aggregate, position, subject, headers, body,"
                " attempts, next_at FROM held_event WHERE consumer = %s ORDER BY aggregate, position) AS heads"
                " ORDER BY next_at LIMIT %s",
                (self._consumer.name, _HEADS_MAX),
            )

    async def _wait(self, pause_seconds: float) -> None:
        try:
            async with asyncio.timeout(pause_seconds):
                await self._changed.wait()
        except TimeoutError:
            return

    async def take(self, transaction: Transaction, head: HeldEvent) -> bool:
        """Remove an event that is about to be done with; false if it was erased meanwhile."""
        taken = await transaction.execute(
            "DELETE FROM held_event WHERE consumer = %s AND event_id = %s", (self._consumer.name, head.event_id)
        )
        return taken > 0

    async def put_off(self, head: HeldEvent) -> float:
        """Count a failed attempt; returns the seconds until the next."""
        delay_seconds = self._policy.delay_seconds(head.attempts + 1)
        async with self._database.transaction(Scope.worker()) as transaction:
            await transaction.execute(
                "UPDATE held_event SET attempts = attempts + 1, next_at = %s WHERE consumer = %s AND event_id = %s",
                (transaction.clock.now() + timedelta(seconds=delay_seconds), self._consumer.name, head.event_id),
            )
        return delay_seconds


@dataclass(frozen=True)
class _Waiting:
    aggregate: UUID
    events: int
