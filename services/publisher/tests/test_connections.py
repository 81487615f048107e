"""A connection that needs its person holds its posts; one that is gone takes them with it."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest
from contracts.auth import (
    ConnectionEstablishedV1,
    ConnectionReauthRequiredV1,
    ConnectionRevokedV2,
    PlatformConfirmation,
    RevocationReason,
    WorkspaceDeletedV1,
)
from contracts.event import Event
from kit.ids import new_id
from kit.testing import wait_for
from platforms.errors import OutcomeUnknown, ReauthorisationNeeded
from platforms.shape import Processing

from services.publisher.tests.conftest import HOUR, Plan, World, states
from services.publisher.tests.fakes import answering, raising


def established(plan: Plan) -> Event:
    return ConnectionEstablishedV1(
        workspace_id=plan.workspace_id, connection_id=plan.connection_ids[0], platform="bluesky"
    )


def reauth_required(plan: Plan) -> Event:
    return ConnectionReauthRequiredV1(
        workspace_id=plan.workspace_id, connection_id=plan.connection_ids[0], reason="expired"
    )


def revoked(world: World, plan: Plan) -> Event:
    world.auth.refusals[plan.connection_ids[0]] = "revoked"
    return ConnectionRevokedV2(
        workspace_id=plan.workspace_id,
        connection_id=plan.connection_ids[0],
        platform="bluesky",
        reason=RevocationReason.DISCONNECTED,
        platform_confirmation=PlatformConfirmation.CONFIRMED,
        revoked_at=world.clock.now(),
        erasure_id=new_id(),
    )


@pytest.mark.promise("P25")
async def test_posts_are_held_until_the_connection_works_again(world: World, client: httpx.AsyncClient):
    staged, planned = world.plan(ahead=HOUR / 12), world.plan(ahead=2 * HOUR)
    await world.tell(staged.created(), planned.created())
    await world.wait(client, staged, "staged")
    for plan in (staged, planned):
        world.auth.refusals[plan.connection_ids[0]] = "reauth_required"
        await world.tell(reauth_required(plan))
        await world.wait(client, plan, "staged", "planned", held=True, code="reauth_required")
    world.clock.advance(3 * HOUR)
    await world.tell(staged.due(), planned.due())
    await wait_for(lambda: world.bus.settled("publisher-scheduler"))
    for plan in (staged, planned):
        (publication,) = await world.wait(client, plan, "staged", "staging", held=True)
        assert "Connect" in publication["advice"]
    assert world.platform.calls["publish"] == 0
    for plan in (staged, planned):
        del world.auth.refusals[plan.connection_ids[0]]
        await world.tell(established(plan))
        await world.wait(client, plan, "published", held=False, code=None)
    assert len(world.platform.posts) == 2


@pytest.mark.promise("P25")
async def test_a_plan_for_a_connection_that_does_not_work_is_held_from_the_start(
    world: World, client: httpx.AsyncClient
):
    plan = world.plan(ahead=HOUR)
    await world.tell(established(plan), reauth_required(plan))
    await wait_for(lambda: world.bus.settled("publisher-auth"))
    await world.tell(plan.created())
    await world.wait(client, plan, "planned", held=True)


@pytest.mark.promise("P25")
async def test_a_grant_the_platform_refuses_is_told_to_auth(world: World, client: httpx.AsyncClient):
    plan = world.plan()
    world.platform.before["publish"].append(raising(ReauthorisationNeeded("InvalidToken", "the grant is dead")))
    await world.tell(plan.created(), plan.due())
    (publication,) = await world.wait(client, plan, "staging", held=True, code="reauth_required")
    await wait_for(lambda: world.auth.dead)
    assert world.auth.dead == [(plan.connection_ids[0], "InvalidToken")]
    assert publication["attempts"] == 1
    # Nobody told that it works again: it is asked for, and found out.
    del world.auth.refusals[plan.connection_ids[0]]
    world.clock.advance(timedelta(minutes=6))
    await world.wait(client, plan, "published", held=False)


async def test_a_post_is_not_held_for_ever(world: World, client: httpx.AsyncClient):
    plan = world.plan()
    world.auth.refusals[plan.connection_ids[0]] = "reauth_required"
    await world.tell(plan.due())
    await world.wait(client, plan, "staging", held=True)
    world.clock.advance(timedelta(hours=73))
    (publication,) = await world.wait(client, plan, "missed", held=False, code="reauth_required")
    assert publication["advice"]


async def test_a_grant_that_is_being_renewed_is_waited_for(world: World, client: httpx.AsyncClient):
    plan = world.plan()
    world.auth.refusals[plan.connection_ids[0]] = "refreshing"
    await world.tell(plan.due())
    await world.wait(client, plan, "staging", held=False, code=None)
    del world.auth.refusals[plan.connection_ids[0]]
    await world.wait(client, plan, "published", attempts=1)


@pytest.mark.promise("P26")
async def test_a_revoked_connection_takes_its_posts_with_it(world: World, client: httpx.AsyncClient):
    staged, planned, later = world.plan(ahead=HOUR / 12), world.plan(ahead=2 * HOUR), world.plan(ahead=HOUR)
    await world.tell(staged.created(), planned.created())
    await world.wait(client, staged, "staged")
    for plan in (staged, planned, later):
        await world.tell(revoked(world, plan))
    for plan in (staged, planned):
        await world.wait(client, plan, "cancelled", code="connection_revoked")
    await wait_for(lambda: world.bus.settled("publisher-auth"))
    await world.tell(later.created())
    await world.wait(client, later, "cancelled", code="connection_revoked")
    world.clock.advance(3 * HOUR)
    await world.tell(staged.due(), planned.due(), later.due())
    await wait_for(lambda: world.bus.settled("publisher-scheduler"))
    assert world.platform.calls == {"stage": 1}


@pytest.mark.promise("P26")
async def test_without_the_event_the_refused_lease_is_enough(world: World, client: httpx.AsyncClient):
    plan = world.plan()
    world.auth.refusals[plan.connection_ids[0]] = "revoked"
    await world.tell(plan.due())
    await world.wait(client, plan, "cancelled", code="connection_revoked")
    assert world.platform.calls == {}


async def test_what_may_be_out_when_its_connection_goes_is_for_a_person(world: World, client: httpx.AsyncClient):
    plan, lost = world.plan(), world.plan()
    world.platform.before["publish"] += [answering(Processing(60))]
    await world.tell(plan.due())
    await world.wait(client, plan, "processing")
    world.platform.before["publish"] += [raising(OutcomeUnknown("no_answer", "cut"))]
    world.auth.refusals.clear()
    world.platform.before["reconcile"] += [raising(OutcomeUnknown("no_answer", "cut"))] * 20
    await world.tell(lost.due())
    await world.wait(client, lost, "outcome_unknown")
    await world.tell(revoked(world, plan), revoked(world, lost))
    for each in (plan, lost):
        (publication,) = await world.wait(client, each, "needs_attention", code="connection_revoked")
        assert publication["advice"]


async def test_a_deleted_workspace_stops_everything(world: World, client: httpx.AsyncClient):
    plan = world.plan(2, ahead=HOUR)
    await world.tell(plan.created())
    await world.wait(client, plan, "planned")
    await world.tell(WorkspaceDeletedV1(workspace_id=world.workspace_id, erasure_id=new_id()))
    for publication in await world.wait(client, plan, "cancelled", code="workspace_deleted"):
        assert states(publication) == ["planned", "cancelled"]
