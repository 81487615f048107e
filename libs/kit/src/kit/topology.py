"""Makes NATS hold the streams and consumers of `contracts.topology`. One owner runs it; services only look."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from contracts import topology
from contracts.topology import Consumer, Stream
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig, DiscardPolicy, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import NotFoundError

from kit.broker import consumer_config

MESSAGE_BYTES_MAX = 256 * 1024
"""Events carry ids and states; anything near this size is a mistake."""


class Drift(Exception):
    """The server does not hold what the contracts say. The message names each difference."""


@dataclass(frozen=True)
class Change:
    """One difference between the contracts and the server."""

    what: str
    action: str


def stream_config(stream: Stream, *, replicas: int) -> StreamConfig:
    return StreamConfig(
        name=stream.name,
        subjects=list(stream.subjects),
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        discard=DiscardPolicy.OLD,
        max_age=topology.STREAM_MAX_AGE.total_seconds(),
        max_msg_size=MESSAGE_BYTES_MAX,
        duplicate_window=topology.DUPLICATE_WINDOW.total_seconds(),
        num_replicas=replicas,
        allow_direct=True,
        # Erasing a subject purges its messages.
        deny_purge=False,
    )


async def reconcile(jetstream: JetStreamContext, *, replicas: int = 1, dry: bool = False) -> list[Change]:
    """Create what is missing and update what differs; returns what was changed, or `dry` what would be."""
    changes = [
        change
        for stream in topology.STREAMS.values()
        if (change := await _reconcile_stream(jetstream, stream_config(stream, replicas=replicas), dry=dry))
    ]
    changes += [
        change
        for consumer in topology.CONSUMERS.values()
        if (change := await _reconcile_consumer(jetstream, consumer, dry=dry))
    ]
    return changes


async def check(jetstream: JetStreamContext, consumers: Iterable[Consumer]) -> None:
    """Raise `Drift` if a consumer is missing or differs. Creates nothing."""
    differences = []
    for consumer in consumers:
        try:
            present = (await jetstream.consumer_info(consumer.stream, consumer.name)).config
        except NotFoundError:
            differences.append(f"{consumer.name} is missing")
            continue
        differences += [f"{consumer.name}: {field}" for field in _differing(present, consumer_config(consumer))]
    if differences:
        raise Drift(f"{'; '.join(differences)}. Run: signoff topology apply")


async def _reconcile_stream(jetstream: JetStreamContext, wanted: StreamConfig, *, dry: bool) -> Change | None:
    assert wanted.name is not None
    try:
        present = (await jetstream.stream_info(wanted.name)).config
    except NotFoundError:
        if not dry:
            await jetstream.add_stream(wanted)
        return Change(f"stream {wanted.name}", "created")
    fields = ("subjects", "max_age", "max_msg_size", "duplicate_window", "num_replicas")
    if all(getattr(present, field) == getattr(wanted, field) for field in fields):
        return None
    if not dry:
        await jetstream.update_stream(wanted)
    return Change(f"stream {wanted.name}", "updated")


async def _reconcile_consumer(jetstream: JetStreamContext, consumer: Consumer, *, dry: bool) -> Change | None:
    wanted = consumer_config(consumer)
    try:
        present = (await jetstream.consumer_info(consumer.stream, consumer.name)).config
    except NotFoundError:
        if not dry:
            await jetstream.add_consumer(consumer.stream, wanted)
        return Change(f"consumer {consumer.name}", "created")
    if not _differing(present, wanted):
        return None
    if not dry:
        # Creating a durable consumer again under its name updates it and keeps its position.
        await jetstream.add_consumer(consumer.stream, wanted)
    return Change(f"consumer {consumer.name}", "updated")


def _differing(present: ConsumerConfig, wanted: ConsumerConfig) -> list[str]:
    fields = ("ack_wait", "max_deliver", "max_ack_pending")
    differing = [field for field in fields if getattr(present, field) != getattr(wanted, field)]
    if _filters(present) != _filters(wanted):
        differing.append("filter_subjects")
    return differing


def _filters(config: ConsumerConfig) -> set[str]:
    # The server folds a list of one into the older single field.
    return set(config.filter_subjects or ()) | ({config.filter_subject} if config.filter_subject else set())
