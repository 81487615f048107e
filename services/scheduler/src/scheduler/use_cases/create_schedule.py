"""A person gives an approved revision a time and connections."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from contracts.scheduler import WHEN_MISSED_HOLD, ScheduleCreatedV1
from kit.clock import Clock
from kit.ids import new_id
from kit.telemetry import current_traceparent

from scheduler.domain.duplicates import Content, Duplicate, DuplicateContent
from scheduler.domain.schedule import (
    LATE_DEFAULT,
    Schedule,
    ScheduleState,
    Target,
)
from scheduler.domain.spread import Spacing
from scheduler.domain.wall_clock import Adjustment, Resolved
from scheduler.domain.zones import shipped
from scheduler.ports import Revisions, Store
from scheduler.use_cases.approval import check_plan
from scheduler.use_cases.spread import find_room
from scheduler.use_cases.timing import instant, known_zone


@dataclass(frozen=True, kw_only=True)
class Order:
    """What a person wants to go out, whenever that is.

    `late`: how long after its time a post may still go out; `when_missed`: what becomes of it then.
    """

    workspace_id: UUID
    account_id: UUID
    post_id: UUID
    revision_id: UUID
    connection_ids: tuple[UUID, ...]
    late: timedelta = LATE_DEFAULT
    when_missed: str = WHEN_MISSED_HOLD


@dataclass(frozen=True, kw_only=True)
class Wish(Order):
    """An order for a time. `at` is naive local time in `time_zone`; None means now."""

    at: datetime | None
    time_zone: str


@dataclass(frozen=True)
class Planned:
    """A schedule that was kept, and what has the same content near it."""

    schedule: Schedule
    duplicates: list[Duplicate]


async def check_wish(
    wish: Wish, *, reaches: Callable[[UUID], bool], revisions: Revisions, clock: Clock
) -> tuple[Schedule, Mapping[UUID, str]]:
    """The schedule that a wish makes, and what each connection gets, as a hash.

    Raises the problem to tell the person. `reaches`: which connections are there. Asks content, so it is done before
    the unit of work is opened.
    """
    at, resolved = _time(wish, clock.now())
    revision = await check_plan(wish, reaches=reaches, revisions=revisions)
    schedule = ordered(
        wish,
        at=at,
        time_zone=wish.time_zone,
        resolved=resolved,
        connection_ids=wish.connection_ids,
        now=clock.now(),
    )
    return schedule, revision.variant_hashes()


def ordered(
    order: Order, *, at: datetime, time_zone: str, resolved: Resolved, connection_ids: Sequence[UUID], now: datetime
) -> Schedule:
    """The schedule that carries out an order, or the part of it that is for these connections."""
    return Schedule(
        schedule_id=new_id(),
        workspace_id=order.workspace_id,
        post_id=order.post_id,
        revision_id=order.revision_id,
        at=at,
        time_zone=time_zone,
        adjustment=resolved.adjustment,
        due_at=resolved.due_at,
        state=ScheduleState.SCHEDULED,
        reason=None,
        created_by=order.account_id,
        created_at=now,
        targets=tuple(Target(connection_id) for connection_id in connection_ids),
        trace=current_traceparent(),
        publish_until=resolved.due_at + order.late,
        when_missed=order.when_missed,
        zone_version=shipped().version,
    )


async def create_schedule(
    schedule: Schedule, content: Content, spacing: Spacing, *, despite_blackouts: bool, store: Store, now: datetime
) -> Planned:
    """Keep the schedule and tell it, at another time if that was asked for.

    Raises `InBlackout`, `TooClose`, `DuplicateContent`.
    """
    schedule = await find_room(schedule, spacing, despite_blackouts=despite_blackouts, store=store, now=now)
    return await keep_schedule(schedule, content, store=store)


async def keep_schedule(schedule: Schedule, content: Content, *, store: Store) -> Planned:
    """Keep the schedule and tell it. Raises `DuplicateContent`."""
    if content.refuse_duplicates:
        await store.lock_connections(schedule.waiting())
    duplicates = await store.duplicates(schedule, content.hashes)
    if duplicates and content.refuse_duplicates:
        raise DuplicateContent(duplicates=duplicates)
    await store.add([schedule])
    await store.keep_content([schedule], content.hashes)
    store.emit(created(schedule))
    return Planned(schedule, duplicates)


def created(schedule: Schedule) -> ScheduleCreatedV1:
    """What tells the publisher the whole plan."""
    return ScheduleCreatedV1(
        workspace_id=schedule.workspace_id,
        schedule_id=schedule.schedule_id,
        occurrence=schedule.occurrence,
        post_id=schedule.post_id,
        revision_id=schedule.revision_id,
        connection_ids=schedule.waiting(),
        due_at=schedule.due_at,
        publish_until=schedule.publish_until,
        when_missed=schedule.when_missed,
    )


def _time(wish: Wish, now: datetime) -> tuple[datetime, Resolved]:
    in_zone = known_zone(wish.time_zone)
    if wish.at is None:
        return now.astimezone(in_zone).replace(tzinfo=None), Resolved(now, Adjustment.NONE)
    return wish.at, instant(wish.at, in_zone, now=now)
