"""A series is changed, stopped or ended, by a person or with what it stands on."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from contracts.content import PostApprovalWithdrawnV1, PostDeletedV1
from contracts.scheduler import ScheduleCancelledV1, ScheduleCreatedV1, ScheduleDueV1
from kit.clock import MovableClock
from kit.ids import new_id
from kit.testing import wait_for
from kit.testing.services import Bus

from services.scheduler.tests.conftest import Content, Member, numbers
from services.scheduler.tests.test_api import local
from services.scheduler.tests.test_subscribers import revocation

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def test_moving_and_cancelling_one_time_keeps_the_series(
    member: Member, content: Content, bus: Bus, clock: MovableClock, tomorrow: str
):
    made = await member.repeated(content.approve(member.workspace_id), rule="FREQ=DAILY", starts_at=tomorrow)
    first, second, third = (await member.calendar(made["series_id"]))["schedules"][:3]
    assert (await member.cancel(first["schedule_id"])).status_code == 200
    moved = await member.move(second["schedule_id"], at=local(clock, 10 * DAY + HOUR))
    assert (moved.status_code, moved.json()["occurrence"]) == (200, 2)
    calendar = await member.calendar(made["series_id"])
    assert numbers(calendar) == list(range(2, 15))
    assert calendar["series"] == made
    assert calendar["schedules"][1] == third


@pytest.mark.promise("P35")
async def test_cancelling_a_series_takes_back_what_has_not_gone_out(
    member: Member, content: Content, bus: Bus, clock: MovableClock, tomorrow: str
):
    made = await member.repeated(content.approve(member.workspace_id), rule="FREQ=DAILY", starts_at=tomorrow)
    for _ in range(2):
        cancelled = await member.client.delete(f"{member.series_path}/{made['series_id']}", headers=member.headers)
        assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    assert (await member.calendar(made["series_id"]))["schedules"] == []
    told = await bus.wait_told(ScheduleCancelledV1, 14)
    assert {event.reason for event in told} == {"series_cancelled"}  # type: ignore[attr-defined]
    for verb in ("pause", "resume"):
        refused = await member.ask_series(made["series_id"], verb)
        assert (refused.status_code, refused.json()["type"]) == (409, "urn:signoff:problem:series-over")
    clock.advance(3 * DAY)
    later = await member.scheduled(content.approve(member.workspace_id))
    due = await bus.wait_told(ScheduleDueV1)
    assert [str(event.schedule_id) for event in due] == [later["schedule_id"]]  # type: ignore[attr-defined]


async def test_a_change_cuts_the_series_and_another_goes_on_with_the_rest_of_the_rule(
    member: Member, content: Content, bus: Bus, clock: MovableClock, tomorrow: str
):
    made = await member.repeated(
        content.approve(member.workspace_id), rule="FREQ=DAILY;INTERVAL=2;COUNT=6", starts_at=tomorrow
    )
    since = local(clock, 4 * DAY)
    answer = await member.ask_series(made["series_id"], "change-from", since=since, late_minutes=5)
    assert answer.status_code == 201, answer.text
    ended, series = answer.json()["ended"], answer.json()["series"]
    # The times are at days 1, 3, 5, …: the third is the first one behind day 4.
    assert (ended["ends_after"], ended["state"]) == (2, "finished")
    assert series["rule"] == "FREQ=DAILY;INTERVAL=2;COUNT=4"
    assert series["starts_at"] == local(clock, 5 * DAY)[:11] + tomorrow[11:]
    assert (series["late_minutes"], series["state"]) == (5, "finished")
    assert numbers(await member.calendar(made["series_id"])) == [1, 2]
    assert numbers(await member.calendar(series["series_id"])) == [1, 2, 3, 4]
    told = await bus.wait_told(ScheduleCancelledV1, 4)
    assert {event.reason for event in told} == {"series_changed"}  # type: ignore[attr-defined]


async def test_a_change_of_the_clock_time_and_the_rule_leaves_what_came_before(
    member: Member, content: Content, clock: MovableClock, tomorrow: str
):
    made = await member.repeated(content.approve(member.workspace_id), rule="FREQ=DAILY", starts_at=tomorrow)
    starts_at = local(clock, 3 * DAY)[:10] + "T23:59:00"
    answer = await member.ask_series(
        made["series_id"], "change-from", since=local(clock, 3 * DAY)[:10] + "T00:00", starts_at=starts_at,
        rule="FREQ=WEEKLY", time_zone="Asia/Tokyo",
    )  # fmt: skip
    assert answer.status_code == 201, answer.text
    before = await member.calendar(made["series_id"])
    assert (numbers(before), before["series"]["state"]) == ([1, 2], "finished")
    after = await member.calendar(answer.json()["series"]["series_id"])
    assert {schedule["at"][11:] for schedule in after["schedules"]} == {"23:59:00"}
    assert {schedule["time_zone"] for schedule in after["schedules"]} == {"Asia/Tokyo"}


async def test_a_change_that_cannot_be_changes_nothing(
    member: Member, content: Content, clock: MovableClock, tomorrow: str
):
    made = await member.repeated(content.approve(member.workspace_id), rule="FREQ=DAILY;COUNT=3", starts_at=tomorrow)
    before = await member.calendar(made["series_id"])
    for fields, pointer in (
        ({"since": local(clock, 10 * DAY)}, "/since"),
        ({"since": tomorrow, "rule": "FREQ=HOURLY"}, "/rule"),
        ({"since": tomorrow, "starts_at": local(clock, HOUR)}, "/starts_at"),
        ({"since": tomorrow, "revision_id": str(new_id())}, "/revision_id"),
        ({}, "/since"),
    ):
        refused = await member.ask_series(made["series_id"], "change-from", **fields)
        assert refused.status_code in (400, 422), refused.text
        if fields:
            assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]
    assert await member.calendar(made["series_id"]) == before


async def test_a_paused_series_brings_nothing_and_counts_what_passed(
    member: Member, content: Content, bus: Bus, clock: MovableClock, tomorrow: str
):
    made = await member.repeated(content.approve(member.workspace_id), rule="FREQ=DAILY", starts_at=tomorrow)
    own = (await member.calendar(made["series_id"]))["schedules"][2]
    await member.tell("pause", own["schedule_id"])
    paused = await member.ask_series(made["series_id"], "pause")
    assert (paused.json()["state"], paused.json()["reason"]) == ("paused", "paused_by_person")
    clock.advance(20 * DAY + HOUR / 2)
    witness = await member.scheduled(content.approve(member.workspace_id))
    await bus.wait_told(ScheduleDueV1)
    assert len(await bus.told(ScheduleCreatedV1)) == 15
    resumed = await member.ask_series(made["series_id"], "resume")
    # Days 15 to 19 passed with their windows; the 20th is half an hour late, which is not too late.
    assert (resumed.json()["state"], resumed.json()["skipped"]) == ("active", 5)
    # What was brought before goes on and is left to its window; what a person had paused stays.
    due = await bus.wait_told(ScheduleDueV1, 1 + 13 + 1)
    late = {event.occurrence for event in due if str(event.schedule_id) != witness["schedule_id"]}  # type: ignore[attr-defined]
    assert late == ({*range(1, 15), 20} - {3})
    calendar = await member.calendar(made["series_id"])
    assert {each["occurrence"] for each in calendar["schedules"] if each["state"] == "paused"} == {3}
    assert numbers(calendar)[-1] == 34


async def test_a_workspace_that_stops_stops_its_series_and_they_go_on_with_it(
    member: Member, content: Content, bus: Bus, clock: MovableClock, tomorrow: str
):
    made = await member.repeated(content.approve(member.workspace_id), rule="FREQ=DAILY", starts_at=tomorrow)
    assert (await member.tell("pause")).json() == {"series": 1, "schedules": 14, "complete": True}
    stopped = await member.calendar(made["series_id"])
    assert (stopped["series"]["state"], stopped["series"]["reason"]) == ("paused", "workspace_paused")
    assert (await member.tell("resume")).json() == {"series": 1, "schedules": 14, "complete": True}
    goes_on = await member.calendar(made["series_id"])
    assert {schedule["state"] for schedule in goes_on["schedules"]} == {"scheduled"}
    clock.advance(DAY)
    await bus.wait_told(ScheduleCreatedV1, 15, timeout_seconds=20)
    assert (await member.calendar(made["series_id"]))["series"] == made


@pytest.mark.promise("P35")
async def test_a_series_ends_with_what_it_stands_on(
    member: Member, content: Content, bus: Bus, clock: MovableClock, tomorrow: str
):
    for kind, reason in ((PostApprovalWithdrawnV1, "approval_withdrawn"), (PostDeletedV1, "post_deleted")):
        revision, other = (content.approve(member.workspace_id) for _ in range(2))
        made, kept = [
            await member.repeated(each, rule="FREQ=DAILY;COUNT=3", starts_at=tomorrow) for each in (revision, other)
        ]
        ids = {"workspace_id": member.workspace_id, "post_id": revision.post_id}
        await bus.publish(kind(**ids, **({"revision_id": revision.revision_id} if kind is not PostDeletedV1 else {})))
        await wait_for(lambda: bus.settled("scheduler-content"))
        ended = await member.calendar(made["series_id"])
        assert (ended["series"]["state"], ended["series"]["reason"], ended["schedules"]) == ("cancelled", reason, [])
        assert numbers(await member.calendar(kept["series_id"])) == [1, 2, 3]


@pytest.mark.promise("P26")
async def test_a_revoked_connection_narrows_a_series_until_none_is_left(
    member: Member, content: Content, bus: Bus, clock: MovableClock, tomorrow: str
):
    revision = content.approve(member.workspace_id, 2)
    first, second = (variant.connection_id for variant in revision.variants)
    made = await member.repeated(revision, rule="FREQ=DAILY", starts_at=tomorrow)
    await bus.publish(revocation(member.workspace_id, first, clock))
    await bus.wait_told(ScheduleCancelledV1, 14)
    assert (await member.calendar(made["series_id"]))["series"] == made | {"connection_ids": [str(second)]}
    clock.advance(DAY)
    brought = (await bus.wait_told(ScheduleCreatedV1, 15, timeout_seconds=20))[14]
    assert brought.connection_ids == (second,)  # type: ignore[attr-defined]
    await bus.publish(revocation(member.workspace_id, second, clock))
    await wait_for(lambda: bus.settled("scheduler-auth"))
    ended = (await member.calendar(made["series_id"]))["series"]
    assert (ended["state"], ended["reason"]) == ("cancelled", "connection_revoked")


async def test_a_series_has_one_successor_whoever_changes_it_at_the_same_time(
    member: Member, content: Content, clock: MovableClock, tomorrow: str
):
    made = await member.repeated(content.approve(member.workspace_id), rule="FREQ=DAILY", starts_at=tomorrow)
    answers = await asyncio.gather(
        *(member.ask_series(made["series_id"], "change-from", since=local(clock, 3 * DAY)) for _ in range(4))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    listed = await member.client.get(member.series_path, headers=member.headers)
    assert len(listed.json()["series"]) == 2
    planned = (await member.client.get(member.path, headers=member.headers)).json()["schedules"]
    standing = [schedule["due_at"] for schedule in planned if schedule["state"] == "scheduled"]
    assert len(standing) == len(set(standing)) == 14


async def test_what_follows_a_paused_series_is_paused(
    member: Member, content: Content, clock: MovableClock, tomorrow: str
):
    made = await member.repeated(content.approve(member.workspace_id), rule="FREQ=DAILY", starts_at=tomorrow)
    await member.ask_series(made["series_id"], "pause")
    answer = await member.ask_series(made["series_id"], "change-from", since=local(clock, 3 * DAY)[:10] + "T00:00")
    series = answer.json()["series"]
    assert (series["state"], series["reason"]) == ("paused", "paused_by_person")
    assert (await member.calendar(series["series_id"]))["schedules"] == []
    assert (await member.ask_series(series["series_id"], "resume")).json()["state"] == "active"
    assert numbers(await member.calendar(series["series_id"])) == list(range(1, 13))
