"""What a series would bring into a blackout is left out, and people see it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from contracts.scheduler import ScheduleCreatedV1
from kit.clock import MovableClock
from kit.testing.services import Bus, MigrateOld

from services.scheduler.tests.conftest import Auth, Content, Member, numbers
from services.scheduler.tests.test_blackouts import closed, conflicts

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


async def test_what_was_planned_before_there_were_blackouts_is_despite_none(old_database: MigrateOld):
    with old_database("scheduler", "0011") as (superuser, upgrade):
        superuser.execute(
            "INSERT INTO schedule (schedule_id, workspace_id, post_id, revision_id, wall_clock, time_zone, adjustment,"
            " due_at, state, created_at) SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(),"
            " gen_random_uuid(), now(), 'UTC', 'none', now(), 'scheduled', now()"
        )
        upgrade()
        assert superuser.execute("SELECT despite FROM schedule").fetchall() == [([],)]


async def test_a_preview_names_the_blackouts_that_times_are_in(member: Member, content: Content, auth: Auth):
    connection = content.approve(member.workspace_id).variants[0].connection_id
    auth.stands(connection)
    await closed(member, RETREAT)
    await closed(member, {"name": "Quiet", "starts_at": "2027-11-05"}, connection_ids=[str(connection)])
    wanted = DAILY | {"time_zone": "Europe/Berlin"}
    for chosen, names in (({}, ["Retreat"]), ({"connection_ids": [str(connection)]}, ["Retreat", "Quiet"])):
        answer = await member.client.post(f"{member.series_path}/preview", json=wanted | chosen, headers=member.headers)
        told = [each["blackouts"] for each in answer.json()["occurrences"]]
        assert told == [[], [], ["Retreat"], names, *([[]] * 16)]
