"""A schedule gets another time or another window: what is absent stays, and nothing fires at the old time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from contracts.access import Permission
from contracts.scheduler import ScheduleChangedV1, ScheduleDueV1
from kit.clock import MovableClock
from kit.ids import new_id
from kit.passport import KeyLimits
from kit.testing.services import Bus

from services.scheduler.tests.conftest import Content, Member
from services.scheduler.tests.test_api import local

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def moved(member: Member, schedule_id: str, **fields: Any) -> dict[str, Any]:
    answer = await member.move(schedule_id, **fields)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    assert await member.see(schedule_id) == document
    return document


@pytest.mark.promise("P40")
async def test_moving_changes_what_is_named_and_is_told(
    member: Member, content: Content, bus: Bus, clock: MovableClock
):
    made = await member.scheduled(content.approve(member.workspace_id), at=local(clock, DAY), late_minutes=30)
    at = local(clock, 2 * DAY)
    found = await moved(member, made["schedule_id"], at=at)
    due_at = datetime.fromisoformat(found["due_at"])
    window = {"publish_until": (due_at + HOUR / 2).isoformat().replace("+00:00", "Z")}
    assert found == made | {"at": at, "due_at": found["due_at"]} | window
    (told,) = await bus.wait_told(ScheduleChangedV1)
    assert told == ScheduleChangedV1(
        workspace_id=member.workspace_id,
        schedule_id=made["schedule_id"],
        occurrence=1,
        due_at=due_at,
        publish_until=due_at + HOUR / 2,
        when_missed="hold",
    )


async def test_moving_to_where_it_stands_changes_nothing_and_tells_nothing(
    member: Member, content: Content, bus: Bus, clock: MovableClock
):
    made = await member.scheduled(content.approve(member.workspace_id), at=local(clock, DAY))
    for fields in ({}, {"at": made["at"]}, {"time_zone": "Europe/Berlin", "late_minutes": 60, "when_missed": "hold"}):
        assert await moved(member, made["schedule_id"], **fields) == made
    dropped = await moved(member, made["schedule_id"], when_missed="drop", late_minutes=5)
    assert (dropped["due_at"], dropped["when_missed"]) == (made["due_at"], "drop")
    (told,) = await bus.wait_told(ScheduleChangedV1)
    assert told.when_missed == "drop"  # type: ignore[attr-defined]


async def test_another_zone_keeps_the_wall_clock_and_its_rules_are_shown(
    member: Member, content: Content, clock: MovableClock
):
    clock.advance(datetime.fromisoformat("2027-03-01T00:00Z") - clock.now())
    made = await member.scheduled(content.approve(member.workspace_id), at="2027-03-28T02:30", time_zone="UTC")
    found = await moved(member, made["schedule_id"], time_zone="Europe/Berlin")
    assert (found["at"], found["adjustment"]) == ("2027-03-28T02:30:00", "gap")
    assert datetime.fromisoformat(found["due_at"]) == datetime.fromisoformat("2027-03-28T01:00Z")


@pytest.mark.promise("P40")
@pytest.mark.promise("P43")
async def test_it_goes_out_at_the_new_time_and_not_at_the_old_one(
    member: Member, content: Content, bus: Bus, clock: MovableClock
):
    # Both are held in memory by now: they are due within the minute.
    later, sooner = [
        await member.scheduled(content.approve(member.workspace_id), at=local(clock, timedelta(seconds=30)))
        for _ in range(2)
    ]
    later = await moved(member, later["schedule_id"], at=local(clock, HOUR))
    sooner = await moved(member, sooner["schedule_id"], at=local(clock, timedelta(seconds=-2)))
    (first,) = await bus.wait_told(ScheduleDueV1, timeout_seconds=3)
    assert (str(first.schedule_id), first.due_at) == (  # type: ignore[attr-defined]
        sooner["schedule_id"],
        datetime.fromisoformat(sooner["due_at"]),
    )
    clock.advance(timedelta(minutes=5))
    other = await member.scheduled(content.approve(member.workspace_id))
    assert str((await bus.wait_told(ScheduleDueV1, 2))[1].schedule_id) == other["schedule_id"]  # type: ignore[attr-defined]
    clock.advance(HOUR)
    assert str((await bus.wait_told(ScheduleDueV1, 3))[2].schedule_id) == later["schedule_id"]  # type: ignore[attr-defined]


async def test_what_is_due_or_over_is_not_moved(member: Member, content: Content, bus: Bus, clock: MovableClock):
    due = await member.scheduled(content.approve(member.workspace_id))
    await bus.wait_told(ScheduleDueV1)
    cancelled = await member.scheduled(content.approve(member.workspace_id), at=local(clock, DAY))
    await member.cancel(cancelled["schedule_id"])
    for schedule_id in (due["schedule_id"], cancelled["schedule_id"]):
        before = await member.see(schedule_id)
        refused = await member.move(schedule_id, at=local(clock, 2 * DAY))
        assert (refused.status_code, refused.json()["type"]) == (409, "urn:signoff:problem:time-has-come")
        assert await member.see(schedule_id) == before


@pytest.mark.parametrize(
    ("fields", "kind", "pointer"),
    [
        ({"at": "2020-01-01T10:00"}, "in-the-past", "/at"),
        ({"at": "2999-01-01T10:00"}, "invalid", "/at"),
        ({"at": "2027-02-30T10:00"}, "invalid", "/at"),
        ({"at": None}, "invalid", "/at"),
        ({"time_zone": "Mars/Olympus"}, "invalid", "/time_zone"),
        ({"late_minutes": 0}, "invalid", "/late_minutes"),
        ({"when_missed": "ask"}, "invalid", "/when_missed"),
        ({"post_id": str(new_id())}, "invalid", "/post_id"),
    ],
)
async def test_a_value_that_is_not_allowed_moves_nothing(
    member: Member, content: Content, clock: MovableClock, fields: dict[str, Any], kind: str, pointer: str
):
    made = await member.scheduled(content.approve(member.workspace_id), at=local(clock, DAY))
    refused = await member.move(made["schedule_id"], **fields)
    assert (refused.status_code, refused.json()["type"]) == (422, f"urn:signoff:problem:{kind}")
    assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]
    assert await member.see(made["schedule_id"]) == made


@pytest.mark.promise("P06")
@pytest.mark.promise("P11")
async def test_who_cannot_see_it_cannot_move_it(member: Member, content: Content, clock: MovableClock):
    made = await member.scheduled(content.approve(member.workspace_id), at=local(clock, DAY))
    stranger = Member(member.client, new_id(), member.passport)
    assert (await stranger.move(made["schedule_id"], when_missed="drop")).status_code == 404
    key = KeyLimits(new_id(), frozenset(Permission), frozenset({new_id()}))
    for headers, status in (
        (member.passport(workspace_id=member.workspace_id, key=key), 404),
        (member.passport(workspace_id=member.workspace_id, role="viewer"), 403),
    ):
        path = f"{member.path}/{made['schedule_id']}"
        assert (await member.client.patch(path, json={"when_missed": "drop"}, headers=headers)).status_code == status
    assert await member.see(made["schedule_id"]) == made
