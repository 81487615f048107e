"""What is done with one message, or with several together: claim and effect in one transaction, or hold, or park."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from contracts.event import Event
from nats.aio.client import Client
from opentelemetry import propagate, trace
from psycopg import AsyncConnection

from kit import codec, dead_letters, inbox
from kit.codec import ContractError
from kit.database import Database, Scope, Transaction, joined
from kit.held import HeldEvent, HeldEvents
from kit.leadership import LeadLost
from kit.pull import Delivery
from kit.settle import RetryPolicy, is_outage
from kit.subscription import Subscription
from kit.telemetry import TRACEPARENT, is_recorded, mark_failed, opened_span

log = structlog.get_logger("consuming")


@dataclass(frozen=True, slots=True)
class _Received:
    delivery: Delivery
    event_id: UUID
    event: Event


class _Repeated(Exception):
    """One of several events is not new; which one is found out event by event."""


class Handling:
    """One subscription's handlers, with what surrounds them. An outage is raised and leaves the message as it was."""

    def __init__(
        self,
        subscription: Subscription,
        *,
        client: Client,
        database: Database,
        held: HeldEvents,
        policy: RetryPolicy,
        tracer: trace.Tracer,
    ) -> None:
        self._subscription = subscription
        self._consumer = subscription.consumer
        self._client = client
        self._database = database
        self._held = held
        self._policy = policy
        self._tracer = tracer
        self._epoch = 0

    def lead(self, epoch: int) -> None:
        """Handle in the name of this lead from now on."""
        self._epoch = epoch

    async def handle(self, deliveries: Sequence[Delivery], connection: AsyncConnection[Any]) -> None:
        """Handle messages: several in one transaction if they can be, else each in its own."""
        received = [read for delivery in deliveries if (read := await self._read(delivery))]
        if len(received) > 1 and await self._together(received, connection):
            return
        for one in received:
            await self._alone(one, connection)

    async def _read(self, delivery: Delivery) -> _Received | None:
        """The event of a message; one that is no event is parked at once."""
        try:
            return _Received(
                delivery, codec.event_id_of(delivery.headers), codec.decode(delivery.headers, delivery.body)
            )
        except ContractError as error:
            with self._journey(delivery.headers):
                await self._park(delivery, delivery.sequence, error, reason="contract", attempts=1)
        return None

    async def _together(self, received: Sequence[_Received], connection: AsyncConnection[Any]) -> bool:
        """Handle events in one transaction; false, with nothing done, if they cannot be."""
        if any(one.event.aggregate() in self._held for one in received):
            return False
        fresh: dict[UUID, _Received] = {}
        for one in received:
            # The first of those with one id: an event is told in its newest version first.
            fresh.setdefault(one.event_id, one)
        links = [
            trace.Link(_origin(headers))
            for headers in (one.delivery.headers for one in received)
            if is_recorded(headers.get(TRACEPARENT))
        ]
        name = f"process {len(received)} events"
        with self._tracer.start_as_current_span(name, kind=trace.SpanKind.CONSUMER, links=links):
            try:
                async with self._database.on(connection, Scope.worker()) as (transaction, _):
                    if not await inbox.claim_many(transaction, self._consumer, list(fresh), self._epoch):
                        raise _Repeated
                    with joined(transaction):
                        await self._subscription.dispatch_batch(
                            [one.event for one in fresh.values()],
                            [one.delivery.headers.get(TRACEPARENT) for one in fresh.values()],
                        )
            except _Repeated:
                return False
            except Exception as error:
                if is_outage(error):
                    raise
                log.warning("batch_split", consumer=self._consumer.name, events=len(received), error=_kind(error))
                return False
        return True

    async def _alone(self, received: _Received, connection: AsyncConnection[Any]) -> None:
        with self._journey(received.delivery.headers) as span:
            if received.event.aggregate() in self._held:
                await self._hold(received, connection, attempts=0)
                return
            try:
                claim = inbox.claim(self._consumer, received.event_id, self._database.clock.now(), self._epoch)
                async with self._database.on(connection, Scope.worker(), claim) as (transaction, claimed):
                    if not claimed:
                        await self._recognise(transaction, received.event)
                        return
                    with joined(transaction):
                        await self._subscription.dispatch(received.event)
            except LeadLost:
                raise
            except Exception as error:
                if is_outage(error):
                    raise
                mark_failed(span, _kind(error))
                await self._hold(received, connection, attempts=1)
                log.warning("event_held", attempt=1, exc_info=error)

    async def _hold(self, received: _Received, connection: AsyncConnection[Any], *, attempts: int) -> None:
        claim = inbox.claim(self._consumer, received.event_id, self._database.clock.now(), self._epoch)
        async with self._database.on(connection, Scope.worker(), claim) as (transaction, claimed):
            if not claimed:
                await self._recognise(transaction, received.event)
                return
            await self._held.insert(
                transaction, received.delivery, received.event_id, received.event, attempts=attempts
            )
        self._held.note(received.event.aggregate())

    async def _recognise(self, transaction: Transaction, event: Event) -> None:
        """Why a claim touched nothing: we lead no more (raises `LeadLost`), or the event was handled, or it is held.

        One that another process held while it led must hold back its successors here as well.
        """
        if not await transaction.scalar("SELECT true FROM consumer_lead WHERE epoch = %s", (self._epoch,)):
            raise LeadLost
        log.info("event_repeated")
        if event.aggregate() not in self._held and await self._held.holds(transaction, event.aggregate()):
            self._held.note(event.aggregate())

    async def retry(self, head: HeldEvent) -> None:
        """Try a held event again; once its attempts are used up, park it."""
        with self._journey(head.headers) as span:
            try:
                event = codec.decode(head.headers, head.body)
                async with self._database.transaction(Scope.worker()) as transaction:
                    if await self._held.take(transaction, head):
                        with joined(transaction):
                            await self._subscription.dispatch(event)
            except Exception as error:
                if is_outage(error):
                    raise
                mark_failed(span, _kind(error))
                await self._after_failure(head, error)

    async def _after_failure(self, head: HeldEvent, error: Exception) -> None:
        attempts = head.attempts + 1
        if attempts < self._policy.attempts_max:
            delay_seconds = await self._held.put_off(head)
            log.warning("event_held", attempt=attempts, delay_seconds=round(delay_seconds, 2), exc_info=error)
            return
        # Parked before the commit: should that fail, the event is parked again under the same message id.
        async with self._database.transaction(Scope.worker()) as transaction:
            if await self._held.take(transaction, head):
                await inbox.release(transaction, self._consumer, head.event_id)
                await self._park(head, head.position, error, reason="exhausted", attempts=attempts)

    async def _park(
        self, message: Delivery | HeldEvent, sequence: int, error: Exception, *, reason: str, attempts: int
    ) -> None:
        await dead_letters.park(
            self._client.jetstream(),
            consumer=self._consumer,
            subject=message.subject,
            headers=message.headers,
            body=message.body,
            sequence=sequence,
            attempts=attempts,
            reason=reason,
            error=error,
        )
        log.error("event_parked", reason=reason, error=_kind(error))

    @contextmanager
    def _journey(self, headers: Mapping[str, str]) -> Iterator[trace.Span]:
        """The event's trace, and its name and id in every line of the log."""
        kind = headers.get("ce-type")
        with (
            opened_span(
                self._tracer, f"process {kind}", kind=trace.SpanKind.CONSUMER, parent=propagate.extract(headers)
            ) as span,
            structlog.contextvars.bound_contextvars(
                consumer=self._consumer.name, event_id=headers.get("ce-id"), event_type=kind
            ),
        ):
            yield span


def _origin(headers: Mapping[str, str]) -> trace.SpanContext:
    return trace.get_current_span(propagate.extract(headers)).get_span_context()


def _kind(error: Exception) -> str:
    return type(error).__name__
