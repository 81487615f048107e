"""The event edge: what takes schedules back, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from contracts.auth import ConnectionRevokedV2, WorkspaceDeletedV1
from contracts.content import PostApprovalWithdrawnV1, PostDeletedV1
from contracts.publisher import (
    Publication,
    PublicationCancelledV1,
    PublicationFailedV1,
    PublicationMissedV1,
    PublicationNeedsAttentionV1,
    PublicationPublishedV1,
    PublicationRemovedV1,
)
from contracts.topology import CONSUMERS
from kit.database import Units
from kit.subscription import Subscription

from scheduler.domain.schedule import Target, TargetState
from scheduler.ports import Store
from scheduler.use_cases.cancel_schedules import cancel_open
from scheduler.use_cases.end_series import end_series
from scheduler.use_cases.record_outcomes import record_outcomes


def subscriptions(units: Units[Store]) -> list[Subscription]:
    return [_auth(units), _content(units), _publisher(units)]


def _auth(units: Units[Store]) -> Subscription:
    subscription = Subscription(CONSUMERS["scheduler-auth"])

    @subscription.on(ConnectionRevokedV2)
    async def on_revoked(event: ConnectionRevokedV2) -> None:
        store = units.joined()
        await end_series(event.workspace_id, "connection_revoked", store=store, connection_id=event.connection_id)
        schedules = await store.lock_open(event.workspace_id, connection_id=event.connection_id)
        await cancel_open(schedules, "connection_revoked", store=store, connection_id=event.connection_id)

    @subscription.on(WorkspaceDeletedV1)
    async def on_workspace_deleted(event: WorkspaceDeletedV1) -> None:
        store = units.joined()
        await end_series(event.workspace_id, "workspace_deleted", store=store)
        await cancel_open(await store.lock_open(event.workspace_id), "workspace_deleted", store=store)

    return subscription


def _content(units: Units[Store]) -> Subscription:
    subscription = Subscription(CONSUMERS["scheduler-content"])

    @subscription.on(PostApprovalWithdrawnV1)
    async def on_withdrawn(event: PostApprovalWithdrawnV1) -> None:
        store = units.joined()
        await end_series(event.workspace_id, "approval_withdrawn", store=store, revision_id=event.revision_id)
        schedules = await store.lock_open(event.workspace_id, revision_id=event.revision_id)
        await cancel_open(schedules, "approval_withdrawn", store=store)

    @subscription.on(PostDeletedV1)
    async def on_deleted(event: PostDeletedV1) -> None:
        store = units.joined()
        await end_series(event.workspace_id, "post_deleted", store=store, post_id=event.post_id)
        await store.forget_series_content(event.workspace_id, event.post_id)
        await store.hold_post(event.workspace_id, event.post_id)
        await cancel_open(await store.lock_open(event.workspace_id, post_id=event.post_id), "post_deleted", store=store)
        await store.forget_content(event.workspace_id, event.post_id)

    return subscription


def _publisher(units: Units[Store]) -> Subscription:
    subscription = Subscription(CONSUMERS["scheduler-publisher"])

    async def record(events: Sequence[Publication]) -> None:
        outcomes = [(event.schedule_id, _outcome(event)) for event in events]
        await record_outcomes(outcomes, store=units.joined())

    for event in _STATES:
        subscription.on_batch(event)(record)
    return subscription


_STATES: Mapping[type[Publication], TargetState] = {
    PublicationPublishedV1: TargetState.PUBLISHED,
    PublicationFailedV1: TargetState.FAILED,
    PublicationNeedsAttentionV1: TargetState.NEEDS_ATTENTION,
    PublicationMissedV1: TargetState.MISSED,
    PublicationCancelledV1: TargetState.CANCELLED,
    PublicationRemovedV1: TargetState.PUBLISHED,
}


def _outcome(event: Publication) -> Target:
    return Target(
        event.connection_id,
        _STATES[type(event)],
        getattr(event, "code", None),
        event.publication_id,
        event.removed_at if isinstance(event, PublicationRemovedV1) else None,
    )
