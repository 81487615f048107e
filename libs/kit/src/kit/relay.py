"""Publishes a service's outbox: woken in process after each commit, and looking once a second besides.

A lost wake-up costs a second at most. One relay publishes at a time (an advisory lock); where several processes run,
the others stand by. What gathered in a burst is published as an atomic batch, which NATS writes to disk once and not
event by event. Few events, or a batch that was refused, go out one by one: many are in flight, but of one aggregate
only one. Its next event goes out when the stream has confirmed the one before, so that no failure in between can turn
them around.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import structlog
from nats.aio.client import Client
from opentelemetry import propagate, trace

from kit.database import Database, Scope
from kit.publishing import Message, Publisher, Refused, Unavailable
from kit.settle import is_outage
from kit.telemetry import TRACEPARENT, is_recorded

log = structlog.get_logger("relay")

BATCH_MAX = 1_000
"""Rows per publishing round: as many as NATS takes in an atomic batch; a megabyte of memory."""

TOGETHER_MIN = 16
"""A batch costs NATS as much as a dozen single events, however small it is."""

ACK_TIMEOUT_SECONDS = 5.0
"""JetStream answers in milliseconds; after five seconds what was not confirmed comes again."""

POLL_SECONDS = 1.0

OUTAGE_PAUSE_SECONDS = 0.25
"""Between two tries while something is away. Commits do not shorten it: they would make it a busy loop."""

GAP_SECONDS = 0.01
"""At least this long between two rounds, so that a burst of commits is published in a few batches."""

_LOCK_KEY = 0x51607F
"""The relay's advisory lock; databases do not share lock keys, so one number serves every service."""


class _Row(NamedTuple):
    id: int
    stream: str
    subject: str
    headers: dict[str, str]
    body: bytes

    @property
    def aggregate(self) -> str:
        return self.headers["ce-subject"]


class Relay:
    """Publishes one service's outbox."""

    def __init__(self, database: Database, client: Client, tracer: trace.Tracer) -> None:
        self._database = database
        self._client = client
        self._publisher = Publisher(client)
        self._tracer = tracer

    async def run(self) -> None:
        """Publish whatever is committed, for ever. NATS or the database being away only makes it wait."""
        waits = False
        while True:
            started = time.monotonic()
            self._database.committed.clear()
            try:
                sent = await self._round()
            except Exception as error:
                if not is_outage(error):
                    raise
                if not waits:
                    log.warning("relay_waits", reason=str(error) or type(error).__name__)
                waits = True
                await asyncio.sleep(OUTAGE_PAUSE_SECONDS)
                continue
            if waits:
                log.info("relay_goes_on")
                waits = False
            if sent < BATCH_MAX:
                await self._wait(POLL_SECONDS, since=started)

    def reconnected(self) -> None:
        """Wait no longer for answers that were lost with the connection."""
        self._publisher.reconnected()

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
        """Publish one batch and delete what was stored of it; returns its size, 0 if there is nothing to go on with."""
        if not self._client.is_connected:
            # The library would keep what it cannot send, and send it at a moment of its own choice.
            raise Unavailable("not connected")
        async with self._database.transaction(Scope.worker()) as transaction:
            if not await transaction.scalar("SELECT pg_try_advisory_xact_lock(%s)", (_LOCK_KEY,)):
                return 0
            rows = await transaction.rows(
                lambda _, values: _Row(*values),
                "SELECT id, stream, subject, headers, body FROM outbox ORDER BY id LIMIT %s",
                (BATCH_MAX,),
            )
            stored = await self._publish(rows)
            if stored:
                await transaction.execute("DELETE FROM outbox WHERE id = ANY(%s)", (stored,))
        if len(stored) < len(rows):
            raise Unavailable("not every event was stored")
        return len(rows)

    async def _publish(self, rows: Sequence[_Row]) -> list[int]:
        """Publish rows; returns the ids of those that were stored."""
        streams: dict[str, list[_Row]] = defaultdict(list)
        for row in rows:
            streams[row.stream].append(row)
        stored: list[int] = []
        for stream, its_rows in streams.items():
            if len(its_rows) >= TOGETHER_MIN:
                answered = await self._send_together(stream, its_rows)
                if answered is None:
                    break
                if answered:
                    stored += [row.id for row in its_rows]
                    continue
            stored += await self._publish_in_waves(its_rows)
        return stored

    async def _send_together(self, stream: str, rows: Sequence[_Row]) -> bool | None:
        """Whether a batch was stored; None if nobody knows."""
        spans = [self._span(row) for row in rows]
        messages = [_message(row, span) for row, span in zip(rows, spans, strict=True)]
        answer = await self._publisher.publish_together(messages, stream=stream)
        await asyncio.wait([answer], timeout=ACK_TIMEOUT_SECONDS)
        for span in filter(None, spans):
            span.end()
        if not answer.done() or isinstance(answer.exception(), Unavailable):
            answer.cancel()
            return None
        if isinstance(answer.exception(), Refused):
            log.info("batch_refused", stream=stream, events=len(rows), reason=str(answer.exception()))
        return answer.exception() is None

    async def _publish_in_waves(self, rows: Sequence[_Row]) -> list[int]:
        """Publish rows one by one.

        An event that the server refuses holds back its own aggregate only; one that it does not answer, everything.
        """
        stored: list[int] = []
        refused: set[str] = set()
        for wave in _waves(rows):
            sent = [(row, await self._send(row)) for row in wave if row.aggregate not in refused]
            if not sent:
                break
            _, unanswered = await asyncio.wait([answer for _, answer in sent], timeout=ACK_TIMEOUT_SECONDS)
            stored += [row.id for row, answer in sent if _is_stored(answer)]
            refused |= {row.aggregate for row, answer in sent if _is_refused(row, answer)}
            for answer in unanswered:
                answer.cancel()
            if any(not _is_stored(answer) and row.aggregate not in refused for row, answer in sent):
                break
        return stored

    async def _send(self, row: _Row) -> asyncio.Future[None]:
        span = self._span(row)
        answer = await self._publisher.publish(_message(row, span), stream=row.stream)
        if span is not None:
            answer.add_done_callback(lambda _: span.end())
        return answer

    def _span(self, row: _Row) -> trace.Span | None:
        if not is_recorded(row.headers.get(TRACEPARENT)):
            return None
        return self._tracer.start_span(
            f"publish {row.headers['ce-type']}", propagate.extract(row.headers), trace.SpanKind.PRODUCER
        )


def _message(row: _Row, span: trace.Span | None) -> Message:
    if span is None:
        return Message(row.subject, row.body, row.headers)
    headers = dict(row.headers)
    propagate.inject(headers, trace.set_span_in_context(span))
    return Message(row.subject, row.body, headers)


def _is_stored(answer: asyncio.Future[None]) -> bool:
    return answer.done() and not answer.cancelled() and answer.exception() is None


def _is_refused(row: _Row, answer: asyncio.Future[None]) -> bool:
    error = answer.exception() if answer.done() and not answer.cancelled() else None
    if isinstance(error, Refused):
        log.error("publish_refused", event_type=row.headers["ce-type"], reason=str(error))
        return True
    return False


def _waves(rows: Sequence[_Row]) -> list[list[_Row]]:
    """Rows in waves: none has two events of one aggregate, and an aggregate's events are in waves in their order."""
    waves: list[list[_Row]] = []
    depth: Counter[str] = Counter()
    for row in rows:
        wave = depth[row.aggregate]
        depth[row.aggregate] += 1
        if wave == len(waves):
            waves.append([])
        waves[wave].append(row)
    return waves
