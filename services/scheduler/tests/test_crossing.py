"""Whose connections cross wait for each other one way only, so that the database breaks none of them off."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import cast
from uuid import UUID

import pytest
from contracts.content import PostDeletedV1
from kit.clock import MovableClock
from kit.database import Scope, Units, joined
from kit.ids import new_id
from scheduler import ports
from scheduler.adapters.store import Store
from scheduler.domain.schedule import ScheduleState
from scheduler.domain.series import Series
from scheduler.domain.spread import Spacing
from scheduler.subscribers import subscriptions
from scheduler.use_cases.change_series import Succession, change_series
from scheduler.use_cases.create_schedule import create_schedule
from scheduler.use_cases.create_series import create_series

from services.scheduler.tests.conftest import until_waiting
from services.scheduler.tests.test_blackouts_and_series import NOW
from services.scheduler.tests.test_blackouts_at_once import NOON, hashes, schedule
from services.scheduler.tests.test_unfolding import series

LATER = NOW + timedelta(days=5)
"""A series that was written out at first has new times to bring, before a change and behind it."""

CHANGED_FROM = 18


@pytest.fixture(autouse=True)
def in_autumn(clock: MovableClock) -> None:
    clock.advance(LATER - clock.now())


def daily(workspace_id: UUID, *connection_ids: UUID) -> Series:
    starts_at = (NOW + timedelta(hours=1)).replace(tzinfo=None)
    facts = {"workspace_id": workspace_id, "connection_ids": connection_ids, "starts_at": starts_at}
    return series("FREQ=DAILY", **facts)


async def change(old: Series, to: UUID, store: Store) -> None:
    await change_series(old.series_id, Succession(daily(old.workspace_id, to), CHANGED_FROM), store=store, now=LATER)


async def by_changing(old: Series, others: tuple[UUID, UUID], store: Store) -> None:
    await change(old, others[1], store)


async def by_hand(old: Series, others: tuple[UUID, UUID], store: Store) -> None:
    planned = schedule(old.workspace_id, *others)
    await create_schedule(planned, hashes(*others), Spacing(), despite_blackouts=False, store=store, now=LATER)


Cross = Callable[[Series, tuple[UUID, UUID], Store], Awaitable[None]]


@pytest.mark.parametrize("cross", [by_changing, by_hand])
async def test_who_changes_a_series_to_connections_that_another_holds_is_only_made_to_wait(
    units: Units[Store], cross: Cross
):
    first, second, held = sorted(new_id() for _ in range(3))
    scope = Scope.workspace(workspace_id := new_id())
    one, other = daily(workspace_id, second, held), daily(workspace_id, first)
    async with units(scope) as store:
        await store.keep_spread(workspace_id, timedelta(minutes=1))
        for each in (one, other):
            await create_series(each, store=store, now=NOW)

    async def to_the_first() -> None:
        async with units(scope) as store:
            await change(one, first, store)

    async def across() -> None:
        async with units(scope) as store:
            await cross(other, (first, second), store)

    async with units(scope) as store:
        await store.lock_connections([held])
        changing = asyncio.create_task(to_the_first())
        await until_waiting(units, changing)
        crossing = asyncio.create_task(across())
        await until_waiting(units, changing, crossing)
    await asyncio.gather(changing, crossing)
    async with units(scope) as store:
        changed = await store.find_series(one.series_id)
        assert changed is not None
        assert (changed.ends_after, changed.last_number) == (CHANGED_FROM - 1, CHANGED_FROM - 1)


@pytest.mark.parametrize("written_first", [0, 1])
async def test_a_deleted_posts_schedules_are_forgotten_behind_the_outcomes_that_are_being_recorded(
    units: Units[Store], written_first: int
):
    workspace_id, post_id = new_id(), new_id()
    done = [replace(schedule(workspace_id), post_id=post_id, state=ScheduleState.DONE) for _ in range(2)]
    deleted = PostDeletedV1(workspace_id=workspace_id, post_id=post_id)
    (handle,) = (
        each for each in subscriptions(cast("Units[ports.Store]", units)) if each.consumer.name == "scheduler-content"
    )

    async def forget() -> None:
        async with units(Scope.worker()) as store:
            with joined(store._transaction):
                await handle.dispatch(deleted)

    async with units(Scope.worker()) as store:
        await store.add(done)
        for each in done:
            await store.keep_content([each], {each.waiting()[0]: "hash"})
    async with units(Scope.worker()) as store:
        await store.lock_all([each.schedule_id for each in done])
        await store.save(done[written_first])
        forgetting = asyncio.create_task(forget())
        await until_waiting(units, forgetting)
        await store.save(done[1 - written_first])
    await forgetting
    async with units(Scope.worker()) as store:
        assert await store._transaction.scalars("SELECT content_hash FROM target") == [None, None]


async def test_a_scheduler_that_lets_go_of_its_share_waits_for_who_holds_a_part_of_it(units: Units[Store]):
    holder, workspace_id = new_id(), new_id()
    first, second = sorted((schedule(workspace_id), schedule(workspace_id)), key=lambda each: each.schedule_id)

    async def let_go() -> None:
        async with units(Scope.worker()) as store:
            await store.let_go(holder)

    async with units(Scope.worker()) as store:
        await store.add([first, replace(second, due_at=NOON - timedelta(hours=1))])
        await store.stay_alive(holder, 60)
        for _ in range(2):  # one by one, so that the second lies before the first for who takes rows as they lie
            assert len(await store.hold_until(NOON, overdue=None, holder=holder, limit=1)) == 1
    async with units(Scope.worker()) as store:
        await store.lock(first.schedule_id)
        letting_go = asyncio.create_task(let_go())
        await until_waiting(units, letting_go)
        await store.lock_all([first.schedule_id, second.schedule_id])
    await letting_go
    async with units(Scope.worker()) as store:
        assert len(await store.hold_until(NOON, overdue=None, holder=new_id(), limit=2)) == 2
