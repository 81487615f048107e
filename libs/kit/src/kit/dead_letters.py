"""Messages that a consumer gave up on, parked whole in a stream of their own until a person decides about them.

What a dead letter is and how one is written; `kit.replays` reads them, gives them to their consumers again, drops them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from contracts import topology
from contracts.topology import Consumer
from nats.js import JetStreamContext

from kit.clock import SystemClock
from kit.codec import ContractError, decode, event_id_of

ANSWER_SECONDS = 5.0
"""JetStream answers in milliseconds. Without an answer nothing counts as done, and is done again later."""

ERROR_LENGTH_MAX = 200
"""Enough for a class name or a sentence of ours; a header is no place for more."""

EXPIRES = "signoff-expires"
"""When a replayed event must be gone, whatever becomes of it: the end of its first dead letter. RFC 3339."""


class NotReplayable(Exception):
    """A dead letter that no consumer would take, however often it is given to it. The message says why."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One parked message. `id` is its sequence in the stream of dead letters."""

    id: int
    parked_at: datetime
    subject: str
    headers: Mapping[str, str]
    body: bytes
    expires: datetime
    """When it goes by itself, and with it everything that was made of it."""

    @property
    def consumer(self) -> str:
        return self.subject.split(".")[1]

    @property
    def key(self) -> str:
        """The workspace, account or erasure that the event belongs to, which ends its subject."""
        return self.subject.rpartition(".")[2]

    @property
    def event(self) -> str:
        """The event's full name; empty if the message is none."""
        return self.headers.get("ce-type", "")

    @property
    def reason(self) -> str:
        return self.headers.get("signoff-reason", "")

    @property
    def error(self) -> str:
        return self.headers.get("signoff-error", "")

    @property
    def attempts(self) -> str:
        return self.headers.get("signoff-attempts", "")

    def addressee(self) -> Consumer:
        """Whom it can be given to again; raises `NotReplayable`."""
        consumer = topology.CONSUMERS.get(self.consumer)
        if consumer is None:
            raise NotReplayable(f"the contracts have no consumer {self.consumer} any more")
        try:
            event_id_of(self.headers)
            event = decode(self.headers, self.body)
        except ContractError as error:
            raise NotReplayable(str(error)) from None
        if type(event) not in consumer.arriving:
            raise NotReplayable(f"{consumer.name} does not take {event.name()} any more")
        return consumer


async def park(
    jetstream: JetStreamContext,
    *,
    consumer: Consumer,
    subject: str,
    headers: Mapping[str, str],
    body: bytes,
    sequence: int,
    attempts: int,
    reason: str,
    error: Exception,
) -> None:
    """Store a message as it came among the dead letters; returns when the server has it, raises if it has not.

    `subject` and `sequence` are those under which the consumer's stream held it, `reason` is contract or exhausted.
    """
    key = subject.rpartition(".")[2]
    kept = own_headers(headers)
    described = {
        # Its own id: the same event can be parked for two consumers.
        "Nats-Msg-Id": f"{consumer.name}:{consumer.stream}:{sequence}",
        "signoff-reason": reason,
        "signoff-error": _describe(error),
        "signoff-consumer": consumer.name,
        "signoff-subject": _event_subject(subject, kept.get("ce-type"), key),
        "signoff-stream-sequence": str(sequence),
        "signoff-attempts": str(attempts),
    }
    expires = expiry_of(headers)
    if expires is not None:
        described[EXPIRES] = expires.isoformat()
    await jetstream.publish(
        consumer.dead_letter_subject(key),
        body,
        timeout=ANSWER_SECONDS,
        stream=topology.DEAD_LETTERS,
        headers=kept | described,
        msg_ttl=None if expires is None else seconds_until(expires),
    )


def own_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers an event was born with; those of a delivery and of an earlier parking say nothing about it."""
    return {name: value for name, value in headers.items() if not name.lower().startswith(("nats-", "signoff-"))}


def _event_subject(subject: str, name: str | None, key: str) -> str:
    # A replay was published under its consumer's subject; its event has another.
    return f"{name}.{key}" if name and subject.startswith(f"{topology.REPLAYS}.") else subject


def expiry_of(headers: Mapping[str, str]) -> datetime | None:
    """When a message must be gone because it was replayed; None if it was not."""
    try:
        expires = datetime.fromisoformat(headers[EXPIRES])
    except (KeyError, ValueError):
        return None
    return expires if expires.tzinfo else None


def seconds_until(end: datetime) -> int:
    """How long a message may live to be gone then. A second is the shortest life that the server gives."""
    return max(1, int((end - SystemClock().now()).total_seconds()))


def _describe(error: Exception) -> str:
    # Only our own sentences: the text of any other error may quote the data it failed on.
    text = f"{type(error).__name__}: {error}" if isinstance(error, ContractError) else type(error).__name__
    return text[:ERROR_LENGTH_MAX].replace("\n", " ")
