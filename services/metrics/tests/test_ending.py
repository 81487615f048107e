"""A connection or workspace that ended is measured no more, and its numbers are erased."""

from __future__ import annotations

from datetime import timedelta

import pytest
from contracts.auth import WorkspaceDeletedV1
from contracts.metrics import MetricsCollectedV1
from contracts.publisher import PublicationRemovedV1
from contracts.retention import ErasureRequestedV1, ErasureTaskDoneV1, SubjectKind
from kit.ids import new_id
from kit.testing import wait_for
from platforms.shape import Counts

from services.metrics.tests.conftest import MakePublished, World, identified, revoked


async def measured(world: World, published: MakePublished, **facts: object):
    """A publication with its first snapshot."""
    event = published(platform_post_id=f"at://{new_id()}", **facts)
    world.platform.counts[str(event.platform_post_id)] = Counts(views=1)
    await world.bus.publish(event)
    query = "SELECT count(*) FROM snapshot WHERE publication_id = %s"
    await wait_for(lambda: world.rows(query, event.publication_id)[0][0] == 1)
    return event


@pytest.mark.promise("P24")
async def test_a_revoked_connection_is_not_asked_again(world: World, published: MakePublished):
    event, other = await measured(world, published), await measured(world, published)
    await world.bus.publish(revoked(event, at=world.clock.now()))
    await wait_for(lambda: world.state(event.publication_id) == "stopped")
    asked = len(world.platform.calls)
    world.clock.advance(timedelta(hours=2))
    await world.bus.wait_told(MetricsCollectedV1, 3)
    assert [account for account, _ in world.platform.calls[asked:]] == [str(other.connection_id)]


@pytest.mark.promise("P24")
async def test_a_post_that_was_taken_off_is_not_asked_for_again(world: World, published: MakePublished):
    event, other = await measured(world, published), await measured(world, published)
    facts = event.model_dump(exclude={"published_at", "platform_post_id"})
    await world.bus.publish(PublicationRemovedV1(**facts, removed_at=world.clock.now()))
    await wait_for(lambda: world.state(event.publication_id) == "gone")
    asked = len(world.platform.calls)
    world.clock.advance(timedelta(hours=2))
    await world.bus.wait_told(MetricsCollectedV1, 3)
    assert [account for account, _ in world.platform.calls[asked:]] == [str(other.connection_id)]
    assert world.rows("SELECT count(*) FROM snapshot WHERE publication_id = %s", event.publication_id) == [(1,)]


@pytest.mark.promise("P24")
async def test_a_publication_told_after_its_connection_ended_is_never_tracked(world: World, published: MakePublished):
    event = published()
    world.platform.counts["at://post/1"] = Counts(views=1)
    await world.bus.publish(revoked(event, at=world.clock.now()))
    await wait_for(lambda: world.bus.settled("metrics-auth"))
    await world.bus.publish(event)
    await world.bus.publish(identified(event, "at://post/1"))
    await wait_for(lambda: world.bus.settled("metrics-publisher"))
    assert world.state(event.publication_id) is None
    assert world.platform.calls == []


@pytest.mark.promise("P24")
async def test_numbers_that_arrive_after_the_end_are_dropped(world: World, published: MakePublished):
    event = published()
    world.platform.counts["at://post/1"] = Counts(views=1)
    ended = revoked(event, at=world.clock.now())
    original = world.platform.insights

    async def end_meanwhile(*arguments: object):
        counts = await original(*arguments)  # type: ignore[arg-type]
        await world.bus.publish(ended)
        await wait_for(lambda: world.state(event.publication_id) == "stopped")
        return counts

    world.platform.insights = end_meanwhile  # type: ignore[assignment]
    await world.bus.publish(event)
    await wait_for(lambda: len(world.auth.returned) == 1)
    other = published(platform_post_id="at://other")
    world.platform.insights = original  # type: ignore[method-assign]
    world.platform.counts["at://other"] = Counts(views=2)
    await world.bus.publish(other)
    await wait_for(lambda: world.snapshot_count() == 1)
    assert world.rows("SELECT publication_id FROM snapshot") == [(other.publication_id,)]


async def test_a_deleted_workspace_is_not_measured(world: World, published: MakePublished):
    event, other = await measured(world, published), await measured(world, published)
    await world.bus.publish(WorkspaceDeletedV1(workspace_id=event.workspace_id, erasure_id=new_id()))
    await wait_for(lambda: world.state(event.publication_id) == "stopped")
    late = published(workspace_id=event.workspace_id)
    await world.bus.publish(late)
    await wait_for(lambda: world.bus.settled("metrics-publisher"))
    assert world.state(late.publication_id) is None
    assert world.state(other.publication_id) == "tracking"


@pytest.mark.promise("P61")
@pytest.mark.parametrize("kind", [SubjectKind.CONNECTION, SubjectKind.WORKSPACE])
async def test_an_erasure_takes_exactly_its_subjects_numbers(world: World, published: MakePublished, kind: SubjectKind):
    event, other = await measured(world, published), await measured(world, published)
    subject_id = event.connection_id if kind is SubjectKind.CONNECTION else event.workspace_id
    due_at = world.clock.now() + timedelta(days=1)
    erasure = ErasureRequestedV1(erasure_id=new_id(), subject_kind=kind, subject_id=subject_id, due_at=due_at)
    await world.bus.publish(erasure)
    answer = (await world.bus.wait_told(ErasureTaskDoneV1))[0]
    assert isinstance(answer, ErasureTaskDoneV1)
    assert answer.service == "metrics"
    assert answer.erased == {"snapshot": 1, "tracked": 1}
    assert answer.remaining == {"snapshot": 0, "tracked": 0}
    assert world.rows("SELECT DISTINCT publication_id FROM snapshot") == [(other.publication_id,)]
    assert world.rows("SELECT publication_id FROM tracked") == [(other.publication_id,)]


async def test_what_an_overtaken_event_revived_goes_when_its_workspace_ends(world: World, published: MakePublished):
    workspace_id, erasure_id = new_id(), new_id()
    due_at = world.clock.now() + timedelta(days=1)
    await world.bus.publish(
        ErasureRequestedV1(
            erasure_id=erasure_id, subject_kind=SubjectKind.WORKSPACE, subject_id=workspace_id, due_at=due_at
        )
    )
    await world.bus.wait_told(ErasureTaskDoneV1)
    event = await measured(world, published, workspace_id=workspace_id)
    await world.bus.publish(WorkspaceDeletedV1(workspace_id=workspace_id, erasure_id=erasure_id))
    await wait_for(lambda: world.state(event.publication_id) is None)
    assert world.snapshot_count() == 0


async def test_an_end_is_forgotten_once_no_event_from_before_it_can_come(world: World, published: MakePublished):
    await world.bus.publish(revoked(published(), at=world.clock.now()))
    await wait_for(lambda: world.rows("SELECT count(*) FROM ended") == [(1,)])
    world.clock.advance(timedelta(days=32))
    await wait_for(lambda: world.rows("SELECT count(*) FROM ended") == [(0,)])
