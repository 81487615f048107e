"""Makes NATS hold the streams and consumers of `contracts.topology`. One owner runs it; services only look."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import nats.errors
import structlog
from contracts import topology
from contracts.topology import Consumer, Stream
from nats.js import JetStreamContext
from nats.js.errors import APIError, NotFoundError, ServiceUnavailableError

from kit.differences import Difference, Kind, compared
from kit.streams import (
    DEFAULTS,
    OWNER,
    TopologySettings,
    consumer_config,
    consumer_fields,
    stream_config,
    stream_fields,
)

log = structlog.get_logger("topology")

_STOPPING = ("filter_subjects", "ack_policy", "max_deliver", "headers_only")
"""With any of these another way than its code expects, a service would hear the wrong events, or lose some."""

ANSWER_SECONDS = 2.0
PAUSE_SECONDS = 0.1
PATIENCE_SECONDS = 20.0
"""Twice what an election takes at its slowest."""

Answer = TypeVar("Answer")


class Drift(Exception):
    """The server does not hold what the contracts say. The message names each difference."""


class Refused(Drift):
    """The server will not change something. `mended` is what it did change meanwhile."""

    def __init__(self, refusals: Mapping[str, list[Difference]], mended: list[Difference]) -> None:
        lines = (f"{'; '.join(map(str, refused))}: {reason}" for reason, refused in refusals.items())
        super().__init__(f"NATS refuses {'. '.join(lines)}")
        self.mended = mended


async def differences(jetstream: JetStreamContext, settings: TopologySettings = DEFAULTS) -> list[Difference]:
    """Everything in which the server differs from the contracts. Changes nothing."""
    found = [each async for part in _parts(jetstream, settings) for each in part.differences]
    return found + await obsolete(jetstream)


async def reconcile(
    jetstream: JetStreamContext, settings: TopologySettings = DEFAULTS, *, prune: bool = False
) -> list[Difference]:
    """Create what is missing, update what differs, and return that. Harmless beside another one that does the same.

    With `prune`, consumers that are in no contract any more are deleted. A stream never is. Raises `Refused`, after
    everything else is done, for what the server will not change.
    """
    mended: list[Difference] = []
    refusals: dict[str, list[Difference]] = {}
    async for part in _parts(jetstream, settings):
        if not part.differences:
            continue
        try:
            await _answered(part.mend)
        except ServiceUnavailableError:
            raise
        except APIError as error:
            # A consumer whose stream was refused says nothing new.
            if not (refusals and isinstance(error, NotFoundError)):
                refusals.setdefault(str(error.description), []).extend(part.differences)
        else:
            mended += part.differences
    if prune:
        mended += [each for each in await obsolete(jetstream) if await _pruned(jetstream, each)]
    if refusals:
        raise Refused(refusals, mended)
    return mended


async def obsolete(jetstream: JetStreamContext) -> list[Difference]:
    """What was made for contracts that no longer name it. Others' streams and consumers are not ours to judge."""
    found = []
    async for stream in _pages(jetstream.streams_info):
        name = stream.config.name
        if name in topology.STREAMS:
            found += await _obsolete_consumers(jetstream, name)
        elif OWNER in (stream.config.metadata or {}):
            found.append(Difference(f"stream {name}", Kind.OBSOLETE))
    return found


async def _obsolete_consumers(jetstream: JetStreamContext, stream: str) -> list[Difference]:
    named_as_ours = re.compile(rf"[a-z_]+-{stream.lower()}")
    return [
        Difference(f"consumer {consumer.name}", Kind.OBSOLETE)
        async for consumer in _pages(partial(jetstream.consumers_info, stream))
        if consumer.config.durable_name
        and named_as_ours.fullmatch(consumer.name)
        and consumer.name not in topology.CONSUMERS
    ]


async def _pruned(jetstream: JetStreamContext, difference: Difference) -> bool:
    kind, _, name = difference.what.partition(" ")
    if kind != "consumer":
        return False
    with suppress(NotFoundError):
        await _answered(partial(jetstream.delete_consumer, name.rpartition("-")[2].upper(), name))
    return True


async def check(jetstream: JetStreamContext, consumers: Iterable[Consumer]) -> None:
    """What a service does at its start: log every difference, and raise `Drift` for those it must not run with."""
    stopping = []
    for consumer in consumers:
        for difference in await _looked_at(jetstream, consumer):
            if difference.kind is Kind.MISSING or difference.field in _STOPPING:
                stopping.append(str(difference))
            else:
                log.warning("topology_differs", difference=str(difference))
    if stopping:
        raise Drift(f"{'; '.join(stopping)}. Run: signoff topology apply")


async def _looked_at(jetstream: JetStreamContext, consumer: Consumer) -> list[Difference]:
    while True:
        try:
            return (await _consumer_part(jetstream, consumer)).differences
        except _SILENCE as error:
            log.warning("topology_unknown", consumer=consumer.name, reason=type(error).__name__)


_SILENCE = (TimeoutError, nats.errors.NoRespondersError, ServiceUnavailableError)


async def _answered(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """Ask until there is an answer. What has no leader gives none: for a moment after its creation in a cluster, and
    for some seconds after the loss of a server. All we ask may be asked twice."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await ask()
        except _SILENCE:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(PAUSE_SECONDS)


@dataclass(frozen=True)
class _Part:
    """A stream or consumer as the server holds it, and how it is put right."""

    differences: list[Difference]
    mend: Callable[[], Awaitable[Any]]


async def _parts(jetstream: JetStreamContext, settings: TopologySettings) -> AsyncIterator[_Part]:
    """Streams first: a consumer is looked at when its stream has been put right."""
    for stream in topology.STREAMS.values():
        yield await _stream_part(jetstream, stream, settings)
    for consumer in topology.CONSUMERS.values():
        yield await _consumer_part(jetstream, consumer)


async def _stream_part(jetstream: JetStreamContext, stream: Stream, settings: TopologySettings) -> _Part:
    what, wanted = f"stream {stream.name}", stream_fields(stream, settings)
    try:
        present = (await _answered(partial(jetstream.stream_info, stream.name))).config
    except NotFoundError:
        return _Part([Difference(what, Kind.MISSING)], lambda: jetstream.add_stream(stream_config(stream, settings)))
    kept = wanted | {"metadata": dict(present.metadata or {}) | wanted["metadata"]}
    return _Part(compared(what, present, wanted), lambda: jetstream.update_stream(present.evolve(**kept)))


async def _consumer_part(jetstream: JetStreamContext, consumer: Consumer) -> _Part:
    what, wanted = f"consumer {consumer.name}", consumer_fields(consumer)
    try:
        present = (await _answered(partial(jetstream.consumer_info, consumer.stream, consumer.name))).config
    except NotFoundError:
        config = consumer_config(consumer)
        return _Part([Difference(what, Kind.MISSING)], lambda: jetstream.add_consumer(consumer.stream, config))
    # Creating a durable consumer again under its name updates it and keeps its position.
    config = present.evolve(**wanted, filter_subject=None)
    return _Part(compared(what, present, wanted), lambda: jetstream.add_consumer(consumer.stream, config))


async def _pages(page: Callable[[int], Awaitable[list[Any]]]) -> AsyncIterator[Any]:
    """Everything of a list that the server gives out a page at a time."""
    offset = 0
    while items := await _answered(partial(page, offset)):
        for item in items:
            yield item
        offset += len(items)
