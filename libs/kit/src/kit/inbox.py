"""Every event has its effect once: the claim of its id and the effect are one transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from contracts import topology
from faststream.message import StreamMessage
from faststream.middlewares import BaseMiddleware

from kit.codec import event_id_of
from kit.database import Database, Scope, joined

log = structlog.get_logger("inbox")

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


class InboxMiddleware:
    """FastStream middleware: claim the event, hand the transaction to the handler, commit.

    The transaction has the worker's scope: an event is a fact of the system, not a request of a person.
    Handlers narrow their statements by the ids the event carries.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def __call__(self, msg: Any, /, *, context: Any) -> BaseMiddleware[Any, Any]:
        return _Inbox(msg, context=context, database=self._database)


class _Inbox(BaseMiddleware[Any, Any]):
    def __init__(self, msg: Any, /, *, context: Any, database: Database) -> None:
        super().__init__(msg, context=context)
        self._database = database

    async def consume_scope(self, call_next: Callable[[Any], Awaitable[Any]], msg: StreamMessage[Any]) -> Any:
        consumer = msg.raw_message.metadata.consumer
        event_id = event_id_of(msg.headers)
        async with self._database.claiming(Scope.worker(), _claim(consumer, event_id, self._database.clock.now())) as (
            transaction,
            claimed,
        ):
            if not claimed:
                log.info("event_repeated", event_type=msg.headers.get("ce-type"))
                return None
            with joined(transaction):
                return await call_next(msg)


def _claim(consumer: str, event_id: UUID, at: datetime) -> str:
    # A durable name of the topology, a UUID and a time: values of types that cannot break out of their quotes.
    return (
        "INSERT INTO inbox (consumer, event_id, received_at)"  # noqa: S608
        f" VALUES ('{consumer}', '{event_id}', '{at.isoformat()}') ON CONFLICT DO NOTHING"
    )


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
