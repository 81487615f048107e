"""Posts of one connection keep apart: by the workspace's rule, or further if a person asks for it."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import httpx
import pytest
from contracts.sealing import SealedRevision
from hypothesis import given
from hypothesis import strategies as st
from kit.clock import MovableClock
from kit.ids import new_id
from scheduler.domain.spread import MINUTE, last_free, next_free, said
from scheduler.domain.zones import zone

from services.scheduler.tests.conftest import Auth, Content, Member
from services.scheduler.tests.test_queues import MORNING, enqueue, free_of, give_slots

TOO_CLOSE = "urn:signoff:problem:too-close"


@pytest.fixture(autouse=True)
def on_a_monday(clock: MovableClock) -> None:
    """Seven in the morning in Berlin."""
    clock.advance(datetime.fromisoformat("2027-01-04T06:00Z") - clock.now())


@pytest.fixture
def revision(member: Member, content: Content) -> SealedRevision:
    return content.approve(member.workspace_id)


async def rule(member: Member, minutes: int) -> None:
    admin = member.passport(workspace_id=member.workspace_id, role="admin")
    path = f"/api/workspaces/{member.workspace_id}/spread"
    answer = await member.client.put(path, json={"spread_minutes": minutes}, headers=admin)
    assert (answer.status_code, answer.json()) == (200, {"spread_minutes": minutes})
    assert (await member.ask("GET", "spread")).json() == {"spread_minutes": minutes}


def refusal(answer: httpx.Response) -> tuple[str, str | None, str | None]:
    """The schedule that is too close, and the free times before and after it on the wall clock."""
    document = answer.json()
    assert (answer.status_code, document["type"]) == (409, TOO_CLOSE), answer.text
    before, after = (document[name] and document[name]["at"] for name in ("before", "after"))
    return document["schedule_id"], before, after


async def test_what_is_too_close_is_refused_with_the_nearest_free_times(member: Member, revision: SealedRevision):
    made = {at: await member.scheduled(revision, at=f"2027-01-05T{at}") for at in ("10:00", "10:50", "12:00:20")}
    await rule(member, 30)
    for at, other, before, after in (
        # Between ten and ten to eleven there is no room for half an hour on either side.
        ("10:20", "10:00", "09:30", "11:20"),
        ("10:29:59", "10:50", "09:30", "11:20"),
        ("11:19:59", "10:50", "09:30", "11:20"),
        ("11:45", "12:00:20", "11:30", "12:31"),
    ):
        refused = await member.schedule(revision, at=f"2027-01-05T{at}")
        expected = (made[other]["schedule_id"], f"2027-01-05T{before}:00", f"2027-01-05T{after}:00")
        assert refusal(refused) == expected, at
    assert refused.json()["connection_id"] == str(revision.variants[0].connection_id)
    assert refused.json()["due_at"] == made["12:00:20"]["due_at"]
    assert refused.json()["after"]["due_at"] == "2027-01-05T11:31:00Z"
    listed = await member.client.get(member.path, headers=member.headers)
    assert len(listed.json()["schedules"]) == 3
    for at in ("09:30", "11:20"):  # exactly so far apart is far enough
        assert "shifted_from" not in await member.scheduled(revision, at=f"2027-01-05T{at}")


async def test_who_asks_for_it_gets_the_next_free_time_and_is_told(member: Member, revision: SealedRevision):
    await member.scheduled(revision, at="2027-01-05T10:00")
    shifted = await member.scheduled(revision, at="2027-01-05T09:45", spread_minutes=30, when_close="shift")
    assert shifted.pop("shifted_from") == "2027-01-05T09:45:00"
    assert (shifted["at"], shifted["due_at"]) == ("2027-01-05T10:30:00", "2027-01-05T09:30:00Z")
    assert shifted["publish_until"] == "2027-01-05T10:30:00Z"
    assert await member.see(shifted["schedule_id"]) == {name: shifted[name] for name in shifted if name != "warnings"}


async def test_a_time_that_has_just_passed_is_kept_apart_too(
    member: Member, revision: SealedRevision, clock: MovableClock
):
    await member.scheduled(revision, at="2027-01-04T06:59:30")  # it is seven o'clock
    clock.advance(timedelta(seconds=40))
    shifted = await member.scheduled(revision, at="2027-01-04T07:00:10", spread_minutes=1, when_close="shift")
    assert shifted["at"] == "2027-01-04T07:01:00"


async def test_the_wider_of_rule_and_request_counts(member: Member, revision: SealedRevision):
    await member.scheduled(revision, at="2027-01-05T10:00")
    await member.scheduled(revision, at="2027-01-05T10:00")  # without a rule they may go out together
    await rule(member, 60)
    refused = await member.schedule(revision, at="2027-01-05T10:45", spread_minutes=10)
    assert refusal(refused)[1:] == ("2027-01-05T09:00:00", "2027-01-05T11:00:00")
    assert refused.json()["spread_minutes"] == 60
    refused = await member.schedule(revision, at="2027-01-05T12:00", spread_minutes=180)
    assert refusal(refused)[1:] == ("2027-01-05T07:00:00", "2027-01-05T13:00:00")
    await rule(member, 0)
    await member.scheduled(revision, at="2027-01-05T10:01")


async def test_moving_keeps_apart_from_others_but_not_from_itself(member: Member, revision: SealedRevision):
    first = await member.scheduled(revision, at="2027-01-05T10:00")
    second = await member.scheduled(revision, at="2027-01-05T12:00")
    await rule(member, 60)
    near = await member.move(second["schedule_id"], at="2027-01-05T12:10")
    assert near.status_code == 200, near.text
    refused = await member.move(second["schedule_id"], at="2027-01-05T10:10")
    assert refusal(refused)[0] == first["schedule_id"]
    assert await member.see(second["schedule_id"]) == near.json()
    moved = (await member.move(second["schedule_id"], at="2027-01-05T10:10", when_close="shift")).json()
    assert (moved["at"], moved["shifted_from"]) == ("2027-01-05T11:00:00", "2027-01-05T10:10:00")
    # Another window is no other time, whatever stands close to it meanwhile.
    await rule(member, 120)
    assert (await member.move(second["schedule_id"], when_missed="drop")).status_code == 200


async def test_other_connections_and_what_is_cancelled_are_no_neighbours(member: Member, content: Content):
    await rule(member, 60)
    revision = content.approve(member.workspace_id, connections=2)
    one, other = ([str(variant.connection_id)] for variant in revision.variants)
    taken_back = await member.scheduled(revision, at="2027-01-05T10:00", connection_ids=one)
    await member.cancel(taken_back["schedule_id"])
    for connection_ids in (one, other):
        await member.scheduled(revision, at="2027-01-05T10:10", connection_ids=connection_ids)
    await member.scheduled(revision, at="2027-01-05T11:30", connection_ids=other)
    # Both at once are free only where each of them is.
    assert refusal(await member.schedule(revision, at="2027-01-05T10:20"))[1:] == (
        "2027-01-05T09:10:00",
        "2027-01-05T12:30:00",
    )


async def test_no_free_time_is_offered_in_the_past_nor_beyond_a_month(member: Member, revision: SealedRevision):
    # It is seven o'clock.
    await member.scheduled(revision, at="2027-01-04T07:30")
    for each in range(22):  # 33 days, a post every day and a half
        at = datetime.fromisoformat("2027-01-05T08:00") + each * timedelta(hours=36)
        await member.scheduled(revision, at=at.isoformat(timespec="minutes"))
    for when_close in ("refuse", "shift"):
        refused = await member.schedule(revision, at="2027-01-04T08:00", spread_minutes=1440, when_close=when_close)
        assert refusal(refused)[1:] == (None, None)


@pytest.mark.promise("P40")
async def test_a_shift_ends_at_a_time_that_the_wall_clock_can_say(
    member: Member, revision: SealedRevision, clock: MovableClock
):
    clock.advance(datetime.fromisoformat("2027-10-30T12:00Z") - clock.now())
    await member.scheduled(revision, at="2027-10-31T02:50")  # the first of two
    shifted = await member.scheduled(revision, at="2027-10-31T02:45", spread_minutes=30, when_close="shift")
    # Half an hour later it is 02:20 for the second time.
    assert (shifted["at"], shifted["due_at"], shifted["adjustment"]) == (
        "2027-10-31T03:00:00",
        "2027-10-31T02:00:00Z",
        "none",
    )


async def test_of_many_at_once_no_two_are_too_close(member: Member, revision: SealedRevision):
    await rule(member, 45)
    wanted = [f"2027-01-05T10:{minute:02}" for minute in range(0, 60, 10)]
    moving = await member.scheduled(revision, at="2027-01-06T10:00")
    answers = await asyncio.gather(
        *(member.schedule(revision, at=at, when_close="shift") for at in wanted),
        member.move(moving["schedule_id"], at="2027-01-05T10:05", when_close="shift"),
    )
    assert {answer.status_code for answer in answers} == {200, 201}
    due = sorted(datetime.fromisoformat(answer.json()["due_at"]) for answer in answers)
    assert min(later - earlier for earlier, later in pairwise(due)) >= timedelta(minutes=45)


async def test_a_queue_gives_only_slots_that_are_far_enough(member: Member, revision: SealedRevision, auth: Auth):
    connection: UUID = revision.variants[0].connection_id
    await give_slots(member, auth, connection, MORNING, {"weekday": "MO", "at": "09:40"})
    await member.scheduled(revision, at="2027-01-04T09:20")
    assert (await free_of(member, connection))[:2] == ["2027-01-04T09:00:00", "2027-01-04T09:40:00"]
    await rule(member, 20)
    (made,) = (await enqueue(member, revision)).json()["schedules"]
    assert made["at"] == "2027-01-04T09:00:00"
    (made,) = (await enqueue(member, revision, spread_minutes=21)).json()["schedules"]
    assert made["at"] == "2027-01-11T09:00:00"
    await rule(member, 21)
    assert (await free_of(member, connection))[:2] == ["2027-01-11T09:40:00", "2027-01-18T09:00:00"]


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"spread_minutes": -1}, "/spread_minutes"),
        ({"spread_minutes": 1441}, "/spread_minutes"),
        ({"when_close": "ask"}, "/when_close"),
    ],
)
async def test_a_spread_that_is_not_allowed_changes_nothing(
    member: Member, revision: SealedRevision, fields: dict[str, Any], pointer: str
):
    made = await member.scheduled(revision, at="2027-01-05T10:00")
    for refused in (
        await member.schedule(revision, at="2027-01-05T11:00", **fields),
        await member.move(made["schedule_id"], at="2027-01-05T11:00", **fields),
    ):
        assert (refused.status_code, [error["pointer"] for error in refused.json()["errors"]]) == (422, [pointer])
    listed = await member.client.get(member.path, headers=member.headers)
    assert listed.json() == {"schedules": [made]}


async def test_only_who_may_change_the_workspace_changes_its_rule(member: Member):
    for role, status in (("editor", 403), ("owner", 200)):
        headers = member.passport(workspace_id=member.workspace_id, role=role)
        path = f"/api/workspaces/{member.workspace_id}/spread"
        assert (await member.client.put(path, json={"spread_minutes": 5}, headers=headers)).status_code == status
    elsewhere = Member(member.client, new_id(), member.passport)
    assert (await elsewhere.ask("GET", "spread")).json() == {"spread_minutes": 0}


_MINUTES = st.integers(0, 600)


@given(st.sets(_MINUTES, max_size=12), _MINUTES, st.integers(1, 90), st.sampled_from(["UTC", "Europe/Berlin"]))
def test_the_nearest_free_times_are_free_and_nothing_nearer_is(minutes: set[int], asked: int, apart: int, name: str):
    # The clocks of Berlin are set back an hour in this night.
    start, in_zone, spread = datetime.fromisoformat("2027-10-30T20:00Z"), zone(name), apart * MINUTE
    busy = [start + each * MINUTE for each in sorted(minutes)]

    def free(instant: datetime) -> bool:
        return said(instant, in_zone)[1].due_at == instant and all(abs(each - instant) >= spread for each in busy)

    wanted = start + asked * MINUTE
    later = next_free(busy, spread, in_zone, since=wanted).resolved.due_at
    earlier = last_free(busy, spread, in_zone, until=wanted).resolved.due_at
    assert later == next(each for each in (wanted + step * MINUTE for step in range(2_000)) if free(each))
    assert earlier == next(each for each in (wanted - step * MINUTE for step in range(2_000)) if free(each))
