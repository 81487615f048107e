"""Messages that a consumer gave up on: parked whole in a stream of their own until a person decides about them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from contracts import topology
from contracts.topology import Consumer
from nats.js import JetStreamContext

from kit.clock import SystemClock
from kit.codec import ContractError

PARK_TIMEOUT_SECONDS = 5.0
"""JetStream answers in milliseconds; without an answer the message stays where it was and is parked later."""

ERROR_LENGTH_MAX = 200
"""Enough for a class name or a sentence of ours; a header is no place for more."""

EXPIRES = "signoff-expires"
"""When a replayed event must be gone, whatever becomes of it: the end of its first dead letter. RFC 3339."""


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
    kept = _own_headers(headers)
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
    expires = headers.get(EXPIRES)
    if expires is not None:
        described[EXPIRES] = expires
    await jetstream.publish(
        consumer.dead_letter_subject(key),
        body,
        timeout=PARK_TIMEOUT_SECONDS,
        stream=topology.DEAD_LETTERS,
        headers=kept | described,
        msg_ttl=None if expires is None else _seconds_until(datetime.fromisoformat(expires)),
    )


def _own_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers an event was born with; those of a delivery and of an earlier parking say nothing about it."""
    return {name: value for name, value in headers.items() if not name.lower().startswith(("nats-", "signoff-"))}


def _event_subject(subject: str, name: str | None, key: str) -> str:
    # A replay was published under its consumer's subject; its event has another.
    return f"{name}.{key}" if name and subject.startswith(f"{topology.REPLAYS}.") else subject


def _seconds_until(end: datetime) -> int:
    # A second is the shortest life the server gives; nothing is kept longer than that beyond its end.
    return max(1, int((end - SystemClock().now()).total_seconds()))


def _describe(error: Exception) -> str:
    # Only our own sentences: the text of any other error may quote the data it failed on.
    text = f"{type(error).__name__}: {error}" if isinstance(error, ContractError) else type(error).__name__
    return text[:ERROR_LENGTH_MAX].replace("\n", " ")
