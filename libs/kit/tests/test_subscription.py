"""Handlers by event type, alone and in batches."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import pytest
from contracts.auth import WorkspaceDeletedV1
from contracts.content import PostApprovalWithdrawnV1, PostDeletedV1
from contracts.event import Event
from contracts.topology import CONSUMERS
from hypothesis import given
from hypothesis import strategies as st
from kit.ids import new_id
from kit.subscription import Subscription

POSTS = [UUID(int=number) for number in range(3)]


def event(kind: str, post: int) -> Event:
    if kind == "deleted":
        return PostDeletedV1(workspace_id=new_id(), post_id=POSTS[post])
    return PostApprovalWithdrawnV1(workspace_id=new_id(), post_id=POSTS[post], revision_id=new_id())


@given(st.lists(st.tuples(st.sampled_from(["deleted", "withdrawn"]), st.integers(0, 2)), max_size=30))
async def test_a_batch_keeps_the_order_of_every_aggregate(kinds: list[tuple[str, int]]):
    events = [event(kind, post) for kind, post in kinds]
    handled: list[Event] = []
    groups: list[int] = []
    subscription = Subscription(CONSUMERS["scheduler-content"])

    @subscription.on_batch(PostDeletedV1)
    async def on_deleted(alike: Sequence[PostDeletedV1]) -> None:
        handled.extend(alike)
        groups.append(len(alike))

    @subscription.on(PostApprovalWithdrawnV1)
    async def on_withdrawn(one: PostApprovalWithdrawnV1) -> None:
        handled.append(one)

    await subscription.dispatch_batch(events)
    for post in POSTS:
        assert [one for one in handled if one.aggregate() == post] == [one for one in events if one.aggregate() == post]
    assert len(handled) == len(events)
    assert sum(groups) == sum(kind == "deleted" for kind, _ in kinds)


async def test_events_of_one_type_come_together_although_others_are_between():
    sizes: list[int] = []
    subscription = Subscription(CONSUMERS["scheduler-content"])

    @subscription.on_batch(PostDeletedV1)
    async def on_deleted(alike: Sequence[PostDeletedV1]) -> None:
        sizes.append(len(alike))

    @subscription.on(PostApprovalWithdrawnV1)
    async def on_withdrawn(_: PostApprovalWithdrawnV1) -> None:
        return

    await subscription.dispatch_batch([event("deleted", 0), event("withdrawn", 1), event("deleted", 2)])
    assert sizes == [2]


def test_an_event_without_a_handler_is_found_before_the_start():
    with pytest.raises(TypeError, match=r"no handler for post\.approval_withdrawn\.v1, post\.deleted\.v1"):
        Subscription(CONSUMERS["scheduler-content"]).check()


def test_a_handler_for_an_event_that_never_comes_is_refused():
    with pytest.raises(TypeError, match=r"scheduler-content does not take workspace\.deleted\.v1"):
        Subscription(CONSUMERS["scheduler-content"]).on(WorkspaceDeletedV1)
