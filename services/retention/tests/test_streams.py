"""The events about a workspace leave the bus with it: all of them, only them, and none too early."""

from __future__ import annotations

import pytest
from contracts.access import Role
from contracts.auth import MemberAddedV1, WorkspaceCreatedV1
from contracts.content import PostDeletedV1, PostSubmittedV1
from contracts.retention import ErasureRequestedV1
from contracts.topology import DEAD_LETTERS
from kit.ids import new_id
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


async def test_dead_letters_about_the_subject_go_and_others_stay(world: World):
    event, other_id = workspace_deleted(), new_id()
    for key, body in (
        (event.workspace_id, b"{}"),
        (other_id, b"{}"),
        (other_id, f'{{"subject_id":"{event.workspace_id}"}}'.encode()),
    ):
        await world.bus.jetstream.publish(
            "dlq.scheduler-content", body, headers={"signoff-subject": f"post.deleted.v1.{key}"}
        )
    await answered(world, event)
    await world.drain_auth()
    await world.wait_state(event.erasure_id, "final")
    info = await world.bus.jetstream.stream_info(DEAD_LETTERS)
    assert info.state.messages == 1
    kept = await world.bus.jetstream.get_last_msg(DEAD_LETTERS, "dlq.scheduler-content")
    assert (kept.headers or {})["signoff-subject"].endswith(str(other_id))
    assert (await world.certificate(event.erasure_id))["streams"][DEAD_LETTERS] == 2
