"""Stop and go on: nothing goes out meanwhile, and nothing is skipped afterwards."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from contracts.access import Permission
from contracts.scheduler import (
    ScheduleCancelledV1,
    ScheduleChangedV1,
    ScheduleDueV1,
    SchedulePausedV1,
    ScheduleResumedV1,
)
from kit.clock import MovableClock
from kit.ids import new_id
from kit.passport import KeyLimits
from kit.testing.services import Bus, MigrateOld
from scheduler.use_cases import pause_schedules
from scheduler.use_cases.pause_schedules import BATCH

from services.scheduler.tests.conftest import Content, Member
from services.scheduler.tests.test_api import local

HOUR, DAY = timedelta(hours=1), timedelta(days=1)

MANY = 2 * BATCH + 100


async def done(member: Member, verb: str, schedule_id: str | None = None) -> dict[str, Any]:
    answer = await member.tell(verb, schedule_id)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


async def announced(bus: Bus, count: int) -> list[str]:
    return [str(event.schedule_id) for event in await bus.wait_told(ScheduleDueV1, count)]  # type: ignore[attr-defined]


async def witness(member: Member, content: Content) -> str:
    """A schedule of now: when it is announced, whatever was due before it has been too."""
    made = await member.scheduled(content.approve(member.workspace_id))
    return str(made["schedule_id"])


@pytest.mark.promise("P43")
async def test_what_is_paused_is_not_announced_and_goes_out_late_when_it_goes_on(
    member: Member, content: Content, bus: Bus, clock: MovableClock
):
    made = await member.scheduled(content.approve(member.workspace_id), at=local(clock, timedelta(seconds=40)))
    for _ in range(2):
        paused = await done(member, "pause", made["schedule_id"])
        assert paused == made | {"state": "paused", "reason": "paused_by_person"}
    (told,) = await bus.wait_told(SchedulePausedV1)
    assert (str(told.schedule_id), told.reason) == (made["schedule_id"], "paused_by_person")  # type: ignore[attr-defined]
    clock.advance(HOUR / 2)
    other = await witness(member, content)
    assert await announced(bus, 1) == [other]
    for _ in range(2):
        assert (await done(member, "resume", made["schedule_id"]))["reason"] is None
    assert await announced(bus, 2) == [other, made["schedule_id"]]
    (told,) = await bus.told(ScheduleResumedV1)
    assert told.due_at == datetime.fromisoformat(made["due_at"])  # type: ignore[attr-defined]
    assert told.publish_until == datetime.fromisoformat(made["publish_until"])  # type: ignore[attr-defined]


async def test_what_goes_on_before_its_time_waits_for_it(
    member: Member, content: Content, bus: Bus, clock: MovableClock
):
    made = await member.scheduled(content.approve(member.workspace_id), at=local(clock, HOUR))
    await done(member, "pause", made["schedule_id"])
    assert await done(member, "resume", made["schedule_id"]) == made
    other = await witness(member, content)
    assert await announced(bus, 1) == [other]
    clock.advance(HOUR)
    assert await announced(bus, 2) == [other, made["schedule_id"]]


@pytest.mark.parametrize("when_missed", ["hold", "drop"])
async def test_what_goes_on_after_its_window_is_left_to_the_window(
    member: Member, content: Content, bus: Bus, clock: MovableClock, when_missed: str
):
    revision = content.approve(member.workspace_id)
    made = await member.scheduled(revision, at=local(clock, HOUR), when_missed=when_missed)
    await done(member, "pause", made["schedule_id"])
    clock.advance(DAY)
    await done(member, "resume", made["schedule_id"])
    (due,) = await bus.wait_told(ScheduleDueV1)
    assert (due.when_missed, due.publish_until) == (  # type: ignore[attr-defined]
        when_missed,
        datetime.fromisoformat(made["publish_until"]),
    )


async def test_what_is_due_already_is_stopped_too_and_announced_once_more(
    member: Member, content: Content, bus: Bus, clock: MovableClock
):
    made = await member.scheduled(content.approve(member.workspace_id))
    await announced(bus, 1)
    assert (await done(member, "pause", made["schedule_id"]))["state"] == "paused"
    await done(member, "resume", made["schedule_id"])
    assert await announced(bus, 2) == [made["schedule_id"]] * 2


async def test_what_is_paused_can_be_moved_which_is_told_when_it_goes_on_and_cancelled(
    member: Member, content: Content, bus: Bus, clock: MovableClock
):
    made = await member.scheduled(content.approve(member.workspace_id), at=local(clock, HOUR))
    await done(member, "pause", made["schedule_id"])
    moved = await member.move(made["schedule_id"], at=local(clock, DAY))
    assert (moved.status_code, moved.json()["state"]) == (200, "paused")
    await done(member, "resume", made["schedule_id"])
    (told,) = await bus.wait_told(ScheduleResumedV1)
    assert told.due_at == datetime.fromisoformat(moved.json()["due_at"])  # type: ignore[attr-defined]
    assert await bus.told(ScheduleChangedV1) == []
    await done(member, "pause", made["schedule_id"])
    assert (await member.cancel(made["schedule_id"])).json()["state"] == "cancelled"
    await bus.wait_told(ScheduleCancelledV1)
    for verb in ("pause", "resume"):
        refused = await member.tell(verb, made["schedule_id"])
        assert (refused.status_code, refused.json()["type"]) == (409, "urn:signoff:problem:already-out")


@pytest.mark.promise("P11")
async def test_a_workspace_stops_as_a_whole_and_no_other_with_it(
    member: Member, content: Content, bus: Bus, clock: MovableClock
):
    planned = [
        await member.scheduled(content.approve(member.workspace_id), at=local(clock, HOUR + each * HOUR))
        for each in range(2)
    ]
    apart = await member.scheduled(content.approve(member.workspace_id), at=local(clock, HOUR))
    await done(member, "pause", apart["schedule_id"])
    stranger = Member(member.client, new_id(), member.passport)
    theirs = await stranger.scheduled(content.approve(stranger.workspace_id), at=local(clock, HOUR))
    assert await done(member, "pause") == {"series": 0, "schedules": 2, "complete": True}
    assert await done(member, "pause") == {"series": 0, "schedules": 0, "complete": True}
    assert {(await member.see(each["schedule_id"]))["reason"] for each in planned} == {"workspace_paused"}
    assert await stranger.see(theirs["schedule_id"]) == theirs
    assert await done(member, "resume") == {"series": 0, "schedules": 2, "complete": True}
    assert [await member.see(each["schedule_id"]) for each in planned] == planned
    assert (await member.see(apart["schedule_id"]))["state"] == "paused"
    assert len(await bus.wait_told(SchedulePausedV1, 3)) == 3
    assert len(await bus.wait_told(ScheduleResumedV1, 2)) == 2


async def test_many_are_stopped_in_batches_in_the_time_there_is_and_each_is_told(
    member: Member, bus: Bus, environment: dict[str, str], clock: MovableClock, monkeypatch: pytest.MonkeyPatch
):
    with psycopg.connect(environment["DATABASE_SUPERUSER_URL_SCHEDULER"]) as connection:
        connection.execute(
            "INSERT INTO schedule (schedule_id, workspace_id, post_id, revision_id, wall_clock, time_zone, adjustment,"
            " due_at, state, created_at) SELECT gen_random_uuid(), %(workspace_id)s, gen_random_uuid(),"
            " gen_random_uuid(), %(at)s::timestamp, 'UTC', 'none', %(at)s, 'scheduled', %(at)s"
            " FROM generate_series(1, %(many)s)",
            {"workspace_id": member.workspace_id, "at": clock.now() + HOUR, "many": MANY},
        )
    with monkeypatch.context() as patched:
        patched.setattr(pause_schedules, "SECONDS_MAX", 0)
        assert await done(member, "pause") == {"series": 0, "schedules": BATCH, "complete": False}
    assert await done(member, "pause") == {"series": 0, "schedules": MANY - BATCH, "complete": True}
    assert len(await bus.wait_told(SchedulePausedV1, MANY)) == MANY


@pytest.mark.promise("P06")
async def test_a_key_stops_what_it_reaches(member: Member, content: Content, clock: MovableClock):
    revision, other = (content.approve(member.workspace_id) for _ in range(2))
    mine, theirs = [await member.scheduled(each, at=local(clock, HOUR)) for each in (revision, other)]
    key = KeyLimits(new_id(), frozenset(Permission), frozenset({revision.variants[0].connection_id}))
    headers = member.passport(workspace_id=member.workspace_id, key=key)
    refused = await member.client.post(f"{member.path}/{theirs['schedule_id']}/pause", headers=headers)
    assert refused.status_code == 404
    stopped = await member.client.post(f"{member.path}/pause", headers=headers)
    assert stopped.json() == {"series": 0, "schedules": 1, "complete": True}
    assert [(await member.see(each["schedule_id"]))["state"] for each in (mine, theirs)] == ["paused", "scheduled"]
    viewer = member.passport(workspace_id=member.workspace_id, role="viewer")
    for path in (member.path, f"{member.path}/{mine['schedule_id']}"):
        for verb in ("pause", "resume"):
            assert (await member.client.post(f"{path}/{verb}", headers=viewer)).status_code == 403


def test_an_old_database_learns_to_pause_with_its_rows_in_it(old_database: MigrateOld):
    with old_database("scheduler", "0005") as (superuser, upgrade):
        superuser.execute(
            "INSERT INTO schedule (schedule_id, workspace_id, post_id, revision_id, wall_clock, time_zone, adjustment,"
            " due_at, state, created_at) SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(),"
            " gen_random_uuid(), now(), 'UTC', 'none', now(), 'due', now()"
        )
        upgrade()
        superuser.execute("UPDATE schedule SET state = 'paused'")
        assert superuser.execute("SELECT state FROM schedule").fetchall() == [("paused",)]
