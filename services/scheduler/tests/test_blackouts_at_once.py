"""Of who plans and who makes a blackout at the same moment, one knows of the other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

import pytest
from kit.clock import MovableClock
from kit.database import Scope, Units
from kit.ids import new_id
from scheduler.adapters.store import Store
from scheduler.domain.blackouts import InBlackout, Window
from scheduler.domain.duplicates import Content as Hashes
from scheduler.domain.queues import Queue, Slot
from scheduler.domain.schedule import Schedule, ScheduleState, Target
from scheduler.domain.spread import Spacing
from scheduler.domain.wall_clock import Adjustment
from scheduler.use_cases.blackouts import Clash, clashes_with, make_blackouts
from scheduler.use_cases.create_schedule import Order, create_schedule
from scheduler.use_cases.create_series import create_series
from scheduler.use_cases.move_schedule import Move, move_schedule
from scheduler.use_cases.queues import enqueue

from services.scheduler.tests.conftest import Content, Member, until_waiting
from services.scheduler.tests.test_blackouts import close
from services.scheduler.tests.test_blackouts_and_series import DAILY, NOW, RETREAT
from services.scheduler.tests.test_unfolding import series

NOON = datetime(2027, 11, 4, 12, tzinfo=UTC)
WINDOW = Window("Retreat", datetime.fromisoformat("2027-11-04"), datetime.fromisoformat("2027-11-06"), "UTC")


@pytest.fixture(autouse=True)
def in_autumn(clock: MovableClock) -> None:
    """Before each planner's first time, which is noon of the retreat's first day, a Thursday."""
    clock.advance(NOW - clock.now())


def schedule(workspace_id: UUID, *connection_ids: UUID) -> Schedule:
    return Schedule(
        schedule_id=new_id(), workspace_id=workspace_id, post_id=new_id(), revision_id=new_id(),
        at=NOON.replace(tzinfo=None), time_zone="UTC", adjustment=Adjustment.NONE, due_at=NOON,
        state=ScheduleState.SCHEDULED, reason=None, created_by=None, created_at=NOW,
        targets=tuple(Target(connection_id) for connection_id in connection_ids or (new_id(),)),
    )  # fmt: skip


def hashes(*connection_ids: UUID) -> Hashes:
    return Hashes(dict.fromkeys(connection_ids, "hash"))


async def by_hand(workspace_id: UUID, store: Store) -> None:
    planned = schedule(workspace_id)
    content = hashes(*planned.waiting())
    await create_schedule(planned, content, Spacing(), despite_blackouts=False, store=store, now=NOW)


async def by_moving(workspace_id: UUID, store: Store) -> None:
    planned = replace(schedule(workspace_id), due_at=NOW + timedelta(days=30))
    await store.add([planned])
    move = Move(at=NOON.replace(tzinfo=None) + timedelta(hours=1))
    await move_schedule(planned.schedule_id, move, Spacing(), despite_blackouts=False, store=store, now=NOW)


async def by_queue(workspace_id: UUID, store: Store) -> None:
    connection_id = new_id()
    await store.keep_queue(Queue(workspace_id, connection_id, "UTC", (Slot(NOON.weekday(), time(12)),)))
    order = Order(
        workspace_id=workspace_id, account_id=new_id(), post_id=new_id(), revision_id=new_id(),
        connection_ids=(connection_id,),
    )  # fmt: skip
    await enqueue(order, hashes(connection_id), timedelta(), store=store, now=NOW)


async def by_series(workspace_id: UUID, store: Store) -> None:
    starts_at = NOON.replace(tzinfo=None)
    made = series("FREQ=DAILY;COUNT=3", workspace_id=workspace_id, starts_at=starts_at, time_zone="UTC")
    await create_series(made, store=store, now=NOW)


Plan = Callable[[UUID, Store], Awaitable[None]]
every_way = pytest.mark.parametrize("plan", [by_hand, by_moving, by_queue, by_series])


async def make(workspace_id: UUID, store: Store) -> list[Clash]:
    made = await make_blackouts(workspace_id, [WINDOW], store=store, now=NOW)
    return (await clashes_with(made, store=store, now=NOW)).found


@every_way
async def test_who_makes_a_blackout_waits_for_what_is_being_planned_and_finds_it(units: Units[Store], plan: Plan):
    workspace_id = new_id()
    scope = Scope.workspace(workspace_id)

    async def close_it() -> list[Clash]:
        async with units(scope) as store:
            return await make(workspace_id, store)

    async with units(scope) as store:
        await plan(workspace_id, store)
        closing = asyncio.create_task(close_it())
        await until_waiting(units, closing)
    assert (await closing)[0].schedule.due_at.date() == NOON.date()


@every_way
async def test_who_plans_waits_for_a_blackout_that_is_being_made_and_keeps_out_of_it(units: Units[Store], plan: Plan):
    workspace_id = new_id()
    scope = Scope.workspace(workspace_id)

    async def plan_it() -> None:
        with suppress(InBlackout):
            async with units(scope) as store:
                await plan(workspace_id, store)

    async with units(scope) as store:
        await make(workspace_id, store)
        planning = asyncio.create_task(plan_it())
        await until_waiting(units, planning)
    await planning
    async with units(scope) as store:
        assert (await clashes_with(await store.blackouts(workspace_id), store=store, now=NOW)).found == []


async def test_of_many_who_plan_while_a_blackout_is_made_each_is_refused_or_told_of(member: Member, content: Content):
    revision = content.approve(member.workspace_id)
    movable = [await member.scheduled(revision, at=f"2027-11-20T10:{each:02}") for each in range(4)]
    answers = await asyncio.gather(
        *(member.schedule(revision, at=f"2027-11-04T10:{each:02}", spread_minutes=1) for each in range(6)),
        close(member, RETREAT),
        *(member.move(each["schedule_id"], at="2027-11-05T10:00") for each in movable),
        *(member.schedule(revision, at=f"2027-11-04T11:{each:02}") for each in range(6)),
        member.repeat(revision, **DAILY),
    )
    made = next(answer.json() for answer in answers if "blackouts" in answer.json() and answer.status_code == 201)
    kept = {answer.json()["schedule_id"] for answer in answers if "schedule_id" in answer.json()}
    series = next(answer.json() for answer in answers if "rule" in answer.json())
    brought = {
        each["schedule_id"]
        for each in (await member.calendar(series["series_id"]))["schedules"]
        if each["at"][:10] in ("2027-11-04", "2027-11-05")
    }
    assert {answer.json()["type"] for answer in answers if answer.status_code == 409} <= {
        "urn:signoff:problem:blackout"
    }
    assert {each["schedule_id"] for each in made["conflicts"]} == kept | brought
