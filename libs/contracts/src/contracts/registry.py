"""Every event there is, found by its name, and how the versions of one follow from each other.

An event registers itself with `@event`. Beside two versions of one stand the function that makes the newer of the older
(`@upcasts`) and, as long as some consumer is behind, the one that makes the older of the newer (`@downcasts`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeVar

from contracts.event import Event

E = TypeVar("E", bound=Event)
Old = TypeVar("Old", bound=Event)
New = TypeVar("New", bound=Event)

_events: dict[str, type[Event]] = {}
_upcasts: dict[type[Event], tuple[type[Event], Callable[[Any], Event]]] = {}
_downcasts: dict[type[Event], tuple[type[Event], Callable[[Any], Event]]] = {}

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


def upcasts(older: type[Old], newer: type[New]) -> Callable[[Callable[[Old], New]], Callable[[Old], New]]:
    """Register the pure function that says in the next version what a stored event says; it goes when `older` goes."""

    def register(function: Callable[[Old], New]) -> Callable[[Old], New]:
        _join(_upcasts, older, newer, function, older=older, newer=newer)
        return function

    return register


def downcasts(newer: type[New], older: type[Old]) -> Callable[[Callable[[New], Old]], Callable[[New], Old]]:
    """Register how the version before says it. As long as this stands, whoever tells `newer` tells `older` as well."""

    def register(function: Callable[[New], Old]) -> Callable[[New], Old]:
        _join(_downcasts, newer, older, function, older=older, newer=newer)
        return function

    return register


def _join(
    steps: dict[type[Event], tuple[type[Event], Callable[[Any], Event]]],
    source: type[Event],
    result: type[Event],
    function: Callable[[Any], Event],
    *,
    older: type[Event],
    newer: type[Event],
) -> None:
    if (older.type, older.owner, older.version + 1) != (newer.type, newer.owner, newer.version):
        raise TypeError(f"{newer.name()} is not the version after {older.name()}")
    if source in steps:
        raise TypeError(f"{source.name()} becomes {result.name()} in two ways")
    steps[source] = (result, function)


def upcast(event: Event) -> Event | None:
    """The same fact in the next version; None if this is the newest."""
    step = _upcasts.get(type(event))
    return step[1](event) if step else None


def also_told_as(event: Event) -> Sequence[Event]:
    """The same fact in the older versions that its owner still tells, the nearest first."""
    told: list[Event] = []
    while step := _downcasts.get(type(event)):
        event = step[1](event)
        told.append(event)
    return told


def newer_version(event: type[Event]) -> type[Event] | None:
    """The version after this one, if there is one."""
    step = _upcasts.get(event)
    return step[0] if step else None


def older_versions(event: type[Event]) -> Sequence[type[Event]]:
    """The versions whose stored events become this one by upcasts, the nearest first."""
    before = {newer: older for older, (newer, _) in _upcasts.items()}
    found: list[type[Event]] = []
    while older := before.get(event):
        event = older
        found.append(event)
    return found


def is_told(event: type[Event]) -> bool:
    """Whether its owner tells this version: the newest, and older ones that a downcast leads to."""
    newer = newer_version(event)
    return newer is None or (_downcasts.get(newer, (None,))[0] is event and is_told(newer))


def class_for(name: str) -> type[Event]:
    """The class of a full event name; raises `UnknownEvent`."""
    try:
        return _events[name]
    except KeyError:
        raise UnknownEvent(name) from None
