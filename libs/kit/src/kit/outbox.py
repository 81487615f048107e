"""Events leave a service through a table: written with the facts, published after the commit, deleted when stored.

Here is the table and how a row gets into it; `kit.relay` publishes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from contracts.event import Event
from contracts.registry import also_told_as
from contracts.topology import stream_of
from psycopg import AsyncConnection

from kit import codec
from kit.ids import new_id
from kit.json_rows import json_rows
from kit.telemetry import TRACEPARENT, current_traceparent

TABLE = """
CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id uuid NOT NULL,
    stream text NOT NULL,
    subject text NOT NULL,
    headers jsonb NOT NULL,
    body bytea NOT NULL,
    created_at timestamptz NOT NULL
)
"""
# The table is emptied all the time: vacuum by count of dead rows, not by their share.
TUNING = "ALTER TABLE outbox SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000)"


@dataclass(frozen=True)
class Entry:
    """One event on its way out."""

    event_id: UUID
    stream: str
    subject: str
    headers: dict[str, str]
    body: bytes
    created_at: datetime

    @classmethod
    def all_of(cls, event: Event, *, source: str, at: datetime) -> list[Entry]:
        """Wrap an event, and after it the older versions that are still told, with the trace it happened in.

        All carry one event id, so that a consumer which hears several versions has one effect; the newest comes first,
        because it says most.
        """
        event_id, traceparent = new_id(), current_traceparent()
        entries = []
        for told in (event, *also_told_as(event)):
            headers = codec.headers_of(told, event_id, source=source, at=at, newest=told is event)
            if traceparent is not None:
                headers[TRACEPARENT] = traceparent
            entries.append(cls(event_id, stream_of(type(told)).name, told.subject(), headers, codec.encode(told), at))
        return entries


# In the order given: rows that are sorted first are numbered in that order.
_INSERT = """
INSERT INTO outbox (event_id, stream, subject, headers, body, created_at)
SELECT event_id, stream, subject, headers, convert_to(body, 'UTF8'), created_at
FROM ROWS FROM (json_to_recordset(%s::json) AS (event_id uuid, stream text, subject text, headers jsonb, body text,
  created_at timestamptz)) WITH ORDINALITY AS entry (event_id, stream, subject, headers, body, created_at, position)
ORDER BY position
"""


async def insert(connection: AsyncConnection[Any], entries: Sequence[Entry]) -> None:
    """Write events in the caller's transaction: one statement, however many there are."""
    await connection.execute(_INSERT, (json_rows([vars(entry) | {"body": entry.body.decode()} for entry in entries]),))
