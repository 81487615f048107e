"""Streams and consumers as data: who owns which subjects, and who listens to which events.

Nothing here talks to NATS; `kit.topology` makes the server agree with it. Subjects are written here and
in the event classes, nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from contracts import auth, content, publisher, retention, scheduler
from contracts.event import Event

STREAM_MAX_AGE = timedelta(days=30)
"""No event outlives the shortest retention promise."""

DUPLICATE_WINDOW = timedelta(minutes=2)
"""How long a stream remembers message ids. The inbox catches what comes again later."""

DEAD_LETTERS = "DLQ"
DEAD_LETTER_PREFIX = "dlq"


@dataclass(frozen=True)
class Stream:
    """One owner's events. `subjects` are its entities with a wildcard."""

    name: str
    owner: str
    subjects: tuple[str, ...]


STREAMS: Mapping[str, Stream] = MappingProxyType(
    {
        stream.name: stream
        for stream in (
            Stream("AUTH", "auth", ("account.>", "workspace.>", "member.>", "connection.>")),
            Stream("CONTENT", "content", ("post.>", "media.>")),
            Stream("SCHEDULER", "scheduler", ("schedule.>",)),
            Stream("PUBLISHER", "publisher", ("publication.>",)),
            Stream("METRICS", "metrics", ("metrics.>",)),
            Stream("RETENTION", "retention", ("erasure.>", "export.>", "backup.>")),
            Stream(DEAD_LETTERS, "retention", (f"{DEAD_LETTER_PREFIX}.>",)),
        )
    }
)


@dataclass(frozen=True)
class Consumer:
    """What one service takes from one stream.

    One consumer for all events of a stream keeps their order for the service. `ack_wait` is at least three
    times the slowest handler (a handler is one short transaction). `batch_size` is how many are handled at
    once, and so how many database connections the consumer may hold.
    """

    service: str
    stream: str
    events: tuple[type[Event], ...]
    ack_wait: timedelta = timedelta(seconds=30)
    batch_size: int = 4

    @property
    def name(self) -> str:
        """The durable name, and the last token of its dead-letter subject: `publisher-auth`."""
        return f"{self.service}-{self.stream.lower()}"

    @property
    def filter_subjects(self) -> tuple[str, ...]:
        return tuple(event.filter_subject() for event in self.events)

    @property
    def dead_letter_subject(self) -> str:
        return f"{DEAD_LETTER_PREFIX}.{self.name}"


def stream_of(event: type[Event]) -> Stream:
    """The stream that stores an event."""
    entity = event.type.split(".", 1)[0]
    for stream in STREAMS.values():
        if f"{entity}.>" in stream.subjects:
            return stream
    raise LookupError(f"no stream holds {event.name()}")


_ERASES = (retention.ErasureRequestedV1,)

CONSUMERS: Mapping[str, Consumer] = MappingProxyType(
    {
        consumer.name: consumer
        for consumer in (
            Consumer("auth", "RETENTION", _ERASES),
            Consumer("content", "RETENTION", _ERASES),
            Consumer(
                "content",
                "PUBLISHER",
                (
                    publisher.PublicationPublishedV1,
                    publisher.PublicationFailedV1,
                    publisher.PublicationNeedsAttentionV1,
                    publisher.PublicationCancelledV1,
                ),
            ),
            Consumer(
                "scheduler",
                "AUTH",
                (auth.ConnectionRevokedV1, auth.WorkspaceDeletedV1),
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
                ),
            ),
            Consumer("scheduler", "RETENTION", _ERASES),
            Consumer(
                "publisher",
                "AUTH",
                (
                    auth.ConnectionEstablishedV1,
                    auth.ConnectionReauthRequiredV1,
                    auth.ConnectionRevokedV1,
                    auth.WorkspaceDeletedV1,
                ),
            ),
            Consumer(
                "publisher",
                "SCHEDULER",
                (scheduler.ScheduleCreatedV1, scheduler.ScheduleCancelledV1, scheduler.ScheduleDueV1),
            ),
            Consumer("publisher", "RETENTION", _ERASES),
            Consumer(
                "metrics",
                "AUTH",
                (auth.ConnectionRevokedV1, auth.WorkspaceDeletedV1),
            ),
            Consumer(
                "metrics",
                "PUBLISHER",
                (publisher.PublicationPublishedV1, publisher.PublicationIdentifiedV1),
            ),
            Consumer("metrics", "RETENTION", _ERASES),
            Consumer(
                "retention",
                "AUTH",
                (auth.ConnectionRevokedV1, auth.WorkspaceDeletedV1, auth.AccountDeletedV1),
            ),
            Consumer("retention", "RETENTION", (retention.ErasureTaskDoneV1,)),
        )
    }
)


def producers_of(event: type[Event]) -> tuple[str, ...]:
    """The services that publish an event: its owner, and for a task that is done everyone who had one."""
    return erasing_services() if event is retention.ErasureTaskDoneV1 else (event.owner,)


def listeners_of(event: type[Event]) -> tuple[str, ...]:
    """The services that take an event."""
    return tuple(sorted(consumer.service for consumer in CONSUMERS.values() if event in consumer.events))


def consumers_of(service: str) -> tuple[Consumer, ...]:
    """Everything one service listens to."""
    return tuple(consumer for consumer in CONSUMERS.values() if consumer.service == service)


def erasing_services() -> tuple[str, ...]:
    """The services that hold data about subjects, and so owe an answer to every erasure."""
    return tuple(
        sorted(consumer.service for consumer in CONSUMERS.values() if retention.ErasureRequestedV1 in consumer.events)
    )
