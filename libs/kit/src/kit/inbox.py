"""Every event has its effect once: the claim of its id and the effect are one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from contracts import topology
from contracts.topology import Consumer

from kit.database import Database, Scope, Transaction

TABLE = """
CREATE TABLE inbox (
    consumer text NOT NULL,
    event_id uuid NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (consumer, event_id)
)
"""
INDEX = "CREATE INDEX inbox_received_at ON inbox (received_at)"

KEEP = topology.STREAM_MAX_AGE + timedelta(days=1)
"""A message cannot come again once its stream has dropped it; a day more for clocks that differ."""

PRUNE_EVERY_SECONDS = 600.0
_PRUNE_BATCH = 5_000


def claim(consumer: Consumer, event_id: UUID, at: datetime, epoch: int) -> str:
    """The statement that claims one event; it touches a row if the event is new to the consumer and we lead."""
    # A durable name of the topology, a UUID, a time, a number: values of types that cannot break out of their quotes.
    return (
        "INSERT INTO inbox (consumer, event_id, received_at)"  # noqa: S608
        f" SELECT '{consumer.name}', '{event_id}'::uuid, '{at.isoformat()}'::timestamptz"
        f" FROM consumer_lead WHERE epoch = {epoch:d} ON CONFLICT DO NOTHING"
    )


async def claim_many(transaction: Transaction, consumer: Consumer, event_ids: Sequence[UUID], epoch: int) -> bool:
    """Claim events together; true if each of them is new to the consumer and we lead."""
    claimed = await transaction.execute(
        "INSERT INTO inbox (consumer, event_id, received_at) SELECT %s, unnest(%s::uuid[]), %s"
        " FROM consumer_lead WHERE epoch = %s ON CONFLICT DO NOTHING",
        (consumer.name, list(event_ids), transaction.clock.now(), epoch),
    )
    return claimed == len(event_ids)


async def release(transaction: Transaction, consumer: Consumer, event_id: UUID) -> None:
    """Let an event that was given up on be handled again, should it be replayed."""
    await transaction.execute("DELETE FROM inbox WHERE consumer = %s AND event_id = %s", (consumer.name, event_id))


async def prune(database: Database) -> int:
    """Forget claims that can no longer be needed; returns how many."""
    total = 0
    while True:
        async with database.transaction(Scope.worker()) as transaction:
            deleted = await transaction.execute(
                "DELETE FROM inbox WHERE ctid = ANY(ARRAY(SELECT ctid FROM inbox WHERE received_at < %s LIMIT %s))",
                (database.clock.now() - KEEP, _PRUNE_BATCH),
            )
        total += deleted
        if deleted < _PRUNE_BATCH:
            return total
