"""The server is made to hold what the contracts say; whoever only looks is told each difference."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest
from contracts import topology
from contracts.content import PostApprovedV1, PostDeletedV1
from contracts.topology import CONSUMERS, STREAMS
from kit.differences import Difference, Kind
from kit.ids import new_id
from kit.settings import Environment, SettingError
from kit.streams import OWNER, TopologySettings, consumer_config, stream_config
from kit.testing.services import Bus
from kit.topology import Drift, Refused, check, differences, obsolete, reconcile
from nats.js.api import AckPolicy, ConsumerConfig, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import NotFoundError

WATCHED = CONSUMERS["scheduler-content"]


async def test_everything_is_made_and_the_second_time_nothing_is_left_to_do(bus: Bus):
    for name in STREAMS:
        await bus.jetstream.delete_stream(name)
    assert len(await differences(bus.jetstream)) == len(STREAMS) + len(CONSUMERS)
    made = await reconcile(bus.jetstream)
    assert {each.what for each in made} == {f"stream {s}" for s in STREAMS} | {f"consumer {c}" for c in CONSUMERS}
    assert {each.kind for each in made} == {Kind.MISSING}
    assert await differences(bus.jetstream) == []
    assert await reconcile(bus.jetstream) == []
    await check(bus.jetstream, CONSUMERS.values())


@pytest.mark.parametrize("name", sorted(STREAMS))
async def test_a_stream_keeps_events_on_disk_for_thirty_days_and_can_be_purged(bus: Bus, name: str):
    config = (await bus.jetstream.stream_info(name)).config
    assert config.max_age == timedelta(days=30).total_seconds()
    assert (config.storage, config.retention) == (StorageType.FILE, RetentionPolicy.LIMITS)
    assert not config.deny_purge
    assert config.allow_msg_ttl, "a replay is needed for minutes"
    assert set(config.subjects or ()) == set(STREAMS[name].subjects)


CHANGES: list[tuple[dict[str, Any], str]] = [
    ({"max_age": 3600.0}, "max_age 3600 s → 2592000 s"),
    ({"subjects": ["post.>"]}, "subjects post.> → media.>, post.>, replay.content.>"),
    ({"max_msgs": 5}, "max_msgs 5 → -1"),
    ({"max_bytes": 1 << 20}, "max_bytes 1048576 → -1"),
    ({"max_msg_size": 1024}, "max_msg_size 1024 → 262144"),
    ({"max_msgs_per_subject": 1}, "max_msgs_per_subject 1 → -1"),
    ({"discard": "new"}, "discard new → old"),
    ({"retention": "interest"}, "retention interest → limits"),
    ({"duplicate_window": 1.0}, "duplicate_window 1 s → 120 s"),
    ({"no_ack": True}, "no_ack true → none"),
    ({"allow_direct": False}, "allow_direct none → true"),
    ({"metadata": {}}, f"metadata {OWNER}=nobody → {OWNER}=content"),
]


@pytest.mark.parametrize(("changes", "told"), CHANGES, ids=[told.split()[0] for _, told in CHANGES])
async def test_a_changed_stream_is_told_put_right_and_keeps_its_events(bus: Bus, changes: dict[str, Any], told: str):
    await bus.publish(PostDeletedV1(workspace_id=new_id(), post_id=new_id()))
    config = (await bus.jetstream.stream_info("CONTENT")).config
    await bus.jetstream.update_stream(config.evolve(**changes))
    assert [str(each) for each in await differences(bus.jetstream)] == [f"stream CONTENT: {told}"]
    assert [str(each) for each in await reconcile(bus.jetstream)] == [f"stream CONTENT: {told}"]
    assert await differences(bus.jetstream) == []
    assert (await bus.jetstream.stream_info("CONTENT")).state.messages == 1


async def test_a_stream_of_before_replays_learns_what_they_need(bus: Bus):
    await bus.jetstream.delete_stream("METRICS")
    await bus.jetstream.add_stream(StreamConfig(name="METRICS", subjects=["metrics.>"], max_age=100.0))
    fields = {each.field for each in await reconcile(bus.jetstream) if each.what == "stream METRICS"}
    assert {"allow_msg_ttl", "subjects", "max_age", "metadata"} <= fields
    assert await differences(bus.jetstream) == []


async def test_what_an_operator_has_set_besides_is_kept(bus: Bus):
    config = (await bus.jetstream.stream_info("CONTENT")).config
    theirs: dict[str, Any] = {"description": "theirs", "compression": "s2", "metadata": {"team": "bus"}}
    await bus.jetstream.update_stream(config.evolve(max_age=3600.0, **theirs))
    await drift(bus, ack_wait=5.0, description="theirs")
    await reconcile(bus.jetstream)
    kept = (await bus.jetstream.stream_info("CONTENT")).config
    assert (kept.description, kept.compression, (kept.metadata or {})["team"]) == ("theirs", "s2", "bus")
    assert (await bus.jetstream.consumer_info(WATCHED.stream, WATCHED.name)).config.description == "theirs"
    await bus.jetstream.update_stream(kept.evolve(description=None, compression="none"))


@pytest.fixture
async def stubborn(bus: Bus) -> AsyncIterator[None]:
    """A METRICS stream of the kind that no update can turn into ours."""
    await bus.jetstream.delete_stream("METRICS")
    config = stream_config(STREAMS["METRICS"]).evolve(storage=StorageType.MEMORY)
    await bus.jetstream.add_stream(config)
    yield
    await bus.jetstream.delete_stream("METRICS")
    await reconcile(bus.jetstream)


@pytest.mark.usefixtures("stubborn")
async def test_what_the_server_will_not_change_is_one_line_after_all_else_is_done(bus: Bus):
    await drift(bus, ack_wait=5.0)
    with pytest.raises(Refused) as caught:
        await reconcile(bus.jetstream)
    assert str(caught.value) == (
        "NATS refuses stream METRICS: storage memory → file: stream configuration update can not change storage type"
    )
    assert [each.what for each in caught.value.mended] == [f"consumer {WATCHED.name}"]
    await check(bus.jetstream, [WATCHED])


async def test_a_single_server_refuses_replicas_in_one_line(bus: Bus):
    with pytest.raises(Refused, match=r"replicas > 1 not supported in non-clustered mode$") as caught:
        await reconcile(bus.jetstream, TopologySettings(replicas=3))
    assert "\n" not in str(caught.value)
    assert str(caught.value).count("replicas > 1") == 1
    assert await differences(bus.jetstream) == []


async def test_many_at_once_do_no_harm(bus: Bus):
    await bus.jetstream.delete_stream("METRICS")
    await bus.jetstream.delete_stream("CONTENT")
    await asyncio.gather(*(reconcile(bus.jetstream, prune=True) for _ in range(4)))
    assert await differences(bus.jetstream) == []


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


STOPPING: list[tuple[dict[str, Any], str]] = [
    ({"max_deliver": 3}, "max_deliver 3 → -1"),
    ({"headers_only": True}, "headers_only true → none"),
    (
        {"filter_subjects": ["post.deleted.v1.*"]},
        "filter_subjects post.deleted.v1.* → "
        "post.approval_withdrawn.v1.*, post.deleted.v1.*, replay.content.scheduler.*",
    ),
]
GOING_ON: list[tuple[dict[str, Any], str]] = [
    ({"ack_wait": 5.0}, "ack_wait 5 s → 30 s"),
    ({"max_ack_pending": 7}, "max_ack_pending 7 → 1000"),
    ({"num_replicas": 1}, "num_replicas 1 → none"),
    ({"inactive_threshold": 60.0}, "inactive_threshold 60 s → none"),
    ({"backoff": [30.0, 40.0]}, "backoff 30.0, 40.0 → none"),
]


def field_of(case: tuple[dict[str, Any], str]) -> str:
    return next(iter(case[0]))


@pytest.mark.parametrize(("changes", "told"), STOPPING, ids=map(field_of, STOPPING))
async def test_a_service_does_not_start_where_it_would_hear_the_wrong_or_lose_some(
    bus: Bus, changes: dict[str, Any], told: str
):
    await drift(bus, **changes)
    with pytest.raises(Drift) as caught:
        await check(bus.jetstream, [WATCHED, CONSUMERS["scheduler-auth"]])
    assert str(caught.value) == f"consumer scheduler-content: {told}. Run: signoff topology apply"
    assert [str(each) for each in await reconcile(bus.jetstream)] == [f"consumer scheduler-content: {told}"]
    await check(bus.jetstream, [WATCHED])


@pytest.mark.parametrize(("changes", "told"), GOING_ON, ids=map(field_of, GOING_ON))
async def test_a_service_starts_with_any_other_difference_and_logs_it(
    bus: Bus, logged: Callable[[], list[dict[str, Any]]], changes: dict[str, Any], told: str
):
    await drift(bus, **changes)
    await check(bus.jetstream, [WATCHED, CONSUMERS["scheduler-auth"]])
    lines = [line["difference"] for line in logged() if line["event"] == "topology_differs"]
    assert lines == [f"consumer scheduler-content: {told}"]
    assert [str(each) for each in await reconcile(bus.jetstream)] == lines
    assert await differences(bus.jetstream) == []


async def test_another_ack_policy_stops_a_service_and_no_update_mends_it(bus: Bus):
    await bus.jetstream.delete_consumer(WATCHED.stream, WATCHED.name)
    await drift(bus, ack_policy=AckPolicy.NONE)
    with pytest.raises(Drift, match="ack_policy none → explicit"):
        await check(bus.jetstream, [WATCHED])
    with pytest.raises(Refused, match="ack policy can not be updated"):
        await reconcile(bus.jetstream)


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
        with pytest.raises(Drift, match="consumer scheduler-content: missing"):
            await check(bus.jetstream, [WATCHED])


async def test_all_differences_are_told_at_once(bus: Bus):
    await drift(bus, max_deliver=3)
    await bus.jetstream.delete_consumer("AUTH", "scheduler-auth")
    with pytest.raises(Drift) as caught:
        await check(bus.jetstream, topology.consumers_of("scheduler"))
    assert "consumer scheduler-content: max_deliver" in str(caught.value)
    assert "consumer scheduler-auth: missing" in str(caught.value)


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


@pytest.fixture
async def withdrawn(bus: Bus) -> AsyncIterator[None]:
    """A stream and a consumer that a release before this one made, and others' that only look like it."""
    await bus.jetstream.add_stream(StreamConfig(name="BILLING", subjects=["invoice.>"], metadata={OWNER: "billing"}))
    await bus.jetstream.add_stream(StreamConfig(name="OTHERS", subjects=["others.>"]))
    for name in ("billing-auth", "reader"):
        await bus.jetstream.add_consumer("AUTH", ConsumerConfig(durable_name=name))
    await bus.jetstream.add_consumer("AUTH", ConsumerConfig(name="passing-auth", inactive_threshold=60.0))
    yield
    for stream in ("BILLING", "OTHERS"):
        await bus.jetstream.delete_stream(stream)
    for name in ("billing-auth", "reader", "passing-auth"):
        try:
            await bus.jetstream.delete_consumer("AUTH", name)
        except NotFoundError:
            assert name == "billing-auth", "only ours is pruned"


@pytest.mark.usefixtures("withdrawn")
async def test_what_was_withdrawn_is_told_and_only_pruning_removes_a_consumer(bus: Bus):
    gone = [Difference("consumer billing-auth", Kind.OBSOLETE), Difference("stream BILLING", Kind.OBSOLETE)]
    assert sorted(await differences(bus.jetstream), key=str) == gone
    assert str(gone[0]) == "consumer billing-auth: not in the contracts"
    assert await reconcile(bus.jetstream) == []
    assert sorted(await obsolete(bus.jetstream), key=str) == gone
    assert await reconcile(bus.jetstream, prune=True) == gone[:1]
    assert await obsolete(bus.jetstream) == gone[1:]


def read(**variables: str) -> TopologySettings:
    return TopologySettings.read(Environment(variables))


def test_an_installation_chooses_replicas_age_and_window():
    assert read() == TopologySettings(1, timedelta(days=30), timedelta(minutes=2))
    chosen = read(NATS_REPLICAS="3", NATS_MAX_AGE="7d", NATS_DUPLICATE_WINDOW="5m")
    config = stream_config(STREAMS["AUTH"], chosen)
    assert (config.num_replicas, config.max_age, config.duplicate_window) == (3, 604_800, 300)


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("NATS_REPLICAS", "2", "NATS_REPLICAS is 2, but must be 1, 3 or 5"),
        ("NATS_REPLICAS", "7", "NATS_REPLICAS is 7, but must be between 1 and 5"),
        ("NATS_MAX_AGE", "31d", "NATS_MAX_AGE is 31d, but must be between 1h and 30d"),
        ("NATS_MAX_AGE", "720h1s", "NATS_MAX_AGE is 720h1s, but must be between 1h and 30d"),
        ("NATS_MAX_AGE", "5m", "NATS_MAX_AGE is 5m, but must be between 1h and 30d"),
        ("NATS_MAX_AGE", "month", "NATS_MAX_AGE: 'month' is no duration: write it as 30d, 12h, 90m or 45s"),
        ("NATS_DUPLICATE_WINDOW", "1d", "NATS_DUPLICATE_WINDOW is 1d, but must be between 10s and 1h"),
    ],
)
def test_a_choice_that_breaks_a_promise_or_makes_no_sense_is_refused(name: str, value: str, complaint: str):
    with pytest.raises(SettingError) as caught:
        read(**{name: value})
    assert str(caught.value) == complaint
