"""Series: what they bring, how they are changed, stopped and ended, and that each time is brought once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from contracts.access import Permission
from contracts.scheduler import ScheduleCreatedV1, ScheduleDueV1
from kit.calls import InProcess
from kit.clock import MovableClock
from kit.database import Database, Scope, Units
from kit.ids import new_id
from kit.passport import KeyLimits
from kit.secret import Secret
from kit.testing.services import Bus, MigrateOld, Running
from scheduler.adapters.store import Store
from scheduler.domain.series import OPEN_MAX
from scheduler.main import create_app

from services.scheduler.tests.conftest import Auth, Content, Member, numbers
from services.scheduler.tests.test_api import local

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.mark.promise("P40")
async def test_a_series_brings_the_next_two_weeks_as_schedules_and_each_is_told(
    member: Member, content: Content, bus: Bus, tomorrow: str
):
    revision = content.approve(member.workspace_id, 2)
    made = await member.repeated(revision, rule="FREQ=DAILY", starts_at=tomorrow, late_minutes=30)
    assert (made["state"], made["starts_at"], made["rule"]) == ("active", tomorrow, "FREQ=DAILY")
    calendar = await member.calendar(made["series_id"])
    assert calendar["series"] == made
    assert numbers(calendar) == list(range(1, 15))
    told = await bus.wait_told(ScheduleCreatedV1, 14)
    first = calendar["schedules"][0]
    due_at = datetime.fromisoformat(first["due_at"])
    assert told[0] == ScheduleCreatedV1(
        workspace_id=member.workspace_id,
        schedule_id=first["schedule_id"],
        occurrence=1,
        post_id=revision.post_id,
        revision_id=revision.revision_id,
        connection_ids=tuple(variant.connection_id for variant in revision.variants),
        due_at=due_at,
        publish_until=due_at + HOUR / 2,
    )
    assert [event.occurrence for event in told] == numbers(calendar)  # type: ignore[attr-defined]
    assert {schedule["series_id"] for schedule in calendar["schedules"]} == {made["series_id"]}
    assert {schedule["at"][11:] for schedule in calendar["schedules"]} == {tomorrow[11:]}
    listed = await member.client.get(member.series_path, headers=member.headers)
    assert listed.json() == {"series": [made]}


async def test_what_passes_makes_room_for_what_follows_and_is_announced_with_its_number(
    member: Member, content: Content, bus: Bus, clock: MovableClock, tomorrow: str
):
    made = await member.repeated(content.approve(member.workspace_id), rule="FREQ=DAILY;COUNT=16", starts_at=tomorrow)
    clock.advance(DAY)
    (due,) = await bus.wait_told(ScheduleDueV1)
    assert due.occurrence == 1  # type: ignore[attr-defined]
    clock.advance(DAY)
    told = await bus.wait_told(ScheduleCreatedV1, 16, timeout_seconds=20)
    assert [event.occurrence for event in told] == list(range(1, 17))  # type: ignore[attr-defined]
    assert (await member.calendar(made["series_id"]))["series"]["state"] == "finished"


async def test_two_schedulers_bring_each_time_once(
    environment: dict[str, str],
    content: Content,
    auth: Auth,
    bus: Bus,
    running: Running,
    clock: MovableClock,
    member: Member,
    tomorrow: str,
):
    for _ in range(8):
        await member.repeated(content.approve(member.workspace_id), rule="FREQ=DAILY", starts_at=tomorrow)
    apps = {"content": content.app(), "auth": auth.app()}
    async with running(create_app(environment, transports={name: InProcess(apps, name) for name in apps})):
        clock.advance(2 * DAY)
        told = await bus.wait_told(ScheduleCreatedV1, 8 * 16, timeout_seconds=20)
    assert len(told) == 8 * 16
    with psycopg.connect(environment["DATABASE_SUPERUSER_URL_SCHEDULER"]) as rows:
        found = rows.execute("SELECT count(*), count(DISTINCT (series_id, occurrence)) FROM schedule").fetchone()
    assert found == (128, 128)


async def test_a_series_that_one_scheduler_looks_at_is_left_by_the_others(
    member: Member, content: Content, environment: dict[str, str], clock: MovableClock, tomorrow: str
):
    made = await member.repeated(content.approve(member.workspace_id), rule="FREQ=DAILY", starts_at=tomorrow)
    then = clock.now() + 2 * DAY
    database = Database("scheduler", Secret(environment["DATABASE_URL_SCHEDULER"]), clock, connections_max=2)
    units = Units(database, Store)
    await database.open()
    async with units(Scope.worker()) as first, units(Scope.worker()) as second:
        assert await first.lock_next_series(clock.now()) is None
        held = await first.lock_next_series(then)
        assert held is not None
        assert str(held.series_id) == made["series_id"]
        assert await second.lock_next_series(then) is None
    await database.close()


async def test_a_series_that_cannot_be_followed_any_more_holds_up_no_other(
    member: Member, content: Content, bus: Bus, clock: MovableClock, environment: dict[str, str], tomorrow: str
):
    stuck, other = [
        await member.repeated(content.approve(member.workspace_id), rule="FREQ=DAILY", starts_at=tomorrow)
        for _ in range(2)
    ]
    with psycopg.connect(environment["DATABASE_SUPERUSER_URL_SCHEDULER"]) as rows:
        rows.execute("UPDATE series SET time_zone = 'Mars/Olympus' WHERE series_id = %s", (stuck["series_id"],))
    clock.advance(DAY)
    await bus.wait_told(ScheduleCreatedV1, 2 * 14 + 1, timeout_seconds=20)
    assert numbers(await member.calendar(stuck["series_id"]))[-1] == 14
    assert numbers(await member.calendar(other["series_id"]))[-1] == 15
    assert (await member.client.get("/health/live")).status_code == 200


async def test_a_workspace_has_a_limited_number_of_series(
    member: Member, content: Content, environment: dict[str, str], tomorrow: str
):
    with psycopg.connect(environment["DATABASE_SUPERUSER_URL_SCHEDULER"]) as rows:
        rows.execute(
            "INSERT INTO series (series_id, workspace_id, post_id, revision_id, connection_ids, rule, starts_at,"
            " time_zone, late, when_missed, state, last_number, skipped, created_at) SELECT gen_random_uuid(), %s,"
            " gen_random_uuid(), gen_random_uuid(), '{}', 'FREQ=DAILY', now(), 'UTC', '1 hour', 'hold', 'paused', 0, 0,"
            " now() FROM generate_series(1, %s)",
            (member.workspace_id, OPEN_MAX),
        )
    refused = await member.repeat(content.approve(member.workspace_id), rule="FREQ=DAILY", starts_at=tomorrow)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:signoff:problem:too-many-series")
    stranger = Member(member.client, new_id(), member.passport)
    await stranger.repeated(content.approve(stranger.workspace_id), rule="FREQ=DAILY", starts_at=tomorrow)


async def test_at_most_a_hundred_wait_and_half_of_them_make_room(
    member: Member, content: Content, bus: Bus, clock: MovableClock, environment: dict[str, str]
):
    quarters = "BYHOUR=0,1,2,3,4,5,6,7,8,9,10,11;BYMINUTE=0,15,30,45"
    starts_at = local(clock, DAY)[:10] + "T00:00:00"
    made = await member.repeated(
        content.approve(member.workspace_id), rule=f"FREQ=DAILY;{quarters};COUNT=200", starts_at=starts_at
    )
    calendar = await member.calendar(made["series_id"])
    assert numbers(calendar) == list(range(1, 101))
    with psycopg.connect(environment["DATABASE_SUPERUSER_URL_SCHEDULER"]) as rows:
        (next_at,) = rows.execute("SELECT next_at FROM series").fetchone() or (None,)
    assert next_at == datetime.fromisoformat(calendar["schedules"][50]["due_at"])
    clock.advance(next_at - clock.now())
    told = await bus.wait_told(ScheduleCreatedV1, 150, timeout_seconds=20)
    assert {event.occurrence for event in told} >= set(range(1, 151))  # type: ignore[attr-defined]


@pytest.mark.promise("P40")
async def test_a_preview_shows_what_the_zone_does_and_keeps_nothing(
    member: Member, content: Content, clock: MovableClock
):
    clock.advance(datetime.fromisoformat("2027-03-20T00:00Z") - clock.now())
    wish = {"rule": "FREQ=DAILY", "starts_at": "2027-03-27T02:30", "time_zone": "Europe/Berlin"}
    answer = await member.client.post(f"{member.series_path}/preview", json=wish, headers=member.headers)
    assert answer.status_code == 200, answer.text
    found = answer.json()["occurrences"]
    assert len(found) == 20
    assert [(each["occurrence"], each["at"], each["due_at"], each["adjustment"]) for each in found[:3]] == [
        (1, "2027-03-27T02:30:00", "2027-03-27T01:30:00Z", "none"),
        (2, "2027-03-28T02:30:00", "2027-03-28T01:00:00Z", "gap"),
        (3, "2027-03-29T02:30:00", "2027-03-29T00:30:00Z", "none"),
    ]
    listed = await member.client.get(member.series_path, headers=member.headers)
    assert listed.json() == {"series": []}


@pytest.mark.parametrize(
    ("fields", "kind", "pointer"),
    [
        ({"rule": "FREQ=HOURLY"}, "invalid", "/rule"),
        ({"rule": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"}, "invalid", "/rule"),
        ({"rule": ""}, "invalid", "/rule"),
        ({"rule": "F" * 501}, "invalid", "/rule"),
        ({"starts_at": "2020-01-01T10:00"}, "in-the-past", "/starts_at"),
        ({"starts_at": "2999-01-01T10:00"}, "invalid", "/starts_at"),
        ({"starts_at": "2027-02-30T10:00"}, "invalid", "/starts_at"),
        ({"time_zone": "Mars/Olympus"}, "invalid", "/time_zone"),
        ({"revision_id": str(new_id())}, "invalid", "/revision_id"),
        ({"connection_ids": [str(new_id())]}, "invalid", "/connection_ids/0"),
    ],
)
async def test_what_cannot_be_repeated_is_refused_whole(
    member: Member, content: Content, bus: Bus, tomorrow: str, fields: dict[str, Any], kind: str, pointer: str
):
    wish = {"rule": "FREQ=DAILY", "starts_at": tomorrow} | fields
    refused = await member.repeat(content.approve(member.workspace_id), **wish)
    assert (refused.status_code, refused.json()["type"]) == (422, f"urn:signoff:problem:{kind}"), refused.text
    assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]
    listed = await member.client.get(member.series_path, headers=member.headers)
    assert listed.json() == {"series": []}


@pytest.mark.promise("P06")
@pytest.mark.promise("P11")
async def test_series_are_there_for_those_who_reach_all_their_connections(
    member: Member, content: Content, environment: dict[str, str], tomorrow: str
):
    made = await member.repeated(content.approve(member.workspace_id, 2), rule="FREQ=DAILY", starts_at=tomorrow)
    key = KeyLimits(new_id(), frozenset(Permission), frozenset({UUID(made["connection_ids"][0])}))
    bound = member.passport(workspace_id=member.workspace_id, key=key)
    stranger = Member(member.client, new_id(), member.passport)
    for path, headers in ((member.series_path, bound), (stranger.series_path, stranger.headers)):
        assert (await member.client.get(path, headers=headers)).json() == {"series": []}
        one = f"{path}/{made['series_id']}"
        asked = [
            await member.client.get(one, headers=headers),
            await member.client.delete(one, headers=headers),
            await member.client.post(f"{one}/pause", headers=headers),
            await member.client.post(f"{one}/resume", headers=headers),
            await member.client.post(f"{one}/change-from", json={"since": tomorrow}, headers=headers),
        ]
        assert {answer.status_code for answer in asked} == {404}
    assert (await member.calendar(made["series_id"]))["series"] == made
    async with await psycopg.AsyncConnection.connect(environment["DATABASE_URL_SCHEDULER"]) as connection:
        own = Scope.workspace(member.workspace_id)
        for scope, seen in ((Scope.nobody(), 0), (Scope.workspace(new_id()), 0), (own, 1)):
            await connection.rollback()
            await connection.execute(scope.begin("scheduler"), prepare=False)
            assert len(await (await connection.execute("SELECT * FROM series")).fetchall()) == seen


def test_schedules_of_an_old_database_belong_to_no_series(old_database: MigrateOld):
    with old_database("scheduler", "0006") as (superuser, upgrade):
        superuser.execute(
            "INSERT INTO schedule (schedule_id, workspace_id, post_id, revision_id, wall_clock, time_zone, adjustment,"
            " due_at, state, created_at) SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(),"
            " gen_random_uuid(), now(), 'UTC', 'none', now(), 'scheduled', now() FROM generate_series(1, 3)"
        )
        upgrade()
        assert superuser.execute("SELECT DISTINCT series_id, occurrence FROM schedule").fetchall() == [(None, 1)]
