"""Queues: the weekly slots of a connection, and posts that take the next free one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Annotated, Literal, get_args
from uuid import UUID

import msgspec
from contracts.access import Permission
from kit.clock import Clock
from kit.database import Scope, Units
from kit.passport import permission
from litestar import get, post, put
from litestar.params import JSONBody
from litestar.types import ControllerRouterHandler

from scheduler.api.parameters import (
    QUEUE,
    QUEUE_OF_CONNECTION,
    ConnectionIds,
    Id,
    Known,
    LateMinutes,
    SpreadMinutes,
    WhenMissed,
    ZoneName,
)
from scheduler.api.views import PlannedView
from scheduler.domain.duplicates import Content
from scheduler.domain.queues import SLOTS_MAX, Queue, Slot, SlotTime
from scheduler.domain.schedule import LATE_DEFAULT
from scheduler.ports import Connections, Revisions, Store
from scheduler.use_cases.approval import check_plan
from scheduler.use_cases.create_schedule import Order
from scheduler.use_cases.queues import ShownQueue, check_queue, enqueue, replace_queue, show_queue

Weekday = Literal["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
"""As recurrence rules name them (RFC 5545)."""

WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)


class SlotBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A time of the week. `at` is wall-clock time to the minute."""

    weekday: Weekday
    at: Annotated[str, msgspec.Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", max_length=5)]

    @classmethod
    def of(cls, slot: Slot) -> SlotBody:
        return cls(WEEKDAYS[slot.weekday], slot.at.isoformat(timespec="minutes"))

    def slot(self) -> Slot:
        return Slot(WEEKDAYS.index(self.weekday), time.fromisoformat(self.at))


class ReplaceQueue(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """All slots of the week. A slot that is named twice is one."""

    time_zone: ZoneName
    slots: Annotated[list[SlotBody], msgspec.Meta(max_length=SLOTS_MAX)]


class Enqueue(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What takes the next free slot of each of its connections."""

    post_id: UUID
    revision_id: UUID
    connection_ids: ConnectionIds
    late_minutes: LateMinutes = LATE_DEFAULT // timedelta(minutes=1)
    when_missed: WhenMissed = "hold"
    spread_minutes: SpreadMinutes = 0
    refuse_duplicates: bool = False


class FreeView(msgspec.Struct, frozen=True):
    """A time that nothing stands on: the wall clock, and the instant it means."""

    at: str
    due_at: datetime
    adjustment: str

    @classmethod
    def of(cls, slot: SlotTime) -> FreeView:
        return cls(slot.at.isoformat(timespec="seconds"), slot.due_at, slot.resolved.adjustment)


class QueueView(msgspec.Struct, frozen=True):
    connection_id: UUID
    time_zone: str
    slots: list[SlotBody]
    free: list[FreeView]

    @classmethod
    def of(cls, shown: ShownQueue) -> QueueView:
        queue = shown.queue
        slots, free = [SlotBody.of(slot) for slot in queue.slots], [FreeView.of(each) for each in shown.free]
        return cls(queue.connection_id, queue.time_zone, slots, free)


class Enqueued(msgspec.Struct, frozen=True):
    """One schedule for each time, the earliest first."""

    schedules: list[PlannedView]


def routes(
    units: Units[Store], *, revisions: Revisions, connections: Connections, clock: Clock, wake: Callable[[], None]
) -> list[ControllerRouterHandler]:
    """`wake`: called when something may be due now."""
    writes, reads = permission(Permission.SCHEDULE_WRITE), permission(Permission.POST_READ)

    @put(QUEUE_OF_CONNECTION, guards=[writes], operation_id="replaceQueue")
    async def replace(workspace_id: Id, connection_id: Id, data: JSONBody[ReplaceQueue], caller: Known) -> QueueView:
        slots = sorted({each.slot() for each in data.slots})
        queue = Queue(workspace_id, connection_id, data.time_zone, tuple(slots))
        await check_queue(queue, connections=connections)
        async with units(Scope.workspace(workspace_id, caller.account)) as store:
            return QueueView.of(await replace_queue(queue, store=store, now=clock.now()))

    @get(QUEUE_OF_CONNECTION, guards=[reads], operation_id="getQueue")
    async def show(workspace_id: Id, connection_id: Id, caller: Known) -> QueueView:
        async with units(Scope.workspace(workspace_id, caller.account)) as store:
            return QueueView.of(await show_queue(connection_id, store=store, now=clock.now()))

    @post(QUEUE, guards=[writes], operation_id="enqueuePost")
    async def add(workspace_id: Id, data: JSONBody[Enqueue], caller: Known) -> Enqueued:
        order = Order(
            workspace_id=workspace_id,
            account_id=caller.account,
            post_id=data.post_id,
            revision_id=data.revision_id,
            connection_ids=tuple(data.connection_ids),
            late=timedelta(minutes=data.late_minutes),
            when_missed=data.when_missed,
        )
        revision = await check_plan(order, reaches=caller.reaches, revisions=revisions)
        content = Content(revision.variant_hashes(), refuse_duplicates=data.refuse_duplicates)
        async with units(Scope.workspace(workspace_id, caller.account)) as store:
            spread = timedelta(minutes=data.spread_minutes)
            planned = await enqueue(order, content, spread, store=store, now=clock.now())
        wake()
        return Enqueued([PlannedView.planned(each.schedule, each.duplicates, wished=each.schedule) for each in planned])

    return [replace, show, add]
