"""The events about a workspace leave the bus with it: all of them, only them, and none too early."""

from __future__ import annotations

import pytest
from contracts.access import Role
from contracts.auth import MemberAddedV1, WorkspaceCreatedV1
from contracts.content import PostDeletedV1, PostSubmittedV1
from contracts.event import Event
from contracts.retention import ErasureRequestedV1
from contracts.topology import CONSUMERS, DEAD_LETTERS
from kit import codec, dead_letters
from kit.ids import new_id
from kit.replays import DeadLetters
from kit.testing import wait_for

from services.retention.tests.conftest import World, requested, workspace_deleted


async def left(world: World, stream: str, key: object) -> int:
    info = await world.bus.jetstream.stream_info(stream, subjects_filter=f"*.*.*.{key}")
    return sum((info.state.subjects or {}).values())


async def answered(world: World, event) -> None:
    await world.bus.publish(event)
    await requested(world)
    await world.drain_requests()
    await world.answer_all(event.erasure_id)


@pytest.mark.promise("P63")
async def test_the_workspaces_events_are_purged_and_no_others(world: World):
    event, other_id = workspace_deleted(), new_id()
    for workspace_id in (event.workspace_id, other_id):
        await world.bus.publish(WorkspaceCreatedV1(workspace_id=workspace_id, account_id=new_id()))
        await world.bus.publish(MemberAddedV1(workspace_id=workspace_id, account_id=new_id(), role=Role.EDITOR))
        submitted = PostSubmittedV1(workspace_id=workspace_id, post_id=new_id(), revision_id=new_id())
        await world.bus.publish(submitted)
    await answered(world, event)
    await world.drain_auth()
    await world.wait_state(event.erasure_id, "final")
    assert [await left(world, stream, event.workspace_id) for stream in ("AUTH", "CONTENT")] == [0, 0]
    assert [await left(world, stream, other_id) for stream in ("AUTH", "CONTENT")] == [2, 1]
    streams = (await world.certificate(event.erasure_id))["streams"]
    assert (streams["AUTH"], streams["CONTENT"], streams["PUBLISHER"]) == (3, 1, 0)


async def test_our_own_request_that_names_the_subject_is_purged_too(world: World):
    event = workspace_deleted()
    await answered(world, event)
    await world.drain_auth()
    await world.wait_state(event.erasure_id, "final")
    assert await world.bus.told(ErasureRequestedV1) == []


@pytest.mark.promise("P63")
async def test_events_that_somebody_has_not_handled_are_not_purged(world: World):
    event = workspace_deleted()
    pending = PostDeletedV1(workspace_id=event.workspace_id, post_id=new_id())
    await world.bus.publish(pending)
    await answered(world, event)
    await world.drain_auth()
    # The loop has tried and put it off.
    await wait_for(lambda: world.rows("SELECT next_try_at > execute_at FROM erasure") == [(True,)])
    assert await world.state(event.erasure_id) == "requested"
    assert await world.bus.told(PostDeletedV1) == [pending]
    await world.drain("scheduler-content", "CONTENT")
    await world.wait_state(event.erasure_id, "final")
    assert await world.bus.told(PostDeletedV1) == []
    assert (await world.certificate(event.erasure_id))["streams"]["CONTENT"] == 1


async def test_a_lagging_consumer_of_others_does_not_hold_an_erasure_up(world: World):
    event = workspace_deleted()
    await world.bus.publish(PostDeletedV1(workspace_id=event.workspace_id, post_id=new_id()))
    await world.drain("scheduler-content", "CONTENT")
    others = PostDeletedV1(workspace_id=new_id(), post_id=new_id())
    await world.bus.publish(others)
    await answered(world, event)
    await world.drain_auth()
    await world.wait_state(event.erasure_id, "final")
    assert await world.bus.told(PostDeletedV1) == [others]


@pytest.mark.promise("P63")
async def test_dead_letters_about_the_subject_or_that_name_it_go_and_others_stay(world: World):
    event, other_id = workspace_deleted(), new_id()
    about = PostDeletedV1(workspace_id=event.workspace_id, post_id=new_id())
    naming = MemberAddedV1(workspace_id=other_id, account_id=event.workspace_id, role=Role.EDITOR)
    other = PostDeletedV1(workspace_id=other_id, post_id=new_id())
    for parked in (about, naming, other):
        await park(world, "scheduler-content", parked)
    await answered(world, event)
    await world.drain_auth()
    await world.wait_state(event.erasure_id, "final")
    info = await world.bus.jetstream.stream_info(DEAD_LETTERS, subjects_filter="dlq.>")
    assert info.state.subjects == {f"dlq.scheduler-content.{other_id}": 1}
    kept = await world.bus.jetstream.get_last_msg(DEAD_LETTERS, f"dlq.scheduler-content.{other_id}")
    assert kept.data == codec.encode(other)
    assert (await world.certificate(event.erasure_id))["streams"][DEAD_LETTERS] == 2


@pytest.mark.promise("P63")
async def test_replays_about_the_subject_go_once_they_were_heard_and_others_stay(world: World):
    event, other_id = workspace_deleted(), new_id()
    for workspace_id in (event.workspace_id, other_id):
        await park(world, "scheduler-content", PostDeletedV1(workspace_id=workspace_id, post_id=new_id()))
    letters = DeadLetters(world.bus.client)
    async for page in letters.pages():
        assert await letters.replay(page) == {}
    await answered(world, event)
    await world.drain_auth()
    await wait_for(lambda: world.rows("SELECT next_try_at > execute_at FROM erasure") == [(True,)])
    assert await left(world, "CONTENT", event.workspace_id) == 1
    await world.drain("scheduler-content", "CONTENT")
    await world.wait_state(event.erasure_id, "final")
    assert await left(world, "CONTENT", event.workspace_id) == 0
    assert await left(world, "CONTENT", other_id) == 1
    assert (await world.certificate(event.erasure_id))["streams"]["CONTENT"] == 1


async def test_a_replay_of_our_own_request_is_purged_too(world: World):
    event = workspace_deleted()
    await world.bus.publish(event)
    (request,) = await requested(world)
    await park(world, "metrics-retention", request)
    letters = DeadLetters(world.bus.client)
    async for page in letters.pages():
        assert await letters.replay(page) == {}
    await world.drain_requests()
    await world.answer_all(event.erasure_id)
    await world.drain_auth()
    await world.wait_state(event.erasure_id, "final")
    info = await world.bus.jetstream.stream_info("RETENTION", subjects_filter="replay.>")
    assert not info.state.subjects


async def park(world: World, consumer: str, event: Event) -> None:
    """Give up on an event as a consumer does."""
    await dead_letters.park(
        world.bus.jetstream,
        consumer=CONSUMERS[consumer],
        subject=event.subject(),
        headers=codec.headers_of(event, new_id(), source="test", at=world.clock.now()),
        body=codec.encode(event),
        # The stream knows ids that other tests have parked for two minutes.
        sequence=new_id().int,
        attempts=11,
        reason="exhausted",
        error=RuntimeError(),
    )
