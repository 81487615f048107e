"""Publishes a service's outbox: woken in process after each commit, and looking once a second besides.

A lost wake-up costs a second at most. One relay publishes at a time (an advisory lock), which keeps the
order of the rows; where several processes run, the others stand by.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import nats.errors
import nats.js.errors
import psycopg
import psycopg_pool
import structlog
from nats.js import JetStreamContext
from opentelemetry import context as trace_context
from opentelemetry import propagate, trace

from kit.database import Database, Scope

log = structlog.get_logger("relay")

BATCH_MAX = 500
"""Rows per publishing round: enough to fill the pipe, few enough to hold in memory (about 1 KB each)."""

ACK_TIMEOUT_SECONDS = 5.0
"""JetStream answers in milliseconds; after five seconds the round is rolled back and comes again."""

POLL_SECONDS = 1.0
GAP_SECONDS = 0.01
"""At least this long between two rounds, so that a burst of commits is published in a few batches."""

_LOCK_KEY = 0x51607F
"""The relay's advisory lock; databases do not share lock keys, so one number serves every service."""


_OUTAGES = (
    nats.errors.Error,
    nats.js.errors.Error,
    psycopg.OperationalError,
    psycopg_pool.PoolTimeout,
    OSError,
    TimeoutError,
)
"""NATS or the database is away; both come back by themselves."""


@dataclass(frozen=True)
class _Row:
    id: int
    stream: str
    subject: str
    headers: dict[str, str]
    body: bytes


class Relay:
    """Publishes one service's outbox."""

    def __init__(self, database: Database, jetstream: JetStreamContext, tracer: trace.Tracer) -> None:
        self._database = database
        self._jetstream = jetstream
        self._tracer = tracer

    async def run(self) -> None:
        """Publish whatever is committed, for ever. NATS or the database being away only makes it wait."""
        pause_seconds = POLL_SECONDS
        while True:
            started = time.monotonic()
            self._database.committed.clear()
            try:
                sent = await self._round()
                pause_seconds = POLL_SECONDS
            except _OUTAGES as error:
                log.warning("relay_waits", reason=type(error).__name__)
                sent, pause_seconds = 0, min(pause_seconds * 2, 5.0)
            if sent == BATCH_MAX:
                continue
            await self._wait(pause_seconds, since=started)

    async def _wait(self, pause_seconds: float, *, since: float) -> None:
        try:
            async with asyncio.timeout(pause_seconds):
                await self._database.committed.wait()
        except TimeoutError:
            return
        gap = since + GAP_SECONDS - time.monotonic()
        if gap > 0:
            await asyncio.sleep(gap)

    async def _round(self) -> int:
        """Publish and delete one batch; returns its size. Rolled back as a whole if any was not stored."""
        async with self._database.transaction(Scope.worker()) as transaction:
            if not await transaction.scalar("SELECT pg_try_advisory_xact_lock(%s)", (_LOCK_KEY,)):
                return 0
            rows = await transaction.all(
                _Row, "SELECT id, stream, subject, headers, body FROM outbox ORDER BY id LIMIT %s", (BATCH_MAX,)
            )
            if rows:
                await self._publish(rows)
                await transaction.execute("DELETE FROM outbox WHERE id = ANY(%s)", ([row.id for row in rows],))
        return len(rows)

    async def _publish(self, rows: Sequence[_Row]) -> None:
        acknowledgements = [await self._send(row) for row in rows]
        async with asyncio.timeout(ACK_TIMEOUT_SECONDS):
            await asyncio.gather(*acknowledgements)

    async def _send(self, row: _Row) -> asyncio.Future[Any]:
        parent = propagate.extract(row.headers)
        with self._tracer.start_as_current_span(
            f"publish {row.headers['ce-type']}", context=parent, kind=trace.SpanKind.PRODUCER
        ) as span:
            headers = dict(row.headers)
            propagate.inject(headers, context=trace.set_span_in_context(span, trace_context.Context()))
            return await self._jetstream.publish_async(
                row.subject, row.body, stream=row.stream, headers=headers, wait_stall=ACK_TIMEOUT_SECONDS
            )
