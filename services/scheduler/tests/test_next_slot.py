"""The slot that a post gets is one of its queue, behind now, free, and the first such: as a search by hand finds it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kit.clock import MovableClock
from kit.database import Database, Scope, Units
from kit.ids import new_id
from kit.secret import Secret
from scheduler.adapters.store import Store
from scheduler.domain.blackouts import Blackout, Window
from scheduler.domain.duplicates import Content
from scheduler.domain.queues import Queue, Slot
from scheduler.domain.schedule import Schedule, ScheduleState, Target, TargetState
from scheduler.domain.wall_clock import Adjustment, resolve
from scheduler.domain.zones import zone
from scheduler.use_cases.create_schedule import Order
from scheduler.use_cases.queues import enqueue

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)

STARTS = [datetime.fromisoformat(text) for text in ("2027-01-04T06:00Z", "2027-03-27T12:00Z", "2027-10-30T12:00Z")]
"""A Monday in winter, and the eves of the days on which the clocks of Berlin are changed."""


@dataclass
class Situation:
    """What stands where at one connection when a post is to get a slot."""

    now: datetime
    slots: set[Slot]
    taken: set[datetime]
    cancelled: set[datetime]
    closed: list[tuple[datetime, timedelta]]
    spread: timedelta
    connection_id: UUID = field(default_factory=new_id)

    def next_slot(self) -> datetime:
        in_zone = zone("Europe/Berlin")
        days = [(self.now + number * DAY).date() for number in range(-1, 60)]
        times = {
            resolve(datetime.combine(day, slot.at), in_zone).due_at
            for day in days
            for slot in self.slots
            if day.weekday() == slot.weekday
        }
        return min(each for each in times if each > self.now and self.is_free(each))

    def is_free(self, instant: datetime) -> bool:
        apart = all(instant != other and abs(instant - other) >= self.spread for other in self.taken)
        return apart and not any(since <= instant < since + length for since, length in self.closed)


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    """All of it lies on the same half hours, or a spread or a minute beside them, so that it meets."""
    start = draw(st.sampled_from(STARTS))
    spread = draw(st.sampled_from([0, 0, 1, 30, 60])) * MINUTE
    half_hours = st.integers(-2, 60).map(lambda number: start + number * 30 * MINUTE)
    beside = st.sampled_from([timedelta(), timedelta(), spread, -spread, spread - MINUTE, MINUTE])
    near = st.builds(lambda half_hour, distance: half_hour + distance, half_hours, beside)
    length = st.integers(1, 20).map(lambda number: number * 30 * MINUTE)
    return Situation(
        now=start + draw(st.sampled_from([0, 0, 30, 31])) * MINUTE,
        slots={_slot(each) for each in draw(st.sets(half_hours, min_size=3, max_size=25))},
        taken=draw(st.sets(near, max_size=12)),
        cancelled=draw(st.sets(near, max_size=5)),
        closed=draw(st.lists(st.tuples(half_hours, length), max_size=2)),
        spread=spread,
    )


def _slot(instant: datetime) -> Slot:
    shown = instant.astimezone(zone("Europe/Berlin"))
    return Slot(shown.weekday(), shown.time())


@pytest.fixture
async def units(environment: dict[str, str], clock: MovableClock) -> AsyncIterator[Units[Store]]:
    database = Database("scheduler", Secret(environment["DATABASE_URL_SCHEDULER"]), clock, connections_max=1)
    await database.open()
    yield Units(database, Store)
    await database.close()


def planned(workspace_id: UUID, situation: Situation, due_at: datetime, state: TargetState) -> Schedule:
    return Schedule(
        schedule_id=new_id(), workspace_id=workspace_id, post_id=new_id(), revision_id=new_id(), at=due_at.replace(
        tzinfo=None), time_zone="UTC", adjustment=Adjustment.NONE, due_at=due_at, state=ScheduleState.SCHEDULED,
        reason=None, created_by=None, created_at=situation.now, targets=(Target(situation.connection_id, state),),
    )  # fmt: skip


async def prepare(workspace_id: UUID, situation: Situation, store: Store) -> None:
    of_state = {TargetState.WAITING: situation.taken, TargetState.CANCELLED: situation.cancelled}
    schedules = [
        planned(workspace_id, situation, due_at, state) for state, times in of_state.items() for due_at in times
    ]
    await store.add(schedules)
    windows = [
        Window("Quiet", since.replace(tzinfo=None), (since + length).replace(tzinfo=None), "UTC")
        for since, length in situation.closed
    ]
    await store.add_blackouts([Blackout(new_id(), workspace_id, window) for window in windows])
    slots = tuple(sorted(situation.slots))
    await store.keep_queue(Queue(workspace_id, situation.connection_id, "Europe/Berlin", slots))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(situation=situations())
async def test_a_post_gets_the_slot_that_a_search_by_hand_finds(units: Units[Store], situation: Situation):
    workspace_id, connection_id = new_id(), situation.connection_id
    order = Order(
        workspace_id=workspace_id, account_id=new_id(), post_id=new_id(), revision_id=new_id(),
        connection_ids=(connection_id,),
    )  # fmt: skip
    async with units(Scope.workspace(workspace_id)) as store:
        await prepare(workspace_id, situation, store)
        for _ in range(4):
            content = Content({connection_id: "hash"})
            (got,) = await enqueue(order, content, situation.spread, store=store, now=situation.now)
            assert got.schedule.due_at == situation.next_slot()
            assert got.schedule.due_at == resolve(got.schedule.at, zone("Europe/Berlin")).due_at
            situation.taken.add(got.schedule.due_at)
