"""Streams and consumers as data: who owns which subjects, and who listens to which events.

Nothing here talks to NATS; `kit.topology` makes the server agree with it. Subjects are written here and
in the event classes, nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from types import MappingProxyType

from contracts import auth, content, publisher, retention, scheduler
from contracts.event import Event
from contracts.registry import older_versions

STREAM_MAX_AGE = timedelta(days=30)
"""No event outlives the shortest retention promise."""

DUPLICATE_WINDOW = timedelta(minutes=2)
"""How long a stream remembers message ids. The inbox catches what comes again later."""

DEAD_LETTERS = "DLQ"
DEAD_LETTER_PREFIX = "dlq"

REPLAYS = "replay"
"""First token of the subjects under which an operator gives one consumer an event a second time."""


@dataclass(frozen=True)
class Stream:
    """One owner's events, by the entities they are about: the first token of their subjects."""

    name: str
    owner: str
    entities: tuple[str, ...]

    @property
    def subjects(self) -> tuple[str, ...]:
        """What the stream stores: its entities' events, and what is replayed to its consumers."""
        own = tuple(f"{entity}.>" for entity in self.entities)
        return own if self.name == DEAD_LETTERS else (*own, f"{REPLAYS}.{self.name.lower()}.>")


STREAMS: Mapping[str, Stream] = MappingProxyType(
    {
        stream.name: stream
        for stream in (
            Stream("AUTH", "auth", ("account", "workspace", "member", "connection")),
            Stream("CONTENT", "content", ("post", "media")),
            Stream("SCHEDULER", "scheduler", ("schedule",)),
            Stream("PUBLISHER", "publisher", ("publication",)),
            Stream("METRICS", "metrics", ("metrics",)),
            Stream("RETENTION", "retention", ("erasure", "export", "backup")),
            Stream(DEAD_LETTERS, "retention", (DEAD_LETTER_PREFIX,)),
        )
    }
)


@dataclass(frozen=True)
class Consumer:
    """What one service takes from one stream.

    `events` are what its handlers take, the newest version of each; older ones reach them through upcasts. One
    consumer for all events of a stream keeps their order for the service. `ack_wait` is at least three
    times the slowest handler (a handler is one short transaction). `workers` is how many events are handled at
    once, each in a transaction of its own. A `batch_size` above 1 means batches instead: while there is a
    backlog, up to so many events share one transaction, and there is one at a time.
    """

    service: str
    stream: str
    events: tuple[type[Event], ...]
    ack_wait: timedelta = timedelta(seconds=30)
    workers: int = 4
    batch_size: int = 1

    @property
    def name(self) -> str:
        """The durable name, and a token of its dead-letter subjects: `publisher-auth`."""
        return f"{self.service}-{self.stream.lower()}"

    @property
    def arriving(self) -> tuple[type[Event], ...]:
        """Its events, each followed by the older versions that its stream may still hold."""
        return tuple(version for event in self.events for version in (event, *older_versions(event)))

    @property
    def filter_subjects(self) -> tuple[str, ...]:
        """What arrives, under every key, and what is replayed to it."""
        return (*(event.filter_subject() for event in self.arriving), self.replay_subject("*"))

    @property
    def transactions_max(self) -> int:
        """How many database connections its handlers hold at most."""
        return self.workers if self.batch_size == 1 else 1

    def dead_letter_subject(self, key: str) -> str:
        """Where an event that this consumer gave up on is parked; `key` is the last token of the event's subject."""
        return f"{DEAD_LETTER_PREFIX}.{self.name}.{key}"

    def replay_subject(self, key: str) -> str:
        """Where an event is published again for this consumer alone: `replay.auth.publisher.<key>`."""
        return f"{REPLAYS}.{self.stream.lower()}.{self.service}.{key}"


@cache
def stream_of(event: type[Event]) -> Stream:
    """The stream that stores an event."""
    entity = event.type.split(".", 1)[0]
    for stream in STREAMS.values():
        if entity in stream.entities:
            return stream
    raise LookupError(f"no stream holds {event.name()}")


_ERASES = (retention.ErasureRequestedV1,)

CONSUMERS: Mapping[str, Consumer] = MappingProxyType(
    {
        consumer.name: consumer
        for consumer in (
            Consumer("auth", "RETENTION", (*_ERASES, retention.ErasureRecalledV1, retention.ErasureCompletedV1)),
            Consumer("content", "RETENTION", _ERASES),
            Consumer(
                "content",
                "PUBLISHER",
                (
                    publisher.PublicationPublishedV1,
                    publisher.PublicationFailedV1,
                    publisher.PublicationNeedsAttentionV1,
                    publisher.PublicationCancelledV1,
                    publisher.PublicationMissedV1,
                    publisher.PublicationRemovedV1,
                ),
                batch_size=500,
            ),
            Consumer(
                "scheduler",
                "AUTH",
                (auth.ConnectionRevokedV2, auth.WorkspaceDeletedV1),
            ),
            Consumer(
                "scheduler",
                "CONTENT",
                (content.PostApprovalWithdrawnV1, content.PostDeletedV1),
            ),
            Consumer(
                "scheduler",
                "PUBLISHER",
                (
                    publisher.PublicationPublishedV1,
                    publisher.PublicationFailedV1,
                    publisher.PublicationNeedsAttentionV1,
                    publisher.PublicationCancelledV1,
                    publisher.PublicationMissedV1,
                    publisher.PublicationRemovedV1,
                ),
                batch_size=500,
            ),
            Consumer("scheduler", "RETENTION", _ERASES),
            Consumer(
                "publisher",
                "AUTH",
                (
                    auth.ConnectionEstablishedV1,
                    auth.ConnectionReauthRequiredV1,
                    auth.ConnectionRevokedV2,
                    auth.WorkspaceDeletedV1,
                ),
            ),
            Consumer(
                "publisher",
                "SCHEDULER",
                (
                    scheduler.ScheduleCreatedV1,
                    scheduler.ScheduleChangedV1,
                    scheduler.SchedulePausedV1,
                    scheduler.ScheduleResumedV1,
                    scheduler.ScheduleCancelledV1,
                    scheduler.ScheduleDueV1,
                ),
                batch_size=500,
            ),
            Consumer("publisher", "RETENTION", _ERASES),
            Consumer(
                "metrics",
                "AUTH",
                (auth.ConnectionRevokedV2, auth.WorkspaceDeletedV1),
            ),
            Consumer(
                "metrics",
                "PUBLISHER",
                (
                    publisher.PublicationPublishedV1,
                    publisher.PublicationIdentifiedV1,
                    publisher.PublicationRemovedV1,
                ),
            ),
            Consumer("metrics", "RETENTION", _ERASES),
            Consumer(
                "retention",
                "AUTH",
                (auth.ConnectionRevokedV2, auth.WorkspaceDeletedV1, auth.AccountDeletedV1),
            ),
            Consumer("retention", "RETENTION", (retention.ErasureTaskDoneV1,)),
        )
    }
)


def producers_of(event: type[Event]) -> tuple[str, ...]:
    """The services that publish an event: its owner, and for a task that is done everyone who had one."""
    return erasing_services() if event is retention.ErasureTaskDoneV1 else (event.owner,)


def listeners_of(event: type[Event]) -> tuple[str, ...]:
    """The services that take an event, be it through upcasts."""
    return tuple(sorted(consumer.service for consumer in CONSUMERS.values() if event in consumer.arriving))


def consumers_of(service: str) -> tuple[Consumer, ...]:
    """Everything one service listens to."""
    return tuple(consumer for consumer in CONSUMERS.values() if consumer.service == service)


def erasing_services() -> tuple[str, ...]:
    """The services that hold data about subjects, and so owe an answer to every erasure."""
    return tuple(
        sorted(consumer.service for consumer in CONSUMERS.values() if retention.ErasureRequestedV1 in consumer.events)
    )
