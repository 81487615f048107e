"""The server is made to hold what the contracts say; whoever only looks is told each difference."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest
from contracts import topology
from contracts.content import PostApprovedV1, PostDeletedV1
from contracts.topology import CONSUMERS, STREAMS
from kit.broker import consumer_config
from kit.ids import new_id
from kit.testing.services import Bus
from kit.topology import Change, Drift, check, reconcile, stream_config
from nats.js.api import RetentionPolicy, StorageType

WATCHED = CONSUMERS["scheduler-content"]


async def test_everything_is_made_and_the_second_time_nothing_is_left_to_do(bus: Bus):
    for name in STREAMS:
        await bus.jetstream.delete_stream(name)
    made = await reconcile(bus.jetstream)
    assert {change.what for change in made} == {f"stream {s}" for s in STREAMS} | {f"consumer {c}" for c in CONSUMERS}
    assert {change.action for change in made} == {"created"}
    assert await reconcile(bus.jetstream) == []
    await check(bus.jetstream, CONSUMERS.values())


@pytest.mark.parametrize("name", sorted(STREAMS))
async def test_a_stream_keeps_events_on_disk_for_thirty_days_and_can_be_purged(bus: Bus, name: str):
    config = (await bus.jetstream.stream_info(name)).config
    assert config.max_age == timedelta(days=30).total_seconds()
    assert (config.storage, config.retention) == (StorageType.FILE, RetentionPolicy.LIMITS)
    assert not config.deny_purge
    assert set(config.subjects or ()) == set(STREAMS[name].subjects)


async def test_a_changed_stream_is_put_right_and_keeps_its_events(bus: Bus):
    await bus.publish(PostDeletedV1(workspace_id=new_id(), post_id=new_id()))
    config = stream_config(STREAMS["CONTENT"], replicas=1)
    config.max_age = 3600
    config.subjects = ["post.>"]
    await bus.jetstream.update_stream(config)
    assert await reconcile(bus.jetstream) == [Change("stream CONTENT", "updated")]
    info = await bus.jetstream.stream_info("CONTENT")
    assert info.config.max_age == topology.STREAM_MAX_AGE.total_seconds()
    assert set(info.config.subjects or ()) == {"post.>", "media.>"}
    assert info.state.messages == 1


async def test_a_workspace_can_be_purged_from_a_stream_alone(bus: Bus):
    gone, kept = new_id(), new_id()
    for workspace in (gone, kept, gone):
        await bus.publish(PostDeletedV1(workspace_id=workspace, post_id=new_id()))
    await bus.jetstream.purge_stream("CONTENT", subject=f"*.*.*.{gone}")
    assert [event.key() for event in await bus.told(PostDeletedV1)] == [kept]


async def drift(bus: Bus, **changes: object) -> None:
    """Make the server's consumer differ, as one that an older release made does."""
    config = consumer_config(WATCHED)
    for field, value in changes.items():
        setattr(config, field, value)
    await bus.jetstream.add_consumer(WATCHED.stream, config)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"ack_wait": 5.0}, "ack_wait"),
        ({"max_ack_pending": 7}, "max_ack_pending"),
        ({"max_deliver": 3}, "max_deliver"),
        ({"filter_subjects": ["post.deleted.v1.*"]}, "filter_subjects"),
        ({"filter_subjects": ["post.deleted.v1.*", "media.uploaded.v1.*"]}, "filter_subjects"),
    ],
)
async def test_a_differing_consumer_is_named_and_put_right(bus: Bus, changes: dict[str, object], named: str):
    await drift(bus, **changes)
    with pytest.raises(Drift, match=rf"^scheduler-content: {named}\. Run: signoff topology apply$"):
        await check(bus.jetstream, [WATCHED, CONSUMERS["scheduler-auth"]])
    assert await reconcile(bus.jetstream) == [Change("consumer scheduler-content", "updated")]
    await check(bus.jetstream, [WATCHED])


async def test_a_consumer_that_is_put_right_goes_on_where_it_was(bus: Bus):
    for _ in range(3):
        await bus.publish(PostDeletedV1(workspace_id=new_id(), post_id=new_id()))
    subscription = await bus.jetstream.pull_subscribe_bind(WATCHED.name, WATCHED.stream)
    for message in await subscription.fetch(2, timeout=5):
        await message.ack_sync()
    await drift(bus, ack_wait=5.0)
    await reconcile(bus.jetstream)
    assert (await bus.jetstream.consumer_info(WATCHED.stream, WATCHED.name)).num_pending == 1


async def test_a_missing_consumer_is_named_and_looking_makes_none(bus: Bus):
    await bus.jetstream.delete_consumer(WATCHED.stream, WATCHED.name)
    for _ in range(2):
        with pytest.raises(Drift, match="scheduler-content is missing"):
            await check(bus.jetstream, [WATCHED])


async def test_all_differences_are_told_at_once(bus: Bus):
    await drift(bus, ack_wait=5.0)
    await bus.jetstream.delete_consumer("AUTH", "scheduler-auth")
    with pytest.raises(Drift) as caught:
        await check(bus.jetstream, topology.consumers_of("scheduler"))
    assert "scheduler-content: ack_wait" in str(caught.value)
    assert "scheduler-auth is missing" in str(caught.value)


async def test_a_consumer_hears_the_events_it_lists_and_no_other(bus: Bus):
    workspace = new_id()
    await bus.publish(
        PostApprovedV1(workspace_id=workspace, post_id=new_id(), revision_id=new_id(), content_hash="0" * 64)
    )
    await bus.publish(PostDeletedV1(workspace_id=workspace, post_id=new_id()))
    info = await bus.jetstream.consumer_info(WATCHED.stream, WATCHED.name)
    assert PostApprovedV1 not in WATCHED.events
    assert info.num_pending == 1


def test_a_consumer_waits_as_long_as_the_contracts_say():
    patient = dataclasses.replace(WATCHED, ack_wait=timedelta(minutes=2))
    assert consumer_config(patient).ack_wait == 120
    assert consumer_config(patient).max_deliver == -1, "the server would drop events in silence"
