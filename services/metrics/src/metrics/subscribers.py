"""The event edge: what was published, and what has ended."""

from __future__ import annotations

from contracts.auth import ConnectionRevokedV2, WorkspaceDeletedV1
from contracts.publisher import PublicationIdentifiedV1, PublicationPublishedV1, PublicationRemovedV1
from contracts.topology import CONSUMERS
from kit.clock import Clock
from kit.database import Units
from kit.subscription import Subscription

from metrics.ports import Store
from metrics.use_cases.track import stop_removed, stop_tracking, track


def subscriptions(units: Units[Store], clock: Clock) -> list[Subscription]:
    return [_from_publisher(units, clock), _from_auth(units, clock)]


def _from_publisher(units: Units[Store], clock: Clock) -> Subscription:
    subscription = Subscription(CONSUMERS["metrics-publisher"])

    @subscription.on(PublicationPublishedV1)
    async def on_published(event: PublicationPublishedV1) -> None:
        await track(event, units.joined(), at=clock.now())

    @subscription.on(PublicationIdentifiedV1)
    async def on_identified(event: PublicationIdentifiedV1) -> None:
        await track(event, units.joined(), at=clock.now())

    @subscription.on(PublicationRemovedV1)
    async def on_removed(event: PublicationRemovedV1) -> None:
        await stop_removed(event.publication_id, units.joined())

    return subscription


def _from_auth(units: Units[Store], clock: Clock) -> Subscription:
    subscription = Subscription(CONSUMERS["metrics-auth"])

    @subscription.on(ConnectionRevokedV2)
    async def on_revoked(event: ConnectionRevokedV2) -> None:
        await stop_tracking(event.connection_id, event.erasure_id, units.joined(), at=clock.now())

    @subscription.on(WorkspaceDeletedV1)
    async def on_workspace_deleted(event: WorkspaceDeletedV1) -> None:
        await stop_tracking(event.workspace_id, event.erasure_id, units.joined(), at=clock.now())

    return subscription
