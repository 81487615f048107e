"""Listens to every stream beside the services, as another system could, and hands each event on as it flows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self
from uuid import UUID

from contracts import topology
from contracts.event import Event
from contracts.retention import ErasureTaskDoneV1
from contracts.topology import CONSUMERS
from kit import codec
from nats.aio.msg import Msg

from signoff.backing import operator_connection
from signoff.system import System

Told = Callable[[Event], None]


class Observer:
    """A context manager; `count` says how many facts of each type were seen."""

    def __init__(self, system: System, told: Told) -> None:
        self._system = system
        self._told = told
        self._stack = AsyncExitStack()
        self._seen: set[UUID] = set()
        self.count: Counter[str] = Counter()

    async def __aenter__(self) -> Self:
        addresses = self._system.surroundings.addresses
        client = await self._stack.enter_async_context(operator_connection(addresses.operator))
        self._jetstream = client.jetstream()
        for stream in topology.STREAMS:
            if stream != topology.DEAD_LETTERS:
                await self._jetstream.subscribe(">", stream=stream, ordered_consumer=True, cb=self._take)
        return self

    async def dead_letters(self) -> int:
        """How many messages a service gave up on."""
        return (await self._jetstream.stream_info(topology.DEAD_LETTERS)).state.messages

    async def events_of(self, key: str) -> int:
        """How many events of a workspace (or account) the streams still hold."""
        total = 0
        for stream in topology.STREAMS:
            info = await self._jetstream.stream_info(stream, subjects_filter=f"*.*.*.{key}")
            total += sum((info.state.subjects or {}).values())
        return total

    async def _take(self, message: Msg) -> None:
        headers = message.headers or {}
        event_id = codec.event_id_of(headers)
        if event_id in self._seen:
            # The same fact again: an older version told beside the newest, or a repetition.
            return
        self._seen.add(event_id)
        event = codec.decode(headers, message.data)
        self.count[event.type] += 1
        self._told(event)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()


def teller_of(event: Event) -> str:
    """The service that told it; every one tells of its own part in an erasure."""
    return event.service if isinstance(event, ErasureTaskDoneV1) else type(event).owner


def listeners_of(event: Event) -> list[str]:
    """The services that take this event in, by the contracts."""
    return [consumer.service for consumer in CONSUMERS.values() if type(event) in consumer.events]
