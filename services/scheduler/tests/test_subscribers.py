"""What takes schedules back, and what becomes of them, as other services tell it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from contracts.auth import ConnectionRevokedV2, PlatformConfirmation, RevocationReason, WorkspaceDeletedV1
from contracts.content import PostApprovalWithdrawnV1, PostDeletedV1
from contracts.event import Event
from contracts.publisher import (
    Publication,
    PublicationCancelledV1,
    PublicationFailedV1,
    PublicationNeedsAttentionV1,
    PublicationPublishedV1,
    PublicationRemovedV1,
)
from contracts.scheduler import ScheduleCancelledV1, ScheduleDueV1
from contracts.sealing import SealedRevision
from kit.clock import MovableClock
from kit.ids import new_id
from kit.testing import wait_for
from kit.testing.services import Bus

from services.scheduler.tests.conftest import Content, Member


async def wait_state(member: Member, schedule_id: str, state: str) -> dict[str, Any]:
    async def reached() -> dict[str, Any]:
        document = await member.see(schedule_id)
        return document if document["state"] == state else {}

    return await wait_for(reached, what=f"{schedule_id} {state}")


def outcomes(document: dict[str, Any]) -> dict[str, str]:
    return {target["connection_id"]: target["state"] for target in document["connections"]}


def revocation(workspace_id: UUID, connection_id: UUID, clock: MovableClock) -> ConnectionRevokedV2:
    return ConnectionRevokedV2(
        workspace_id=workspace_id,
        connection_id=connection_id,
        platform="bluesky",
        reason=RevocationReason.DISCONNECTED,
        platform_confirmation=PlatformConfirmation.CONFIRMED,
        revoked_at=clock.now(),
        erasure_id=new_id(),
    )


def told(made: dict[str, Any], member: Member, revision: SealedRevision, position: int) -> Callable[..., Any]:
    """A publication event about one connection of a schedule."""

    def event(kind: type[Publication], **fields: Any) -> Event:
        return kind(
            workspace_id=member.workspace_id,
            publication_id=new_id(),
            schedule_id=made["schedule_id"],
            post_id=revision.post_id,
            revision_id=revision.revision_id,
            connection_id=revision.variants[position].connection_id,
            platform="bluesky",
            **fields,
        )

    return event


@pytest.mark.promise("P35")
@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (
            lambda r: PostApprovalWithdrawnV1(
                workspace_id=r.workspace_id, post_id=r.post_id, revision_id=r.revision_id
            ),
            "approval_withdrawn",
        ),
        (lambda r: PostDeletedV1(workspace_id=r.workspace_id, post_id=r.post_id), "post_deleted"),
        (lambda r: WorkspaceDeletedV1(workspace_id=r.workspace_id, erasure_id=new_id()), "workspace_deleted"),
    ],
)
async def test_what_a_schedule_stands_on_is_gone(
    member: Member, content: Content, bus: Bus, tomorrow: str, clock: MovableClock, make: Any, reason: str
):
    revision = content.approve(member.workspace_id, 2)
    made = await member.scheduled(revision, at=tomorrow)
    await bus.publish(make(revision))
    cancelled = await wait_state(member, made["schedule_id"], "cancelled")
    assert cancelled["reason"] == reason
    (event,) = await bus.wait_told(ScheduleCancelledV1)
    assert (event.connection_ids, event.reason) == ((), reason)  # type: ignore[attr-defined]
    clock.advance(timedelta(days=2))
    later = await member.scheduled(content.approve(member.workspace_id))
    due = await bus.wait_told(ScheduleDueV1)
    assert [str(event.schedule_id) for event in due] == [later["schedule_id"]]  # type: ignore[attr-defined]


async def test_another_revision_and_another_post_stay(member: Member, content: Content, bus: Bus, tomorrow: str):
    revision, other = content.approve(member.workspace_id), content.approve(member.workspace_id)
    made = await member.scheduled(other, at=tomorrow)
    await bus.publish(PostDeletedV1(workspace_id=member.workspace_id, post_id=revision.post_id))
    await bus.publish(PostDeletedV1(workspace_id=new_id(), post_id=other.post_id))
    await bus.publish(
        PostApprovalWithdrawnV1(workspace_id=member.workspace_id, post_id=other.post_id, revision_id=new_id())
    )
    await wait_for(lambda: bus.settled("scheduler-content"))
    assert (await member.see(made["schedule_id"]))["state"] == "scheduled"


@pytest.mark.promise("P26")
async def test_a_revoked_connection_leaves_the_others(
    member: Member, content: Content, bus: Bus, tomorrow: str, clock: MovableClock
):
    revision = content.approve(member.workspace_id, 2)
    first, second = (variant.connection_id for variant in revision.variants)
    made = await member.scheduled(revision, at=tomorrow)
    await bus.publish(revocation(member.workspace_id, first, clock))
    (event,) = await bus.wait_told(ScheduleCancelledV1)
    assert event.connection_ids == (first,)  # type: ignore[attr-defined]
    document = await member.see(made["schedule_id"])
    assert document["state"] == "scheduled"
    assert outcomes(document) == {str(first): "cancelled", str(second): "waiting"}
    clock.advance(timedelta(days=2))
    (due,) = await bus.wait_told(ScheduleDueV1)
    assert due.connection_ids == (second,)  # type: ignore[attr-defined]
    await bus.publish(revocation(member.workspace_id, second, clock))
    await bus.wait_told(ScheduleCancelledV1, 2)
    await bus.publish(told(made, member, revision, 1)(PublicationCancelledV1, code="connection_revoked"))
    await wait_state(member, made["schedule_id"], "cancelled")


@pytest.mark.promise("P51")
@pytest.mark.parametrize(
    ("first", "second", "state"),
    [
        ("published", "published", "done"),
        ("published", "failed", "partial"),
        ("published", "cancelled", "partial"),
        ("failed", "cancelled", "failed"),
        ("failed", "needs_attention", "failed"),
        ("cancelled", "cancelled", "cancelled"),
    ],
)
async def test_a_schedule_ends_as_its_publications_do(
    member: Member, content: Content, bus: Bus, clock: MovableClock, first: str, second: str, state: str
):
    revision = content.approve(member.workspace_id, 2)
    made = await member.scheduled(revision)
    kinds: dict[str, tuple[type[Publication], dict[str, Any]]] = {
        "published": (PublicationPublishedV1, {"published_at": clock.now()}),
        "failed": (PublicationFailedV1, {"code": "no"}),
        "cancelled": (PublicationCancelledV1, {"code": "no"}),
        "needs_attention": (PublicationNeedsAttentionV1, {"code": "no"}),
    }
    for position, outcome in enumerate((first, second)):
        kind, fields = kinds[outcome]
        event = told(made, member, revision, position)(kind, **fields)
        event_id = await bus.publish(event)
        await bus.publish(event, event_id=event_id)
        if position == 0:
            await wait_for(lambda: bus.settled("scheduler-publisher"))
            assert (await member.see(made["schedule_id"]))["state"] in ("scheduled", "due")
    document = await wait_state(member, made["schedule_id"], state)
    assert list(outcomes(document).values()) == [first, second]


async def test_a_person_can_settle_later_what_needed_attention(
    member: Member, content: Content, bus: Bus, clock: MovableClock
):
    revision = content.approve(member.workspace_id)
    made = await member.scheduled(revision)
    event = told(made, member, revision, 0)
    await bus.publish(event(PublicationNeedsAttentionV1, code="undecided"))
    await wait_state(member, made["schedule_id"], "failed")
    await bus.publish(event(PublicationPublishedV1, published_at=clock.now()))
    await wait_state(member, made["schedule_id"], "done")


async def test_a_connection_shows_since_when_its_post_is_off_again_and_its_schedule_stays_done(
    member: Member, content: Content, bus: Bus, clock: MovableClock
):
    revision = content.approve(member.workspace_id)
    made = await member.scheduled(revision)
    event = told(made, member, revision, 0)
    await bus.publish(event(PublicationPublishedV1, published_at=clock.now()))
    document = await wait_state(member, made["schedule_id"], "done")
    assert document["connections"][0]["removed_at"] is None
    removed_at = clock.now() + timedelta(hours=1)
    await bus.publish(event(PublicationRemovedV1, removed_at=removed_at))
    # What comes after it takes nothing back.
    await bus.publish(event(PublicationPublishedV1, published_at=clock.now()))
    await wait_for(lambda: bus.settled("scheduler-publisher"))
    document = await member.see(made["schedule_id"])
    (target,) = document["connections"]
    assert (document["state"], target["state"]) == ("done", "published")
    assert target["removed_at"] == removed_at.isoformat().replace("+00:00", "Z")
    # What is not there any more can be said again.
    assert "warnings" not in await member.scheduled(content.copy(revision))


async def test_an_outcome_of_an_unknown_schedule_is_nothing_to_us(member: Member, content: Content, bus: Bus):
    stray = told({"schedule_id": new_id()}, member, content.approve(member.workspace_id), 0)
    await bus.publish(stray(PublicationFailedV1, code="no"))
    await wait_for(lambda: bus.settled("scheduler-publisher"))
    assert (await bus.jetstream.stream_info("DLQ")).state.messages == 0
