"""A connection gets weekly slots, and an approved revision takes the next free one of each of its connections."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID

from scheduler.domain.duplicates import Content
from scheduler.domain.queues import SHOWN, ConnectionNotFound, NoQueue, Queue, QueueFull, QueueNotFound, SlotTime
from scheduler.domain.schedule import HORIZON
from scheduler.ports import Connections, Store
from scheduler.use_cases.blackouts import closures_between
from scheduler.use_cases.create_schedule import Order, Planned, keep_schedule, ordered
from scheduler.use_cases.timing import known_zone

BATCH = 100
"""Times looked at together: two weeks of the fullest queue, a year of them in some dozen statements."""


@dataclass(frozen=True)
class ShownQueue:
    """A queue and the next times that nothing stands on."""

    queue: Queue
    free: list[SlotTime]


async def check_queue(queue: Queue, *, connections: Connections) -> None:
    """Raise `Invalid` for an unknown zone, `ConnectionNotFound`, or `Unavailable` if auth does not answer.

    Asks auth, so it is done before the unit of work is opened. A workspace so has no more queues than connections.
    """
    known_zone(queue.time_zone)
    if queue.connection_id not in await connections.of_workspace(queue.workspace_id):
        raise ConnectionNotFound()


async def replace_queue(queue: Queue, *, store: Store, now: datetime) -> ShownQueue:
    """Give a connection these slots. What stands on others stays where it is."""
    await store.keep_queue(queue)
    return ShownQueue(
        queue, await _free(queue, await store.spread(queue.workspace_id), store=store, now=now, limit=SHOWN)
    )


async def show_queue(connection_id: UUID, *, store: Store, now: datetime) -> ShownQueue:
    """Raises `QueueNotFound`."""
    queue = await store.find_queue(connection_id)
    if queue is None:
        raise QueueNotFound()
    return ShownQueue(
        queue, await _free(queue, await store.spread(queue.workspace_id), store=store, now=now, limit=SHOWN)
    )


async def enqueue(order: Order, content: Content, spread: timedelta, *, store: Store, now: datetime) -> list[Planned]:
    """Schedule at the next free slot of each connection, one schedule for each time, the earliest first.

    `spread`: free is what is in no blackout and so far from other posts of the connection, or further by the
    workspace's rule.
    Whoever wants a slot of the same connection waits until this unit of work ends. Raises `NoQueue`, `QueueFull`, and
    `DuplicateContent` if it is to.
    """
    await store.heed_blackouts(order.workspace_id)
    await store.lock_connections(order.connection_ids)
    spread = max(spread, await store.spread(order.workspace_id))
    found: dict[tuple[SlotTime, str], list[UUID]] = {}
    for connection_id in order.connection_ids:
        queue = await store.find_queue(connection_id)
        if queue is None:
            raise NoQueue(connection_id=str(connection_id))
        free = await _free(queue, spread, store=store, now=now, limit=1)
        if not free:
            raise QueueFull(connection_id=str(connection_id))
        found.setdefault((free[0], queue.time_zone), []).append(connection_id)
    schedules = [
        ordered(order, at=slot.at, time_zone=time_zone, resolved=slot.resolved, connection_ids=connection_ids, now=now)
        for (slot, time_zone), connection_ids in sorted(found.items(), key=lambda each: each[0][0].due_at)
    ]
    return [await keep_schedule(schedule, content, store=store) for schedule in schedules]


async def _free(queue: Queue, spread: timedelta, *, store: Store, now: datetime, limit: int) -> list[SlotTime]:
    last = now + HORIZON
    closures = await closures_between(queue.workspace_id, [queue.connection_id], since=now, until=last, store=store)
    times = queue.times(known_zone(queue.time_zone), after=now, last=last)
    open_times = (each for each in times if not closures.around(each.due_at))
    free: list[SlotTime] = []
    while len(free) < limit and (batch := list(islice(open_times, BATCH))):
        left = await store.free_of(queue.connection_id, [each.due_at for each in batch], spread)
        free += [each for each in batch if each.due_at in left]
    return free[:limit]
