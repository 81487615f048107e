"""A duty to forget is opened by the policy, asked of every service, and done only when all have done it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from contracts.auth import RevocationReason
from contracts.retention import ErasureCompletedV1, ErasureOverdueV1, ErasureRequestedV1, SubjectKind
from contracts.topology import erasing_services
from kit.ids import new_id
from kit.testing import wait_for

from services.retention.tests.conftest import World, account_deleted, requested, revoked, workspace_deleted


@pytest.mark.promise("P61")
@pytest.mark.parametrize("reason", [RevocationReason.DISCONNECTED, RevocationReason.PLATFORM])
async def test_a_connection_is_erased_on_day_29_and_not_before(world: World, reason: RevocationReason):
    event = revoked(world.clock.now(), reason)
    await world.bus.publish(event)
    await world.wait_state(event.erasure_id, "scheduled")
    world.clock.advance(timedelta(days=28, hours=23))
    # A workspace that is deleted now passes the same loop, which has then looked at both.
    probe = workspace_deleted()
    await world.bus.publish(probe)
    assert [told.erasure_id for told in await requested(world)] == [probe.erasure_id]
    assert await world.state(event.erasure_id) == "scheduled"
    world.clock.advance(timedelta(hours=2))
    told = (await requested(world, 2))[1]
    assert (told.erasure_id, told.subject_kind, told.subject_id) == (
        event.erasure_id,
        SubjectKind.CONNECTION,
        event.connection_id,
    )
    assert told.due_at == event.revoked_at + timedelta(days=30)
    await world.drain_requests()
    await world.answer_all(event.erasure_id)
    await world.wait_state(event.erasure_id, "final")
    report = await world.erasure(event.erasure_id)
    assert datetime.fromisoformat(report["completed_at"]) < datetime.fromisoformat(report["due_at"])


@pytest.mark.parametrize("reason", [RevocationReason.WORKSPACE_DELETED, RevocationReason.ACCOUNT_DELETED])
async def test_a_connection_that_went_with_its_owner_has_no_erasure_of_its_own(world: World, reason: RevocationReason):
    event = revoked(world.clock.now(), reason)
    await world.bus.publish(event)
    await wait_for(lambda: world.bus.settled("retention-auth"))
    assert await world.state(event.erasure_id) is None


@pytest.mark.promise("P63")
async def test_accounts_and_workspaces_are_erased_at_once(world: World):
    account, workspace = account_deleted(), workspace_deleted()
    await world.bus.publish(account)
    await world.bus.publish(workspace)
    told = {event.subject_kind: event for event in await requested(world, 2)}
    assert told[SubjectKind.ACCOUNT].subject_id == account.account_id
    assert told[SubjectKind.WORKSPACE].subject_id == workspace.workspace_id
    for event in told.values():
        left = event.due_at - world.clock.now()
        assert timedelta(days=29, hours=23) < left <= timedelta(days=30)


@pytest.mark.promise("P63")
async def test_nothing_is_done_before_every_service_has_answered(world: World):
    event = account_deleted()
    await world.bus.publish(event)
    await requested(world)
    await world.drain_requests()
    *others, last = erasing_services()
    for service in others:
        await world.answer(event.erasure_id, service)
    await world.answer(event.erasure_id, last, remaining=1)
    await wait_for(lambda: world.rows("SELECT count(*) FROM erasure_answer") == [(len(erasing_services()),)])
    other = account_deleted()
    await world.bus.publish(other)
    await requested(world, 2)
    await world.drain_requests()
    await world.answer_all(other.erasure_id)
    await world.wait_state(other.erasure_id, "final")
    report = await world.erasure(event.erasure_id)
    assert (report["state"], report["certificate"], report["completed_at"]) == ("requested", None, None)
    states = {task["service"]: task["state"] for task in report["tasks"]}
    assert states == dict.fromkeys(others, "done") | {last: "waiting", "retention": "waiting"}
    await world.answer(event.erasure_id, last)
    await world.wait_state(event.erasure_id, "final")
    told = await world.bus.wait_told(ErasureCompletedV1, 2)
    assert [(e.erasure_id, e.final) for e in told if isinstance(e, ErasureCompletedV1)] == [
        (other.erasure_id, True),
        (event.erasure_id, True),
    ]


async def test_answers_of_strangers_count_for_nothing(world: World):
    event = account_deleted()
    await world.bus.publish(event)
    await requested(world)
    await world.drain_requests()
    for number in range(len(erasing_services()) + 1):
        await world.answer(event.erasure_id, f"stranger{number}")
    await world.answer(new_id(), "auth")
    await wait_for(lambda: world.bus.settled("retention-retention"))
    assert await world.state(event.erasure_id) == "requested"


@pytest.mark.promise("P63")
async def test_operators_are_told_once_when_half_of_the_time_is_over(world: World):
    event = account_deleted()
    await world.bus.publish(event)
    await requested(world)
    for service in erasing_services()[1:]:
        await world.answer(event.erasure_id, service)
    await wait_for(lambda: world.rows("SELECT count(*) FROM erasure_answer") == [(len(erasing_services()) - 1,)])
    world.clock.advance(timedelta(days=14, hours=23))
    await world.bus.publish(account_deleted())
    await requested(world, 2)
    assert await world.bus.told(ErasureOverdueV1) == []
    world.clock.advance(timedelta(hours=2))
    overdue = (await world.bus.wait_told(ErasureOverdueV1))[0]
    assert isinstance(overdue, ErasureOverdueV1)
    assert (overdue.erasure_id, overdue.waiting_for) == (event.erasure_id, erasing_services()[:1])
    world.clock.advance(timedelta(days=15))
    # The second erasure is warned about too; the first is not told again.
    told = await world.bus.wait_told(ErasureOverdueV1, 2)
    assert [e.erasure_id for e in told if isinstance(e, ErasureOverdueV1)].count(event.erasure_id) == 1


async def test_a_repeated_event_opens_one_erasure(world: World):
    event = workspace_deleted()
    await world.bus.publish(event)
    await world.bus.publish(event)
    await wait_for(lambda: world.bus.settled("retention-auth"))
    await requested(world)
    assert len(await world.bus.told(ErasureRequestedV1)) == 1


@pytest.mark.promise("P66")
async def test_the_subject_is_forgotten_and_its_digest_stays_for_three_years(world: World):
    event = account_deleted()
    await world.bus.publish(event)
    await requested(world)
    await world.drain_requests()
    await world.drain_auth()
    await world.answer_all(event.erasure_id)
    await world.wait_state(event.erasure_id, "final")
    assert world.rows("SELECT subject_id, length(subject_digest) FROM erasure") == [(None, 64)]
    world.clock.advance(timedelta(days=3 * 365 - 1))
    assert await world.state(event.erasure_id) == "final"
    world.clock.advance(timedelta(days=2))
    await wait_for(lambda: world.rows("SELECT count(*) FROM erasure") == [(0,)])
    assert world.rows("SELECT count(*) FROM certificate") == [(0,)]
    assert world.rows("SELECT count(*) FROM erasure_answer") == [(0,)]
