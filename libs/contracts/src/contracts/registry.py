"""Every event there is, found by its name. A new event registers itself with `@event`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeVar

from contracts.event import Event

E = TypeVar("E", bound=Event)

_events: dict[str, type[Event]] = {}

EVENTS: Mapping[str, type[Event]] = MappingProxyType(_events)
"""Event classes by full name, `post.approved.v1`."""


class UnknownEvent(LookupError):
    """No event of this name was ever released."""


def event(
    type_: str, version: int, *, owner: str, aggregate: str, key: str = "workspace_id"
) -> Callable[[type[E]], type[E]]:
    """Register an event class under its type and version.

    `aggregate` and `key` name the fields that hold the id of what the event is about and the id that
    ends its subject.
    """

    def register(cls: type[E]) -> type[E]:
        cls.type, cls.version, cls.owner = type_, version, owner
        cls.aggregate_field, cls.key_field = aggregate, key
        missing = {aggregate, key} - set(cls.model_fields)
        if missing:
            raise TypeError(f"{cls.__name__} has no field {', '.join(sorted(missing))}")
        if cls.name() in _events:
            raise TypeError(f"{cls.name()} is registered twice")
        _events[cls.name()] = cls
        return cls

    return register


def class_for(name: str) -> type[Event]:
    """The class of a full event name; raises `UnknownEvent`."""
    try:
        return _events[name]
    except KeyError:
        raise UnknownEvent(name) from None
