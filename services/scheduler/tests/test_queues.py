"""Weekly slots of a connection, and posts that take the next free one."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from contracts.access import Permission
from contracts.scheduler import ScheduleCreatedV1
from contracts.sealing import SealedRevision
from hypothesis import given
from hypothesis import strategies as st
from kit.clock import MovableClock
from kit.ids import new_id
from kit.passport import KeyLimits
from kit.testing.services import Bus
from scheduler.domain.queues import Queue, Slot
from scheduler.domain.wall_clock import resolve
from scheduler.domain.zones import zone

from services.scheduler.tests.conftest import Auth, Content, Member, body

MONDAY = datetime.fromisoformat("2027-01-04T06:00Z")
MORNING = {"weekday": "MO", "at": "09:00"}
NOON = {"weekday": "MO", "at": "12:00"}
DAY, YEAR = timedelta(days=1), timedelta(days=366)


@pytest.fixture(autouse=True)
def on_a_monday(clock: MovableClock) -> None:
    """Seven in the morning in Berlin."""
    clock.advance(MONDAY - clock.now())


async def give_slots(
    member: Member, auth: Auth, connection_id: UUID, *slots: dict[str, str], time_zone: str = "Europe/Berlin"
) -> dict[str, Any]:
    auth.stands(connection_id)
    answer = await member.ask("PUT", f"connections/{connection_id}/queue", time_zone=time_zone, slots=list(slots))
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


async def enqueue(member: Member, revision: SealedRevision, **fields: Any) -> httpx.Response:
    wanted = body(revision)
    del wanted["time_zone"]
    return await member.ask("POST", "queue", **wanted | fields)


async def enqueued(member: Member, revision: SealedRevision) -> list[dict[str, Any]]:
    answer = await enqueue(member, revision)
    assert answer.status_code == 201, answer.text
    schedules: list[dict[str, Any]] = answer.json()["schedules"]
    return schedules


async def free_of(member: Member, connection_id: UUID) -> list[str]:
    answer = await member.ask("GET", f"connections/{connection_id}/queue")
    return [each["at"] for each in answer.json()["free"]]


async def test_a_queue_is_replaced_whole_and_shows_its_next_twenty_free_times(member: Member, auth: Auth):
    connection = new_id()
    await give_slots(member, auth, connection, {"weekday": "FR", "at": "18:30"}, {"weekday": "TU", "at": "08:00"})
    shown = await give_slots(member, auth, connection, NOON, MORNING, MORNING)
    assert shown["slots"] == [MORNING, NOON]
    assert (shown["connection_id"], shown["time_zone"], len(shown["free"])) == (str(connection), "Europe/Berlin", 20)
    assert shown["free"][0] == {"at": "2027-01-04T09:00:00", "due_at": "2027-01-04T08:00:00Z", "adjustment": "none"}
    assert [each["at"] for each in shown["free"][1:3]] == ["2027-01-04T12:00:00", "2027-01-11T09:00:00"]
    assert (await member.ask("GET", f"connections/{connection}/queue")).json() == shown


@pytest.mark.promise("P40")
async def test_a_post_takes_the_next_free_slot_and_is_told_like_any_other(
    member: Member, content: Content, auth: Auth, bus: Bus
):
    revision = content.approve(member.workspace_id)
    (connection,) = (variant.connection_id for variant in revision.variants)
    await give_slots(member, auth, connection, MORNING, NOON)
    await member.scheduled(revision, at="2027-01-04T09:00")  # by hand, on a slot
    (made,) = await enqueued(member, revision)
    assert (made["at"], made["time_zone"], made["due_at"]) == (
        "2027-01-04T12:00:00",
        "Europe/Berlin",
        "2027-01-04T11:00:00Z",
    )
    assert await member.see(made["schedule_id"]) == {name: made[name] for name in made if name != "warnings"}
    assert str((await bus.wait_told(ScheduleCreatedV1, 2))[1].schedule_id) == made["schedule_id"]  # type: ignore[attr-defined]


async def test_what_is_moved_or_cancelled_frees_its_slot(member: Member, content: Content, auth: Auth):
    revision = content.approve(member.workspace_id)
    (connection,) = (variant.connection_id for variant in revision.variants)
    await give_slots(member, auth, connection, MORNING)
    first, second, third = [(await enqueued(member, revision))[0] for _ in range(3)]
    assert (await free_of(member, connection))[0] == "2027-01-25T09:00:00"
    await member.cancel(first["schedule_id"])
    await member.move(second["schedule_id"], at="2027-01-12T10:00")
    assert (await free_of(member, connection))[:3] == [
        "2027-01-04T09:00:00",
        "2027-01-11T09:00:00",
        "2027-01-25T09:00:00",
    ]
    assert [(await enqueued(member, revision))[0]["at"] for _ in range(2)] == [first["at"], second["at"]]
    assert (await member.see(third["schedule_id"]))["at"] == third["at"]


async def test_connections_with_different_times_get_schedules_of_their_own(
    member: Member, content: Content, auth: Auth
):
    revision = content.approve(member.workspace_id, connections=4)
    one, same, later, elsewhere = (variant.connection_id for variant in revision.variants)
    await give_slots(member, auth, one, NOON)
    await give_slots(member, auth, same, NOON)
    await give_slots(member, auth, later, {"weekday": "TU", "at": "12:00"})
    await give_slots(member, auth, elsewhere, NOON, time_zone="America/New_York")
    made = await enqueued(member, revision)
    assert [
        (each["due_at"], each["time_zone"], [target["connection_id"] for target in each["connections"]])
        for each in made
    ] == [
        ("2027-01-04T11:00:00Z", "Europe/Berlin", [str(one), str(same)]),
        ("2027-01-04T17:00:00Z", "America/New_York", [str(elsewhere)]),
        ("2027-01-05T11:00:00Z", "Europe/Berlin", [str(later)]),
    ]


@pytest.mark.promise("P40")
async def test_a_slot_that_the_clocks_leave_out_is_shown_with_its_adjustment(
    member: Member, content: Content, auth: Auth, clock: MovableClock
):
    clock.advance(datetime.fromisoformat("2027-03-26T12:00Z") - clock.now())
    revision = content.approve(member.workspace_id)
    (connection,) = (variant.connection_id for variant in revision.variants)
    in_the_gap = [{"weekday": "SU", "at": at} for at in ("02:15", "02:30", "03:00")]
    shown = await give_slots(member, auth, connection, *in_the_gap)
    # Three slots are one instant on that day, and three again a week later.
    assert [(each["at"], each["adjustment"]) for each in shown["free"][:3]] == [
        ("2027-03-28T02:15:00", "gap"),
        ("2027-04-04T02:15:00", "none"),
        ("2027-04-04T02:30:00", "none"),
    ]
    (made,) = await enqueued(member, revision)
    assert (made["at"], made["adjustment"], made["due_at"]) == ("2027-03-28T02:15:00", "gap", "2027-03-28T01:00:00Z")


async def test_many_at_once_never_get_the_same_slot(member: Member, content: Content, auth: Auth):
    revision = content.approve(member.workspace_id, connections=2)
    for variant in revision.variants:
        await give_slots(member, auth, variant.connection_id, MORNING, NOON)
    backwards = body(revision, [variant.connection_id for variant in reversed(revision.variants)])["connection_ids"]
    answers = await asyncio.gather(
        *(enqueue(member, revision, **({"connection_ids": backwards} if each % 2 else {})) for each in range(8))
    )
    assert {answer.status_code for answer in answers} == {201}
    times = [schedule["due_at"] for answer in answers for schedule in answer.json()["schedules"]]
    assert len(times) == len(set(times)) == 8


async def test_a_full_queue_is_refused_whole(member: Member, content: Content, auth: Auth):
    revision = content.approve(member.workspace_id, connections=2)
    free, full = (variant.connection_id for variant in revision.variants)
    await give_slots(member, auth, free, MORNING)
    refused = await enqueue(member, revision)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:signoff:problem:no-queue")
    assert refused.json()["connection_id"] == str(full)
    await give_slots(member, auth, full)
    refused = await enqueue(member, revision)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:signoff:problem:queue-full")
    assert refused.json()["connection_id"] == str(full)
    assert (await member.client.get(member.path, headers=member.headers)).json() == {"schedules": []}


async def test_the_last_slot_of_the_year_is_taken_and_then_the_queue_is_full(
    member: Member, content: Content, auth: Auth
):
    revision = content.approve(member.workspace_id)
    (connection,) = (variant.connection_id for variant in revision.variants)
    await give_slots(member, auth, connection, MORNING)
    # 366 days hold 53 Mondays from this one on.
    made = [(await enqueued(member, revision))[0]["at"] for _ in range(53)]
    assert made[-1] == "2028-01-03T09:00:00"
    assert (await enqueue(member, revision)).json()["type"] == "urn:signoff:problem:queue-full"


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"time_zone": "Mars/Olympus"}, "/time_zone"),
        ({"slots": [{"weekday": "MO", "at": "24:00"}]}, "/slots/0/at"),
        ({"slots": [{"weekday": "MO", "at": "9:00"}]}, "/slots/0/at"),
        ({"slots": [{"weekday": "XX", "at": "09:00"}]}, "/slots/0/weekday"),
        ({"slots": [MORNING] * 51}, "/slots"),
        ({"surprise": 1}, "/surprise"),
    ],
)
async def test_a_queue_with_a_value_that_is_not_allowed_replaces_nothing(
    member: Member, auth: Auth, fields: dict[str, Any], pointer: str
):
    connection = new_id()
    shown = await give_slots(member, auth, connection, MORNING)
    wanted = {"time_zone": "Europe/Berlin", "slots": [NOON]} | fields
    refused = await member.ask("PUT", f"connections/{connection}/queue", **wanted)
    assert refused.status_code == 422, refused.text
    assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]
    assert (await member.ask("GET", f"connections/{connection}/queue")).json() == shown


@pytest.mark.promise("P06")
async def test_queues_of_others_are_neither_seen_nor_used(member: Member, content: Content, auth: Auth):
    revision = content.approve(member.workspace_id)
    (connection,) = (variant.connection_id for variant in revision.variants)
    path = f"connections/{connection}/queue"
    unknown = await member.ask("PUT", path, time_zone="UTC", slots=[MORNING])
    assert (unknown.status_code, unknown.json()["type"]) == (404, "urn:signoff:problem:not-found")
    await give_slots(member, auth, connection, MORNING)
    stranger = Member(member.client, new_id(), member.passport)
    assert (await stranger.ask("GET", path)).status_code == 404
    key = KeyLimits(new_id(), frozenset(Permission), frozenset({new_id()}))
    bound = member.passport(workspace_id=member.workspace_id, key=key)
    address = f"/api/workspaces/{member.workspace_id}"
    assert (await member.client.get(f"{address}/{path}", headers=bound)).status_code == 404
    wanted = {name: value for name, value in body(revision).items() if name != "time_zone"}
    refused = await member.client.post(f"{address}/queue", json=wanted, headers=bound)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/connection_ids/0")
    viewer = member.passport(workspace_id=member.workspace_id, role="viewer")
    assert (await member.client.post(f"{address}/queue", json=wanted, headers=viewer)).status_code == 403
    assert len(await free_of(member, connection)) == 20


_slots = st.builds(Slot, st.integers(0, 6), st.times().map(lambda at: time(at.hour, at.minute)))
_zones = st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "UTC"])
_instants = st.datetimes(datetime(2026, 1, 1), datetime(2029, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(st.sets(_slots, max_size=12), _zones, _instants, st.integers(0, 40))
def test_a_queues_times_are_all_of_its_slots_and_nothing_else(slots: set[Slot], name: str, after: datetime, days: int):
    in_zone, last = zone(name), after + days * DAY
    queue = Queue(new_id(), new_id(), name, tuple(sorted(slots)))
    found = [each.due_at for each in queue.times(in_zone, after=after, last=last)]
    first_day = after.astimezone(in_zone).date() - 2 * DAY
    expected = {
        resolve(datetime.combine(first_day + each * DAY, slot.at), in_zone).due_at
        for each in range(days + 5)
        for slot in slots
        if (first_day + each * DAY).weekday() == slot.weekday
    }
    assert found == sorted(each for each in expected if after < each <= last)
