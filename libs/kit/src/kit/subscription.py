"""What a service does with the events of one consumer: handlers by event type, for one event or for many."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any, TypeVar
from uuid import UUID

from contracts import registry
from contracts.event import Event
from contracts.topology import Consumer

from kit.telemetry import current_traceparent

E = TypeVar("E", bound=Event)

_told_in: ContextVar[Mapping[int, str | None]] = ContextVar("told_in", default=MappingProxyType({}))
"""The traces of the events that are handled together, by the events' identity."""


class Subscription:
    """One consumer's handlers. An older version of an event is brought to the newest one that has a handler."""

    def __init__(self, consumer: Consumer) -> None:
        self.consumer = consumer
        self._one: dict[type[Event], Callable[[Any], Awaitable[None]]] = {}
        self._many: dict[type[Event], Callable[[Any], Awaitable[None]]] = {}

    def on(self, event: type[E]) -> Callable[[Callable[[E], Awaitable[None]]], Callable[[E], Awaitable[None]]]:
        """Register the handler of one event type, which the consumer must list."""
        self._expect(event)

        def register(handler: Callable[[E], Awaitable[None]]) -> Callable[[E], Awaitable[None]]:
            self._one[event] = handler
            return handler

        return register

    def on_batch(
        self, event: type[E]
    ) -> Callable[[Callable[[Sequence[E]], Awaitable[None]]], Callable[[Sequence[E]], Awaitable[None]]]:
        """Register a handler that takes several events of one type at once, in the order of the stream.

        It pays where the consumer has a `batch_size`; without a backlog it is called with one event.
        """
        self._expect(event)

        def register(handler: Callable[[Sequence[E]], Awaitable[None]]) -> Callable[[Sequence[E]], Awaitable[None]]:
            self._many[event] = handler
            return handler

        return register

    def _expect(self, event: type[Event]) -> None:
        if event not in self.consumer.events:
            raise TypeError(f"{self.consumer.name} does not take {event.name()}")

    def check(self) -> None:
        """Raise `TypeError` if an event that arrives here has no handler."""
        missing = [event.name() for event in self.consumer.events if event not in self._one | self._many]
        if missing:
            raise TypeError(f"{self.consumer.name} has no handler for {', '.join(missing)}")

    async def dispatch(self, event: Event) -> None:
        """Hand one event to its handler."""
        await self._call(type(current := self._current(event)), [current])

    async def dispatch_batch(self, events: Sequence[Event], traces: Sequence[str | None] = ()) -> None:
        """Hand events to their handlers: those of one type together, those of one aggregate in order.

        `traces`: the `traceparent` that each was told with, for `traceparent_of`.
        """
        current = [self._current(event) for event in events]
        told_in = _told_in.set({id(event): trace for event, trace in zip(current, traces, strict=False)})
        try:
            for kind, alike in _grouped(current):
                await self._call(kind, alike)
        finally:
            _told_in.reset(told_in)

    async def _call(self, kind: type[Event], events: Sequence[Event]) -> None:
        many = self._many.get(kind)
        if many is not None:
            await many(events)
            return
        for event in events:
            await self._one[kind](event)

    def _current(self, event: Event) -> Event:
        newer: Event | None = event
        while newer is not None and type(newer) not in self._one and type(newer) not in self._many:
            newer = registry.upcast(newer)
        return event if newer is None else newer


def traceparent_of(event: Event) -> str | None:
    """What work that is done later for this event continues: of many that are handled at once, each has its own."""
    told_in = _told_in.get()
    return told_in[id(event)] if id(event) in told_in else current_traceparent()


def _grouped(events: Sequence[Event]) -> list[tuple[type[Event], list[Event]]]:
    """As few groups of one type as keep every aggregate's order when the groups are handled one by one."""
    groups: list[tuple[type[Event], list[Event]]] = []
    newest_of_type: dict[type[Event], int] = {}
    last_of_aggregate: dict[UUID, int] = {}
    for event in events:
        kind, aggregate = type(event), event.aggregate()
        at = newest_of_type.get(kind, -1)
        if at < last_of_aggregate.get(aggregate, 0):
            at = newest_of_type[kind] = len(groups)
            groups.append((kind, []))
        groups[at][1].append(event)
        last_of_aggregate[aggregate] = at
    return groups
