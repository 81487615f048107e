"""The consumer as the server is to hold it."""

from __future__ import annotations

from contracts.topology import Consumer
from nats.js.api import AckPolicy as ServerAckPolicy
from nats.js.api import ConsumerConfig


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
