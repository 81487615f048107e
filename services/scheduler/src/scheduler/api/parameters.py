"""What the routes have in common: paths, ids, times as people write them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from kit.passport import Caller
from kit.problems import Invalid
from litestar.di import NamedDependency
from litestar.params import FromPath

from scheduler.domain.calendar import NoPlace, Place
from scheduler.domain.rule import RULE_CHARACTERS_MAX
from scheduler.domain.schedule import CONNECTIONS_MAX, LATE_MAX, Schedule, ScheduleNotFound
from scheduler.domain.spread import SPREAD_MAX
from scheduler.ports import Store

WORKSPACE = "/api/workspaces/{workspace_id:uuid}"
SCHEDULES = WORKSPACE + "/schedules"
SCHEDULE = SCHEDULES + "/{schedule_id:uuid}"
SERIES = WORKSPACE + "/series"
QUEUE = WORKSPACE + "/queue"
QUEUE_OF_CONNECTION = WORKSPACE + "/connections/{connection_id:uuid}/queue"
SPREAD = WORKSPACE + "/spread"
ONE_SERIES = SERIES + "/{series_id:uuid}"

Id = FromPath[UUID]
Known = NamedDependency[Caller]

ZoneName = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
WallClock = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?$", max_length=19)]
ConnectionIds = Annotated[list[UUID], msgspec.Meta(min_length=1, max_length=CONNECTIONS_MAX)]
LateMinutes = Annotated[int, msgspec.Meta(ge=1, le=LATE_MAX // timedelta(minutes=1))]
WhenMissed = Literal["hold", "drop"]
SpreadMinutes = Annotated[int, msgspec.Meta(ge=0, le=SPREAD_MAX // timedelta(minutes=1))]
WhenClose = Literal["refuse", "shift"]
RuleText = Annotated[str, msgspec.Meta(min_length=1, max_length=RULE_CHARACTERS_MAX)]


async def reached(schedule_id: UUID, caller: Caller, store: Store) -> Schedule:
    """The schedule, if every connection of it is within the caller's reach."""
    schedule = await store.find(schedule_id)
    if schedule is None or not caller.reaches(*(target.connection_id for target in schedule.targets)):
        raise ScheduleNotFound()
    return schedule


def local(text: str, pointer: str = "/at") -> datetime:
    """A wall-clock time. Raises `Invalid` for a day or time that no calendar has."""
    try:
        return datetime.fromisoformat(text)  # the pattern has ruled out an offset
    except ValueError:
        raise Invalid(errors=[{"pointer": pointer, "detail": "There is no such day or time."}]) from None


def place(parameter: str, text: str | None) -> Place | None:
    """Where a page goes on. Raises `Invalid`."""
    try:
        return None if text is None else Place.parse(text)
    except NoPlace:
        detail = "Not a place that an earlier page has told."
        raise Invalid(errors=[{"parameter": parameter, "detail": detail}]) from None
