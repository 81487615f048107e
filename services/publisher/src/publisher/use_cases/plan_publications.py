"""A schedule has a time, is moved, paused, or its time has come: one publication for each connection, made once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from contracts.scheduler import (
    ScheduleChangedV1,
    ScheduleCreatedV1,
    ScheduleDueV1,
    SchedulePausedV1,
    ScheduleResumedV1,
)
from kit.ids import new_id
from kit.subscription import traceparent_of

from publisher.domain.connection import ConnectionState
from publisher.domain.publication import Publication, stage_at
from publisher.domain.telling import told_by
from publisher.domain.verdicts import revoked
from publisher.domain.waiting import hold
from publisher.ports import Change, Store
from publisher.use_cases.settle import write

_Key = tuple[UUID, UUID, int]

E = TypeVar("E", bound=ScheduleChangedV1 | SchedulePausedV1 | ScheduleResumedV1)


async def plan_publications(event: ScheduleCreatedV1 | ScheduleDueV1, *, store: Store, now: datetime) -> None:
    """Make what is missing. Both events carry the whole plan, because either may arrive first."""
    await store.serialise(event.schedule_id)
    for connection_id in event.connection_ids:
        await _plan(event, connection_id, store=store, now=now)


async def move_publications(
    events: Sequence[ScheduleChangedV1 | ScheduleResumedV1], *, store: Store, now: datetime
) -> None:
    """Give what is planned its new time, as far as the old one had not come. What was paused goes on with it."""
    await _change(
        events,
        lambda row, event: row.move(event.due_at, event.publish_until, event.when_missed, now),
        store=store,
    )


async def pause_publications(events: Sequence[SchedulePausedV1], *, store: Store) -> None:
    """Put aside what is not out yet, whether its time has come or not."""
    await _change(events, lambda row, _: row.pause(), store=store)


async def _change(events: Sequence[E], change: Callable[[Publication, E], Publication], *, store: Store) -> None:
    """Apply to every publication what was told of its schedule's occurrence, in the order in which it was told."""
    told: dict[tuple[UUID, int], list[E]] = {}
    for event in events:
        told.setdefault((event.schedule_id, event.occurrence), []).append(event)
    changes: list[Change] = []
    for row in await store.lock_of_schedules({event.schedule_id for event in events}):
        after = row
        for event in told.get((row.schedule_id, row.occurrence), ()):
            after = change(after, event)
        changes.append((row, after))
    await write(changes, store=store)


async def mark_due(events: Sequence[ScheduleDueV1], *, store: Store, now: datetime) -> None:
    """The time has come for every publication of these events."""
    found = await _of(events, store=store)
    unplanned = [event for event in events if any(key not in found for key in _keys(event))]
    for event in unplanned:
        await plan_publications(event, store=store, now=now)
    if unplanned:
        found |= await _of(unplanned, store=store)
    changes = [
        (found[key], found[key].mark_due(now, traceparent_of(event))) for event in events for key in set(_keys(event))
    ]
    await write(changes, store=store)


async def _of(events: Iterable[ScheduleDueV1], *, store: Store) -> dict[_Key, Publication]:
    rows = await store.lock_of_schedules([event.schedule_id for event in events])
    return {(row.schedule_id, row.connection_id, row.occurrence): row for row in rows}


def _keys(event: ScheduleDueV1) -> list[_Key]:
    return [(event.schedule_id, connection_id, event.occurrence) for connection_id in event.connection_ids]


async def _plan(event: ScheduleCreatedV1 | ScheduleDueV1, connection_id: UUID, *, store: Store, now: datetime) -> None:
    connection = await store.connection(connection_id)
    publication = Publication(
        publication_id=new_id(),
        workspace_id=event.workspace_id,
        schedule_id=event.schedule_id,
        occurrence=event.occurrence,
        post_id=event.post_id,
        revision_id=event.revision_id,
        connection_id=connection_id,
        platform=connection.platform if connection else None,
        due_at=event.due_at,
        publish_until=event.publish_until,
        when_missed=event.when_missed,
        next_at=stage_at(event.due_at, now),
        created_at=now,
        trace=traceparent_of(event),
    )
    reason = await store.cancellation(event.schedule_id, event.occurrence, connection_id)
    if reason is not None:
        publication = publication.cancel(reason)
    elif connection is not None and connection.state is ConnectionState.REVOKED:
        publication = revoked(publication)
    elif connection is not None and connection.state is ConnectionState.REAUTH_REQUIRED:
        publication = replace(hold(publication, now), next_at=publication.next_at)
    told = told_by(None, publication)
    if await store.add(publication) and told is not None:
        store.emit(told)
