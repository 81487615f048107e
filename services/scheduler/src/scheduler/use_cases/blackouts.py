"""A workspace says when nothing is to go out, and whoever plans keeps to it or says that it goes out all the same.

What is planned already when a blackout is made stays as it is: it is told as a conflict, and people decide.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from kit.ids import new_id

from scheduler.domain.blackouts import (
    BLACKOUTS_MAX,
    LOOKED_AT,
    OVER_MAX,
    Blackout,
    BlackoutNotFound,
    Closure,
    Closures,
    InBlackout,
    TooManyBlackouts,
    Window,
)
from scheduler.domain.calendar import Place
from scheduler.domain.schedule import HORIZON, Schedule
from scheduler.ports import BlackoutStore

RANGES_AT_ONCE = 32
"""Each brings as many schedules as are looked for, at worst."""


@dataclass(frozen=True)
class Clash:
    """A schedule that goes out while blackouts last, though nobody has said so."""

    schedule: Schedule
    closures: list[Closure]


@dataclass(frozen=True)
class Clashes:
    """The earliest first. `next`: where there may be more."""

    found: list[Clash]
    next: Place | None


async def make_blackouts(
    workspace_id: UUID, windows: Sequence[Window], *, store: BlackoutStore, now: datetime
) -> list[Blackout]:
    """One for each window, in order; what is there already is not made twice. Raises `TooManyBlackouts`."""
    await store.lock_blackouts(workspace_id)
    there = await store.blackouts(workspace_id)
    over = [each for each in there if each.window.is_over(now)]
    known = {each.window: each for each in there}
    new = {window: Blackout(new_id(), workspace_id, window) for window in windows if window not in known}
    if len(there) - len(over) + len(new) > BLACKOUTS_MAX:
        raise TooManyBlackouts()
    over.sort(key=lambda each: each.window.ends_at, reverse=True)
    await store.remove_blackouts([each.blackout_id for each in over[OVER_MAX:]])
    await store.add_blackouts(list(new.values()))
    return [(known | new)[window] for window in dict.fromkeys(windows)]


async def remove_blackout(
    workspace_id: UUID, blackout_id: UUID, *, rules: Callable[[Window], bool], store: BlackoutStore
) -> None:
    """`rules`: whether it is for who asks to remove such a window. Raises `BlackoutNotFound`."""
    there = {each.blackout_id: each for each in await store.blackouts(workspace_id)}
    if blackout_id not in there or not rules(there[blackout_id].window):
        raise BlackoutNotFound()
    await store.remove_blackouts([blackout_id])


async def clashes_with(
    blackouts: Sequence[Blackout], *, after: Place | None = None, store: BlackoutStore, now: datetime
) -> Clashes:
    """What clashes with these blackouts, a page behind a place. It may be empty and yet not the last."""
    closures = Closures.between(blackouts, now, now + HORIZON)
    start = Place(now, UUID(int=0))
    place = max(after or start, start)
    ranges = [each for each in closures.ranges if each[1] > place.due_at]
    planned: list[Schedule] = []
    for first in range(0, len(ranges), RANGES_AT_ONCE):
        some = ranges[first : first + RANGES_AT_ONCE]
        planned += await store.planned_within(some, after=place, limit=LOOKED_AT + 1 - len(planned))
        if len(planned) > LOOKED_AT:
            break
    looked_at = planned[:LOOKED_AT]
    found = [Clash(each, _unsaid(each, closures)) for each in looked_at]
    more = len(planned) > LOOKED_AT
    return Clashes([each for each in found if each.closures], Place.of(looked_at[-1]) if more else None)


async def keep_clear(schedule: Schedule, *, despite: bool, store: BlackoutStore) -> Schedule:
    """The schedule, with the blackouts noted that it goes out in all the same. Raises `InBlackout` with the others.

    Blackouts are heeded (`heed_blackouts`) by then.
    """
    closures = await closures_between(
        schedule.workspace_id, schedule.waiting(), since=schedule.due_at, until=schedule.due_at, store=store
    )
    unsaid = _unsaid(schedule, closures)
    if unsaid and not despite:
        raise InBlackout(blackouts=[told(each) for each in unsaid])
    return known_in(schedule, closures)


async def closures_between(
    workspace_id: UUID, connection_ids: Collection[UUID], *, since: datetime, until: datetime, store: BlackoutStore
) -> Closures:
    """When there are blackouts for some of these connections."""
    near = await store.blackouts_near(workspace_id, since, until)
    return Closures.between([each for each in near if each.window.concerns(connection_ids)], since, until)


def known_in(schedule: Schedule, closures: Closures) -> Schedule:
    """It goes out in all of these that it stands in."""
    stands_in = closures.at(schedule.due_at, schedule.waiting())
    return replace(schedule, despite=tuple(each.blackout.blackout_id for each in stands_in))


def told(closure: Closure) -> dict[str, object]:
    """One time of a blackout, as people are told of it."""
    blackout = closure.blackout
    return {
        "blackout_id": blackout.blackout_id,
        "name": blackout.window.name,
        "since": closure.since,
        "until": closure.until,
    }


def _unsaid(schedule: Schedule, closures: Closures) -> list[Closure]:
    stands_in = closures.at(schedule.due_at, schedule.waiting())
    return [each for each in stands_in if each.blackout.blackout_id not in schedule.despite]
