"""What a series would bring into a blackout is left out and shown; and of two at once, one knows of the other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from contracts.scheduler import ScheduleCreatedV1
from kit.clock import MovableClock
from kit.database import Database, Scope, Units
from kit.ids import new_id
from kit.secret import Secret
from kit.testing import wait_for
from kit.testing.services import Bus, MigrateOld
from scheduler.adapters.store import Store
from scheduler.domain.blackouts import InBlackout, Window
from scheduler.domain.schedule import Schedule, ScheduleState, Target
from scheduler.domain.wall_clock import Adjustment
from scheduler.use_cases.blackouts import clashes_with, keep_clear, make_blackouts

from services.scheduler.tests.conftest import Auth, Content, Member, numbers
from services.scheduler.tests.test_blackouts import close, closed, conflicts

NOW = datetime.fromisoformat("2027-11-01T06:00Z")
DAILY = {"rule": "FREQ=DAILY;COUNT=20", "starts_at": "2027-11-02T09:00"}
RETREAT = {"name": "Retreat", "starts_at": "2027-11-04", "ends_at": "2027-11-05"}


@pytest.fixture(autouse=True)
def in_autumn(clock: MovableClock) -> None:
    clock.advance(NOW - clock.now())


async def in_calendar(member: Member, series: dict[str, Any]) -> list[dict[str, Any]]:
    found = (await member.ask("GET", "schedules?from=2027-11-01T00:00:00Z")).json()["schedules"]
    return [each for each in found if each["series_id"] == series["series_id"]]


async def test_times_of_a_series_in_a_blackout_are_left_out_and_seen_in_the_calendar(
    member: Member, content: Content, bus: Bus, clock: MovableClock
):
    later = {"name": "Later", "starts_at": "2027-11-17"}
    await closed(member, RETREAT, later)
    series = await member.repeated(content.approve(member.workspace_id), **DAILY)
    assert numbers(await member.calendar(series["series_id"])) == [1, 2, *range(5, 14)]
    left_out = [each for each in await in_calendar(member, series) if each["state"] == "cancelled"]
    assert [(each["occurrence"], each["reason"]) for each in left_out] == [(3, "blackout"), (4, "blackout")]
    assert [target["code"] for each in left_out for target in each["connections"]] == ["blackout"] * 2
    clock.advance(timedelta(days=9))
    told = await bus.wait_told(ScheduleCreatedV1, 17)
    assert [event.occurrence for event in told] == [each for each in range(1, 21) if each not in (3, 4, 16)]  # type: ignore[attr-defined]
    assert (await member.calendar(series["series_id"]))["series"]["state"] == "finished"
    assert await conflicts(member) == {"conflicts": []}


async def test_only_the_connections_that_a_blackout_is_for_are_left_out(member: Member, content: Content, auth: Auth):
    revision = content.approve(member.workspace_id, connections=2)
    quiet, other = (variant.connection_id for variant in revision.variants)
    auth.stands(quiet)
    await closed(member, RETREAT, connection_ids=[str(quiet)])
    series = await member.repeated(revision, **DAILY)
    third = (await in_calendar(member, series))[2]
    assert (third["occurrence"], third["state"]) == (3, "scheduled")
    assert [(target["connection_id"], target["state"]) for target in third["connections"]] == [
        (str(quiet), "cancelled"),
        (str(other), "waiting"),
    ]


async def test_a_series_can_happen_in_blackouts_too_and_be_changed_so(member: Member, content: Content):
    await closed(member, RETREAT)
    knowingly = await member.repeated(content.approve(member.workspace_id), despite_blackouts=True, **DAILY)
    assert knowingly["despite_blackouts"]
    assert numbers(await member.calendar(knowingly["series_id"])) == list(range(1, 14))
    assert await conflicts(member) == {"conflicts": []}
    kept = (await member.ask_series(knowingly["series_id"], "change-from", since="2027-11-03T00:00")).json()["series"]
    assert kept["despite_blackouts"]
    changed = await member.ask_series(
        kept["series_id"], "change-from", since="2027-11-04T00:00", despite_blackouts=False
    )
    assert changed.json()["series"]["despite_blackouts"] is False
    schedules = (await member.calendar(changed.json()["series"]["series_id"]))["schedules"]
    assert schedules[0]["at"] == "2027-11-06T09:00:00"


async def test_what_a_series_has_brought_before_a_blackout_is_made_is_a_conflict(member: Member, content: Content):
    series = await member.repeated(content.approve(member.workspace_id), **DAILY)
    made = await closed(member, RETREAT)
    assert [each["at"] for each in made["conflicts"]] == ["2027-11-04T09:00:00", "2027-11-05T09:00:00"]
    assert {each["series_id"] for each in made["conflicts"]} == {series["series_id"]}
    assert numbers(await member.calendar(series["series_id"])) == list(range(1, 14))


@pytest.fixture
async def units(environment: dict[str, str], clock: MovableClock) -> AsyncIterator[Units[Store]]:
    database = Database("scheduler", Secret(environment["DATABASE_URL_SCHEDULER"]), clock, connections_max=3)
    await database.open()
    yield Units(database, Store)
    await database.close()


def schedule(workspace_id: Any) -> Schedule:
    due_at = datetime(2027, 11, 4, 12, tzinfo=UTC)
    return Schedule(
        schedule_id=new_id(), workspace_id=workspace_id, post_id=new_id(), revision_id=new_id(),
        at=due_at.replace(tzinfo=None), time_zone="UTC", adjustment=Adjustment.NONE, due_at=due_at,
        state=ScheduleState.SCHEDULED, reason=None, created_by=None, created_at=NOW, targets=(Target(new_id()),),
    )  # fmt: skip


WINDOW = Window("Retreat", datetime.fromisoformat("2027-11-04"), datetime.fromisoformat("2027-11-06"), "UTC")


async def waits(units: Units[Store], task: asyncio.Task[Any]) -> None:
    """Until the database says that somebody waits for an advisory lock."""

    async def somebody() -> bool:
        async with units(Scope.nobody()) as store:
            query = "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)"
            return bool(await store._transaction.scalar(query)) or task.done()

    await wait_for(somebody)
    assert not task.done()


async def test_who_makes_a_blackout_waits_for_what_is_being_planned_and_finds_it(units: Units[Store]):
    planned = schedule(new_id())
    scope = Scope.workspace(planned.workspace_id)

    async def make() -> list[Schedule]:
        async with units(scope) as store:
            made = await make_blackouts(planned.workspace_id, [WINDOW], store=store)
            return [each.schedule for each in (await clashes_with(made, store=store, now=NOW)).found]

    async with units(scope) as store:
        await store.heed_blackouts(planned.workspace_id)
        assert await keep_clear(planned, despite=False, store=store) == planned
        making = asyncio.create_task(make())
        await waits(units, making)
        await store.add([planned])
    assert [each.schedule_id for each in await making] == [planned.schedule_id]


async def test_who_plans_waits_for_a_blackout_that_is_being_made_and_is_refused(units: Units[Store]):
    planned = schedule(new_id())
    scope = Scope.workspace(planned.workspace_id)

    async def plan() -> None:
        async with units(scope) as store:
            await store.heed_blackouts(planned.workspace_id)
            await keep_clear(planned, despite=False, store=store)

    async with units(scope) as store:
        await make_blackouts(planned.workspace_id, [WINDOW], store=store)
        planning = asyncio.create_task(plan())
        await waits(units, planning)
    with pytest.raises(InBlackout):
        await planning


async def test_of_many_who_plan_while_a_blackout_is_made_each_is_refused_or_told_of(
    member: Member, content: Content, auth: Auth
):
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


async def test_what_was_planned_before_there_were_blackouts_is_despite_none(old_database: MigrateOld):
    with old_database("scheduler", "0011") as (superuser, upgrade):
        superuser.execute(
            "INSERT INTO schedule (schedule_id, workspace_id, post_id, revision_id, wall_clock, time_zone, adjustment,"
            " due_at, state, created_at) SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(),"
            " gen_random_uuid(), now(), 'UTC', 'none', now(), 'scheduled', now()"
        )
        upgrade()
        assert superuser.execute("SELECT despite FROM schedule").fetchall() == [([],)]
