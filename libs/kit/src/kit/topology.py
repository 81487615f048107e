"""Makes NATS hold the streams and consumers of `contracts.topology`. One owner runs it; services only look."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, StrEnum
from functools import partial
from typing import Any

import nats.errors
import structlog
from contracts import topology
from contracts.topology import Consumer, Stream
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig, StreamConfig
from nats.js.errors import APIError, NotFoundError, ServiceUnavailableError

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

UNKNOWN_PAUSE_SECONDS = 1.0

_SECONDS = ("max_age", "duplicate_window", "ack_wait", "inactive_threshold")


class Drift(Exception):
    """The server does not hold what the contracts say. The message names each difference."""


class Refused(Drift):
    """The server will not change something. `mended` is what it did change meanwhile."""

    def __init__(self, refusals: Mapping[str, list[Difference]], mended: list[Difference]) -> None:
        lines = (f"{'; '.join(map(str, refused))}: {reason}" for reason, refused in refusals.items())
        super().__init__(f"NATS refuses {'. '.join(lines)}")
        self.mended = mended


class Kind(StrEnum):
    MISSING = "missing"
    DIFFERS = "differs"
    OBSOLETE = "obsolete"


@dataclass(frozen=True)
class Difference:
    """One difference between the server and the contracts; as text, a line for people."""

    what: str
    kind: Kind
    field: str = ""
    present: str = ""
    wanted: str = ""

    def __str__(self) -> str:
        match self.kind:
            case Kind.MISSING:
                return f"{self.what}: missing"
            case Kind.OBSOLETE:
                return f"{self.what}: not in the contracts"
            case _:
                return f"{self.what}: {self.field} {self.present} → {self.wanted}"


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
            await part.mend()
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
        await jetstream.delete_consumer(name.rpartition("-")[2].upper(), name)
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
        except (ServiceUnavailableError, nats.errors.Error) as error:
            # A cluster that starts, or lost a server, has no leader for some seconds.
            log.warning("topology_unknown", consumer=consumer.name, reason=type(error).__name__)
            await asyncio.sleep(UNKNOWN_PAUSE_SECONDS)


@dataclass(frozen=True)
class _Part:
    """A stream or consumer as the server holds it, and how it is put right."""

    differences: list[Difference]
    mend: Callable[[], Awaitable[object]]


async def _parts(jetstream: JetStreamContext, settings: TopologySettings) -> AsyncIterator[_Part]:
    """Streams first: a consumer is looked at when its stream has been put right."""
    for stream in topology.STREAMS.values():
        yield await _stream_part(jetstream, stream, settings)
    for consumer in topology.CONSUMERS.values():
        yield await _consumer_part(jetstream, consumer)


async def _stream_part(jetstream: JetStreamContext, stream: Stream, settings: TopologySettings) -> _Part:
    what, wanted = f"stream {stream.name}", stream_fields(stream, settings)
    try:
        present = (await jetstream.stream_info(stream.name)).config
    except NotFoundError:
        return _Part([Difference(what, Kind.MISSING)], lambda: jetstream.add_stream(stream_config(stream, settings)))
    kept = wanted | {"metadata": dict(present.metadata or {}) | wanted["metadata"]}
    return _Part(_compared(what, present, wanted), lambda: jetstream.update_stream(present.evolve(**kept)))


async def _consumer_part(jetstream: JetStreamContext, consumer: Consumer) -> _Part:
    what, wanted = f"consumer {consumer.name}", consumer_fields(consumer)
    try:
        present = (await jetstream.consumer_info(consumer.stream, consumer.name)).config
    except NotFoundError:
        config = consumer_config(consumer)
        return _Part([Difference(what, Kind.MISSING)], lambda: jetstream.add_consumer(consumer.stream, config))
    # Creating a durable consumer again under its name updates it and keeps its position.
    config = present.evolve(**wanted, filter_subject=None)
    return _Part(_compared(what, present, wanted), lambda: jetstream.add_consumer(consumer.stream, config))


def _compared(what: str, present: StreamConfig | ConsumerConfig, wanted: Mapping[str, Any]) -> list[Difference]:
    found = []
    for field, value in wanted.items():
        is_there = _shown(field, _present(present, field))
        if is_there != (to_be := _shown(field, value)):
            found.append(Difference(what, Kind.DIFFERS, field, is_there, to_be))
    return found


def _present(config: StreamConfig | ConsumerConfig, field: str) -> Any:
    value = getattr(config, field)
    if field == "filter_subjects" and not value:
        # The server folds a list of one into the older single field.
        single = getattr(config, "filter_subject", None)
        return [single] if single else []
    # It adds notes of its own to ours.
    return {OWNER: (value or {}).get(OWNER)} if field == "metadata" else value


def _shown(field: str, value: Any) -> str:
    """A value as people read it. The server leaves out what is nothing, so no, none and zero are the same."""
    if field == "metadata":
        return f"{OWNER}={value[OWNER] or 'nobody'}"
    if not value:
        return "none"
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, list):
        return ", ".join(sorted(map(str, value)))
    if field in _SECONDS:
        return f"{value:g} s" if value != int(value) else f"{int(value)} s"
    return str(value).lower()


async def _pages(page: Callable[[int], Awaitable[list[Any]]]) -> AsyncIterator[Any]:
    """Everything of a list that the server gives out a page at a time."""
    offset = 0
    while items := await page(offset):
        for item in items:
            yield item
        offset += len(items)
