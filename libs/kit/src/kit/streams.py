"""What NATS is to hold: each stream and consumer of `contracts.topology` as a configuration, field by field.

Whatever is set here is compared and put right by `kit.topology`. What an operator has set besides (a placement, a
description, a compression) is theirs and is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self

from contracts import topology
from contracts.topology import Consumer, Stream
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    DiscardPolicy,
    ReplayPolicy,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)

from kit.settings import Environment, SettingError

MESSAGE_BYTES_MAX = 256 * 1024
"""Events carry ids and states; anything near this size is a mistake."""

PARKING_BYTES_MAX = 4 * 1024
"""What parking adds to a message's headers, and far more: one that is too big to be parked would come for ever."""

UNACKNOWLEDGED_MAX = 1_000
"""What one consumer holds unacknowledged at most. One process of a service pulls from it at a time, so this bounds
what that process has in hand, and what is delivered again when another takes over."""

REPLICAS = (1, 3, 5)
"""An even number survives no more failures than the odd one below it, and JetStream takes at most five."""

MAX_AGE_MIN = timedelta(hours=1)
"""Longer than a service may be down for a release; what expires before it is back, it never hears."""

DUPLICATE_WINDOW_MIN, DUPLICATE_WINDOW_MAX = timedelta(seconds=10), timedelta(hours=1)
"""From two tries of a relay to what a server may well keep in memory: an id for each message."""

OWNER = "signoff-owner"
"""Metadata of our streams. One that has it and is in no contract any more was ours."""


@dataclass(frozen=True)
class TopologySettings:
    """What an installation may choose. The names in capitals are the environment variables.

    `replicas`: NATS_REPLICAS, how many servers hold each stream. `max_age`: NATS_MAX_AGE, how long an event is kept.
    `duplicate_window`: NATS_DUPLICATE_WINDOW, how long a stream recognises an event that is published again.
    """

    replicas: int = 1
    max_age: timedelta = topology.STREAM_MAX_AGE
    duplicate_window: timedelta = topology.DUPLICATE_WINDOW

    @classmethod
    def read(cls, environment: Environment) -> Self:
        """Raises `SettingError`; above all for an age beyond the contracts', which would break a promise."""
        replicas = environment.integer("NATS_REPLICAS", cls.replicas, minimum=min(REPLICAS), maximum=max(REPLICAS))
        if replicas not in REPLICAS:
            raise SettingError(f"NATS_REPLICAS is {replicas}, but must be 1, 3 or 5")
        return cls(
            replicas=replicas,
            max_age=environment.duration(
                "NATS_MAX_AGE", cls.max_age, minimum=MAX_AGE_MIN, maximum=topology.STREAM_MAX_AGE
            ),
            duplicate_window=environment.duration(
                "NATS_DUPLICATE_WINDOW",
                cls.duplicate_window,
                minimum=DUPLICATE_WINDOW_MIN,
                maximum=DUPLICATE_WINDOW_MAX,
            ),
        )


DEFAULTS = TopologySettings()


def stream_config(stream: Stream, settings: TopologySettings = DEFAULTS) -> StreamConfig:
    """The stream as the server is to hold it. Age is its only limit: any other would drop events in silence."""
    return StreamConfig(name=stream.name, **stream_fields(stream, settings))


def consumer_config(consumer: Consumer) -> ConsumerConfig:
    """The consumer as the server is to hold it."""
    return ConsumerConfig(durable_name=consumer.name, **consumer_fields(consumer))


def stream_fields(stream: Stream, settings: TopologySettings) -> dict[str, Any]:
    return {
        "subjects": list(stream.subjects),
        "retention": RetentionPolicy.LIMITS,
        "storage": StorageType.FILE,
        "discard": DiscardPolicy.OLD,
        "max_age": settings.max_age.total_seconds(),
        "max_msgs": -1,
        "max_bytes": -1,
        "max_msgs_per_subject": -1,
        "max_consumers": -1,
        "max_msg_size": MESSAGE_BYTES_MAX + (PARKING_BYTES_MAX if stream.name == topology.DEAD_LETTERS else 0),
        "duplicate_window": settings.duplicate_window.total_seconds(),
        "num_replicas": settings.replicas,
        "no_ack": False,
        "sealed": False,
        "allow_direct": True,
        # What is replayed is needed for minutes and leaves with its own time to live.
        "allow_msg_ttl": True,
        # A burst of events is written to disk once (`kit.relay`).
        "allow_atomic": True,
        # Erasing a subject purges its messages, and deletes its dead letters.
        "deny_purge": False,
        "deny_delete": False,
        "metadata": {OWNER: stream.owner},
    }


def consumer_fields(consumer: Consumer) -> dict[str, Any]:
    return {
        "filter_subjects": list(consumer.filter_subjects),
        "deliver_policy": DeliverPolicy.ALL,
        "replay_policy": ReplayPolicy.INSTANT,
        "ack_policy": AckPolicy.EXPLICIT,
        "ack_wait": consumer.ack_wait.total_seconds(),
        "backoff": None,
        # Who settles a message decides when to give up; the server would do so in silence.
        "max_deliver": -1,
        "max_ack_pending": UNACKNOWLEDGED_MAX,
        "headers_only": False,
        "inactive_threshold": 0.0,
        "mem_storage": False,
        # As many as its stream has.
        "num_replicas": 0,
    }
