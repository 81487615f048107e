"""A queue: the weekly times at which posts of one connection go out, so that nobody has to choose one.

A slot is a wall-clock time of the week in the queue's zone. Each of its instants is resolved as any other wall-clock
time is, so that a slot in a gap or an overlap is told.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from kit.problems import Conflict, NotFound

from scheduler.domain.wall_clock import Resolved, resolve

SLOTS_MAX = 50
"""A week and connection: seven a day. What is more reads as spam."""

SHOWN = 20
"""Free times that a queue shows: a month of a post on every weekday."""

_DAY = timedelta(days=1)


class QueueNotFound(NotFound):
    title = "This connection has no queue in this workspace"


class ConnectionNotFound(NotFound):
    title = "There is no such connection in this workspace"


class NoQueue(Conflict):
    code = "no-queue"
    title = "A connection has no queue, so that there is no slot to take"


class QueueFull(Conflict):
    code = "queue-full"
    title = "The queue of a connection has no free slot within 366 days"


@dataclass(frozen=True, order=True)
class Slot:
    """A time of the week. `weekday` counts from Monday, 0."""

    weekday: int
    at: time


@dataclass(frozen=True)
class SlotTime:
    """One time of a slot: the wall clock, and what it means."""

    at: datetime
    resolved: Resolved

    @property
    def due_at(self) -> datetime:
        return self.resolved.due_at


@dataclass(frozen=True)
class Queue:
    """The slots of one connection, in the order of the week, each once."""

    workspace_id: UUID
    connection_id: UUID
    time_zone: str
    slots: tuple[Slot, ...]

    def times(self, in_zone: ZoneInfo, *, after: datetime, last: datetime) -> Iterator[SlotTime]:
        """Its times behind one instant and until another, the earliest first. Two that a gap makes one are one."""
        before = after
        day = (after.astimezone(in_zone) - _DAY).date()
        # A zone may have left out the last day: the one behind it is looked at too.
        end = (last.astimezone(in_zone) + _DAY).date()
        while day <= end:
            for slot in self.slots:
                if slot.weekday != day.weekday():
                    continue
                at = datetime.combine(day, slot.at)
                resolved = resolve(at, in_zone)
                if before < resolved.due_at <= last:
                    yield SlotTime(at, resolved)
                    before = resolved.due_at
            day += _DAY
