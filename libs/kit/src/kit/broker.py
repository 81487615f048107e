"""The one place that says how a service is attached to NATS: every option of FastStream and nats-py, spelled out."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import structlog
from contracts.event import Event
from contracts.topology import Consumer
from faststream import AckPolicy
from faststream.middlewares import BaseMiddleware
from faststream.nats import JStream, NatsBroker, PullSub
from faststream.nats.security import NatsNKey
from nats.js.api import AckPolicy as ServerAckPolicy
from nats.js.api import ConsumerConfig

from kit.codec import EventCodec
from kit.identities import inbox_prefix

log = structlog.get_logger("broker")

E = TypeVar("E", bound=Event)
Handler = Callable[[Any], Awaitable[None]]

PULL_TIMEOUT_SECONDS = 1.0
"""How long one pull waits. A pull that a restarted server forgot is repeated after this."""

GRACEFUL_SECONDS = 20.0
"""How long a stopping service lets its handlers finish; below the pod's termination grace period."""


class Subscription:
    """What a service does with the events of one consumer: one handler an event type."""

    def __init__(self, consumer: Consumer) -> None:
        self.consumer = consumer
        self._handlers: dict[type[Event], Handler] = {}

    def on(self, event: type[E]) -> Callable[[Callable[[E], Awaitable[None]]], Callable[[E], Awaitable[None]]]:
        """Register the handler of one event type, which the consumer must list."""
        if event not in self.consumer.events:
            raise TypeError(f"{self.consumer.name} does not take {event.name()}")

        def register(handler: Callable[[E], Awaitable[None]]) -> Callable[[E], Awaitable[None]]:
            self._handlers[event] = handler
            return handler

        return register

    def check(self) -> None:
        """Raise `TypeError` if an event that arrives here has no handler."""
        missing = [event.name() for event in self.consumer.events if event not in self._handlers]
        if missing:
            raise TypeError(f"{self.consumer.name} has no handler for {', '.join(missing)}")

    async def dispatch(self, event: Event) -> None:
        await self._handlers[type(event)](event)


def consumer_config(consumer: Consumer) -> ConsumerConfig:
    """The consumer as the server is to hold it; `kit.topology` reconciles the same object."""
    return ConsumerConfig(
        durable_name=consumer.name,
        filter_subjects=list(consumer.filter_subjects),
        ack_policy=ServerAckPolicy.EXPLICIT,
        ack_wait=consumer.ack_wait.total_seconds(),
        # Settle decides when to give up, because the server would do so in silence.
        max_deliver=-1,
        max_ack_pending=1_000,
    )


class _NoQuietPulls(logging.Filter):
    """A pull that found nothing in time is no news: FastStream repeats it and reports it as an error."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not (record.exc_info and isinstance(record.exc_info[1], TimeoutError))


# Not "faststream": that one writes coloured lines of its own beside the log.
_LIBRARY_LOG = logging.getLogger("broker.faststream")
_LIBRARY_LOG.setLevel(logging.WARNING)
_LIBRARY_LOG.addFilter(_NoQuietPulls())


def create_broker(
    service: str, url: str, *, seed_file: Path | None, middlewares: list[Callable[..., BaseMiddleware[Any, Any]]]
) -> NatsBroker:
    """A broker that never gives up reconnecting and never drops a message for an error."""
    return NatsBroker(
        url,
        name=service,
        security=NatsNKey.from_file(str(seed_file)) if seed_file else None,
        inbox_prefix=inbox_prefix(service),
        # After a final close the pull loops would spin without yielding and freeze the process.
        max_reconnect_attempts=-1,
        reconnect_time_wait=1,
        connect_timeout=5,
        ping_interval=20,
        max_outstanding_pings=3,
        drain_timeout=10,
        graceful_timeout=GRACEFUL_SECONDS,
        ack_policy=AckPolicy.NACK_ON_ERROR,
        codec=EventCodec(),
        # Handlers take the decoded event and nothing else: injected parameters cost a thread hop each.
        apply_types=False,
        middlewares=middlewares,
        logger=_LIBRARY_LOG,
        log_level=logging.DEBUG,
    )


def attach(broker: NatsBroker, subscription: Subscription) -> None:
    """Let a subscription's consumer feed its handlers, `batch_size` at a time."""
    subscription.check()
    consumer = subscription.consumer
    broker.subscriber(
        "",
        durable=consumer.name,
        config=consumer_config(consumer),
        stream=JStream(consumer.stream, declare=False),
        pull_sub=PullSub(batch_size=max(consumer.workers, consumer.batch_size), timeout=PULL_TIMEOUT_SECONDS),
        inbox_prefix=f"{inbox_prefix(consumer.service)}.".encode(),
        no_reply=True,
        title=consumer.name,
    )(subscription.dispatch)
