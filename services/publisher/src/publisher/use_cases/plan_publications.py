"""A schedule has a time, or its time has come: one publication for each connection, made once."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from contracts.scheduler import ScheduleCreatedV1, ScheduleDueV1
from kit.ids import new_id
from kit.telemetry import current_traceparent

from publisher.domain.connection import ConnectionState
from publisher.domain.publication import Publication, stage_at
from publisher.domain.telling import told_by
from publisher.domain.verdicts import revoked
from publisher.domain.waiting import hold
from publisher.ports import Store
from publisher.use_cases.settle import write


async def plan_publications(event: ScheduleCreatedV1 | ScheduleDueV1, *, store: Store, now: datetime) -> None:
    """Make what is missing. Both events carry the whole plan, because either may arrive first."""
    await store.serialise(event.schedule_id)
    for connection_id in event.connection_ids:
        await _plan(event, connection_id, store=store, now=now)


async def mark_due(event: ScheduleDueV1, *, store: Store, now: datetime) -> None:
    """The time has come for every publication of the event."""
    await plan_publications(event, store=store, now=now)
    for publication in await store.lock_of_schedule(event.schedule_id):
        if publication.connection_id in event.connection_ids and publication.occurrence == event.occurrence:
            await write(publication, publication.mark_due(now, current_traceparent()), store=store)


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
        next_at=stage_at(event.due_at, now),
        created_at=now,
        trace=current_traceparent(),
    )
    reason = await store.cancellation(event.schedule_id, connection_id)
    if reason is not None:
        publication = publication.cancel(reason)
    elif connection is not None and connection.state is ConnectionState.REVOKED:
        publication = revoked(publication)
    elif connection is not None and connection.state is ConnectionState.REAUTH_REQUIRED:
        publication = replace(hold(publication, now), next_at=publication.next_at)
    told = told_by(None, publication)
    if await store.add(publication) and told is not None:
        store.emit(told)
