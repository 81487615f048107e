"""The event edge: plans and cancellations of scheduler, connections of auth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

from contracts.auth import (
    ConnectionEstablishedV1,
    ConnectionReauthRequiredV1,
    ConnectionRevokedV2,
    WorkspaceDeletedV1,
)
from contracts.scheduler import (
    ScheduleCancelledV1,
    ScheduleChangedV1,
    ScheduleCreatedV1,
    ScheduleDueV1,
    SchedulePausedV1,
    ScheduleResumedV1,
)
from contracts.topology import CONSUMERS
from kit.clock import Clock
from kit.database import Units
from kit.subscription import Subscription

from publisher.domain.connection import Connection, ConnectionState
from publisher.ports import Store
from publisher.use_cases.cancel_publications import cancel_of_schedule, cancel_of_workspace
from publisher.use_cases.follow_connection import follow_connection
from publisher.use_cases.plan_publications import mark_due, move_publications, pause_publications, plan_publications


def subscriptions(
    units: Units[Store], clock: Clock, *, wake: Callable[[], None], forget: Callable[[UUID], None]
) -> list[Subscription]:
    """`wake`: called when there is something to do at once. `forget`: called with a connection whose grant changed."""
    return [_scheduler(units, clock, wake), _auth(units, clock, forget)]


def _scheduler(units: Units[Store], clock: Clock, wake: Callable[[], None]) -> Subscription:
    subscription = Subscription(CONSUMERS["publisher-scheduler"])

    @subscription.on(ScheduleCreatedV1)
    async def on_created(event: ScheduleCreatedV1) -> None:
        await plan_publications(event, store=units.joined(), now=clock.now())

    @subscription.on_batch(ScheduleChangedV1)
    async def on_changed(events: Sequence[ScheduleChangedV1]) -> None:
        await move_publications(events, store=units.joined(), now=clock.now())

    # A whole workspace may be stopped at once: what is due is to hear of it within moments.
    @subscription.on_batch(SchedulePausedV1)
    async def on_paused(events: Sequence[SchedulePausedV1]) -> None:
        await pause_publications(events, store=units.joined())

    @subscription.on_batch(ScheduleResumedV1)
    async def on_resumed(events: Sequence[ScheduleResumedV1]) -> None:
        await move_publications(events, store=units.joined(), now=clock.now())

    @subscription.on_batch(ScheduleDueV1)
    async def on_due(events: Sequence[ScheduleDueV1]) -> None:
        store = units.joined()
        await mark_due(events, store=store, now=clock.now())
        store.when_committed(wake)

    @subscription.on(ScheduleCancelledV1)
    async def on_cancelled(event: ScheduleCancelledV1) -> None:
        await cancel_of_schedule(event, store=units.joined())

    return subscription


def _auth(units: Units[Store], clock: Clock, forget: Callable[[UUID], None]) -> Subscription:
    subscription = Subscription(CONSUMERS["publisher-auth"])

    async def follow(connection: Connection) -> None:
        forget(connection.connection_id)
        await follow_connection(connection, store=units.joined(), now=clock.now())

    @subscription.on(ConnectionEstablishedV1)
    async def on_established(event: ConnectionEstablishedV1) -> None:
        connection = Connection(event.connection_id, event.workspace_id, event.platform, ConnectionState.ACTIVE)
        await follow(connection)

    @subscription.on(ConnectionReauthRequiredV1)
    async def on_reauth_required(event: ConnectionReauthRequiredV1) -> None:
        connection = Connection(event.connection_id, event.workspace_id, None, ConnectionState.REAUTH_REQUIRED)
        await follow(connection)

    @subscription.on(ConnectionRevokedV2)
    async def on_revoked(event: ConnectionRevokedV2) -> None:
        connection = Connection(event.connection_id, event.workspace_id, event.platform, ConnectionState.REVOKED)
        await follow(connection)

    @subscription.on(WorkspaceDeletedV1)
    async def on_workspace_deleted(event: WorkspaceDeletedV1) -> None:
        await cancel_of_workspace(event.workspace_id, store=units.joined())

    return subscription
