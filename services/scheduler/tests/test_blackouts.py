"""Nothing is planned into a blackout unless a person says so, and what stands in one already is told."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from contracts.scheduler import ScheduleChangedV1, ScheduleDueV1
from contracts.sealing import SealedRevision
from kit.clock import MovableClock
from kit.testing.services import Bus
from scheduler.domain.blackouts import BLACKOUTS_MAX
from scheduler.use_cases import blackouts as use_case

from services.scheduler.tests.conftest import Auth, Content, Member
from services.scheduler.tests.test_queues import MORNING, enqueue, free_of, give_slots

CHRISTMAS = {"name": "Christmas", "starts_at": "2027-12-24", "ends_at": "2027-12-26"}


@pytest.fixture(autouse=True)
def in_autumn(clock: MovableClock) -> None:
    """A Monday."""
    clock.advance(datetime.fromisoformat("2027-11-01T06:00Z") - clock.now())


@pytest.fixture
def revision(member: Member, content: Content) -> SealedRevision:
    return content.approve(member.workspace_id)


async def close(member: Member, *windows: dict[str, Any], role: str = "admin", **fields: Any) -> httpx.Response:
    wanted = {"time_zone": "Europe/Berlin", "windows": windows} | fields
    headers = member.passport(workspace_id=member.workspace_id, role=role)
    path = f"/api/workspaces/{member.workspace_id}/blackouts"
    return await member.client.post(path, json=wanted, headers=headers)


async def closed(member: Member, *windows: dict[str, Any], **fields: Any) -> dict[str, Any]:
    answer = await close(member, *windows, **fields)
    assert answer.status_code == 201, answer.text
    document: dict[str, Any] = answer.json()
    return document


async def listed(member: Member) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await member.ask("GET", "blackouts")).json()["blackouts"]
    return found


async def conflicts(member: Member, after: str | None = None) -> dict[str, Any]:
    answer = await member.ask("GET", "blackouts/conflicts" + (f"?after={after}" if after else ""))
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def refusal(answer: httpx.Response) -> list[str]:
    """The names of what is in the way."""
    document = answer.json()
    assert (answer.status_code, document["type"]) == (409, "urn:signoff:problem:blackout"), answer.text
    return [each["name"] for each in document["blackouts"]]


async def test_a_time_in_a_blackout_is_refused_with_its_name_unless_the_request_says_so(
    member: Member, revision: SealedRevision
):
    made = (await closed(member, CHRISTMAS))["blackouts"]
    assert made == await listed(member)
    assert made[0] | {"blackout_id": ""} == CHRISTMAS | {
        "blackout_id": "",
        "time_zone": "Europe/Berlin",
        "yearly": False,
        "connection_ids": None,
    }
    for at in ("2027-12-24T00:00", "2027-12-26T23:59:59"):
        refused = await member.schedule(revision, at=at)
        assert refusal(refused) == ["Christmas"]
    assert refused.json()["blackouts"] == [
        {
            "blackout_id": made[0]["blackout_id"],
            "name": "Christmas",
            "since": "2027-12-23T23:00:00Z",
            "until": "2027-12-26T23:00:00Z",
        }
    ]
    for at in ("2027-12-23T23:59:59", "2027-12-27T00:00"):
        assert (await member.scheduled(revision, at=at))["despite_blackouts"] == []
    knowingly = await member.scheduled(revision, at="2027-12-25T10:00", despite_blackouts=True)
    assert knowingly["despite_blackouts"] == [made[0]["blackout_id"]]
    assert (await member.see(knowingly["schedule_id"]))["despite_blackouts"] == [made[0]["blackout_id"]]
    assert await conflicts(member) == {"conflicts": []}


async def test_now_is_a_time_too(member: Member, revision: SealedRevision, clock: MovableClock):
    await closed(member, {"name": "Mourning", "starts_at": "2027-11-01T06:00", "ends_at": "2027-11-01T12:00"})
    assert refusal(await member.schedule(revision)) == ["Mourning"]
    assert (await member.schedule(revision, despite_blackouts=True)).status_code == 201


async def test_what_stands_in_a_new_blackout_is_told_and_goes_out_unless_somebody_decides(
    member: Member, revision: SealedRevision, bus: Bus, clock: MovableClock
):
    inside, outside, moved = [
        await member.scheduled(revision, at=at) for at in ("2027-12-24T10:00", "2027-12-23T10:00", "2027-12-26T10:00")
    ]
    made = await closed(member, CHRISTMAS)
    assert [each["schedule_id"] for each in made["conflicts"]] == [inside["schedule_id"], moved["schedule_id"]]
    assert await conflicts(member) == {"conflicts": made["conflicts"]}
    shown = made["conflicts"][0]
    assert [each["blackout_id"] for each in shown["blackouts"]] == [made["blackouts"][0]["blackout_id"]]
    assert shown["connection_ids"] == [str(revision.variants[0].connection_id)]
    assert await member.see(inside["schedule_id"]) == inside
    assert (await member.move(moved["schedule_id"], at="2027-12-27T10:00")).status_code == 200
    assert (await conflicts(member))["conflicts"] == made["conflicts"][:1]
    clock.advance(datetime.fromisoformat("2027-12-24T09:00Z") - clock.now())
    announced = await bus.wait_told(ScheduleDueV1, 2)
    assert {str(event.schedule_id) for event in announced} == {inside["schedule_id"], outside["schedule_id"]}  # type: ignore[attr-defined]


async def test_a_conflict_ends_when_somebody_says_that_it_goes_out_and_a_later_blackout_is_another(
    member: Member, revision: SealedRevision, bus: Bus
):
    planned = await member.scheduled(revision, at="2027-12-24T10:00")
    await closed(member, CHRISTMAS)
    accepted = (await member.move(planned["schedule_id"], despite_blackouts=True)).json()
    assert len(accepted["despite_blackouts"]) == 1
    assert await conflicts(member) == {"conflicts": []}
    assert await bus.told(ScheduleChangedV1) == []  # neither its time nor its window is another one
    await closed(member, {"name": "Holy Eve", "starts_at": "2027-12-24"})
    (conflict,) = (await conflicts(member))["conflicts"]
    assert [each["name"] for each in conflict["blackouts"]] == ["Holy Eve"]
    # Within what was accepted it can be moved about, but not into what was not.
    assert refusal(await member.move(planned["schedule_id"], at="2027-12-24T11:00")) == ["Holy Eve"]
    assert (await member.move(planned["schedule_id"], at="2027-12-25T11:00")).status_code == 200
    assert (await member.move(planned["schedule_id"], when_missed="drop")).status_code == 200
    away = (await member.move(planned["schedule_id"], at="2027-12-28T11:00")).json()
    assert away["despite_blackouts"] == []
    assert refusal(await member.move(planned["schedule_id"], at="2027-12-25T11:00")) == ["Christmas"]
    assert (await member.see(planned["schedule_id"]))["at"] == "2027-12-28T11:00:00"


async def test_a_blackout_for_some_connections_is_none_for_others(member: Member, content: Content, auth: Auth):
    revision = content.approve(member.workspace_id, connections=2)
    quiet, other = (variant.connection_id for variant in revision.variants)
    for each in (quiet, other):
        auth.stands(each)
    both = await member.scheduled(revision, at="2027-12-24T08:00")
    made = await closed(member, CHRISTMAS, connection_ids=[str(quiet)])
    assert [(each["schedule_id"], each["connection_ids"]) for each in made["conflicts"]] == [
        (both["schedule_id"], [str(quiet)])
    ]
    assert refusal(await member.schedule(revision, at="2027-12-24T10:00")) == ["Christmas"]
    await member.scheduled(revision, at="2027-12-24T10:00", connection_ids=[str(other)])


async def test_a_queue_leaves_out_slots_in_blackouts(member: Member, revision: SealedRevision, auth: Auth):
    connection: UUID = revision.variants[0].connection_id
    await give_slots(member, auth, connection, MORNING)
    await closed(member, {"name": "Monday off", "starts_at": "2027-11-01"}, {"name": "Tea", **_hours("2027-11-15")})
    expected = ["2027-11-08T09:00:00", "2027-11-22T09:00:00"]
    assert (await free_of(member, connection))[:2] == expected
    made = [(await enqueue(member, revision)).json()["schedules"][0]["at"] for _ in range(2)]
    assert made == expected


def _hours(day: str) -> dict[str, str]:
    return {"starts_at": f"{day}T08:30", "ends_at": f"{day}T09:01"}


async def test_times_that_are_offered_or_shifted_to_are_in_no_blackout(member: Member, revision: SealedRevision):
    await member.scheduled(revision, at="2027-11-02T10:00")
    await closed(
        member,
        {"name": "Lunch", "starts_at": "2027-11-02T10:30", "ends_at": "2027-11-02T12:30"},
        {"name": "Nap", "starts_at": "2027-11-02T12:30", "ends_at": "2027-11-02T13:00"},
        {"name": "Dawn", "starts_at": "2027-11-02T08:00", "ends_at": "2027-11-02T09:45"},
    )
    near = {"at": "2027-11-02T10:05", "spread_minutes": 30}
    refused = (await member.schedule(revision, **near)).json()
    assert refused["type"] == "urn:signoff:problem:too-close"
    assert (refused["before"]["at"], refused["after"]["at"]) == ("2027-11-02T07:59:00", "2027-11-02T13:00:00")
    assert (await member.scheduled(revision, when_close="shift", **near))["at"] == "2027-11-02T13:00:00"
    knowingly = await member.scheduled(revision, when_close="shift", despite_blackouts=True, **near)
    assert (knowingly["at"], len(knowingly["despite_blackouts"])) == ("2027-11-02T10:30:00", 1)


async def test_days_are_imported_as_a_list_and_a_second_time_changes_nothing(member: Member):
    days: list[dict[str, Any]] = [
        {"name": "New Year", "starts_at": "2027-01-01", "yearly": True},
        {"name": "Easter Monday", "starts_at": "2028-04-17"},
        {"name": "Easter Monday", "starts_at": "2028-04-17"},
    ]
    made = await closed(member, *days)
    assert [(each["name"], each["starts_at"], each["ends_at"]) for each in made["blackouts"]] == [
        ("New Year", "2027-01-01", "2027-01-01"),
        ("Easter Monday", "2028-04-17", "2028-04-17"),
    ]
    assert await closed(member, *reversed(days)) == made | {"blackouts": made["blackouts"][::-1]}
    assert await listed(member) == made["blackouts"]


async def test_a_blackout_that_is_removed_is_in_the_way_no_more(member: Member, revision: SealedRevision):
    made = (await closed(member, CHRISTMAS))["blackouts"][0]
    headers = member.passport(workspace_id=member.workspace_id, role="owner")
    path = f"/api/workspaces/{member.workspace_id}/blackouts/{made['blackout_id']}"
    assert (await member.client.delete(path, headers=headers)).status_code == 204
    assert (await member.client.delete(path, headers=headers)).status_code == 404
    await member.scheduled(revision, at="2027-12-24T10:00")


async def test_more_than_five_hundred_are_refused_whole(member: Member):
    hours = [
        {
            "name": str(each),
            "starts_at": f"2028-01-01T00:{each % 59:02}",
            "ends_at": f"2028-01-01T{1 + each // 59:02}:00",
        }
        for each in range(BLACKOUTS_MAX)
    ]
    await closed(member, *hours[:-1])
    refused = await close(member, hours[-1], CHRISTMAS)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:signoff:problem:too-many-blackouts")
    await closed(member, hours[-1], hours[0])
    assert len(await listed(member)) == BLACKOUTS_MAX


async def test_what_is_over_leaves_room_for_others_and_the_latest_of_it_is_still_seen(
    member: Member, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(use_case, "BLACKOUTS_MAX", 3)
    monkeypatch.setattr(use_case, "OVER_MAX", 2)
    first, second, third, *more = ({"name": f"Day {day}", "starts_at": f"2027-11-{day:02}"} for day in range(2, 10))
    yearly = {"name": "Birthday", "starts_at": "2027-11-03", "yearly": True}
    await closed(member, first, second, third)
    clock.advance(datetime.fromisoformat("2027-11-02T22:59Z") - clock.now())
    assert (await close(member, yearly)).status_code == 409
    clock.advance(timedelta(minutes=1))
    await closed(member, yearly)
    assert len(await listed(member)) == 4
    clock.advance(timedelta(days=2))
    assert (await close(member, *more[:3])).status_code == 409  # what returns is never over
    await closed(member, *more[:2])
    assert [each["name"] for each in await listed(member)] == ["Birthday", "Day 3", "Day 4", "Day 5", "Day 6"]


async def test_conflicts_are_told_in_pages_that_are_found_in_bounded_work(
    member: Member, revision: SealedRevision, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(use_case, "LOOKED_AT", 3)
    monkeypatch.setattr(use_case, "RANGES_AT_ONCE", 2)
    days = [f"2027-12-{day:02}" for day in range(1, 29, 3)]
    planned = [await member.scheduled(revision, at=f"{day}T10:00") for day in days]
    first = await closed(member, *({"name": "Quiet", "starts_at": day} for day in days))
    assert len(first["conflicts"]) == 3
    found, after = [each["schedule_id"] for each in first["conflicts"]], first.get("after")
    # What is accepted meanwhile makes a page short, not the last.
    for schedule in planned[3:6]:
        await member.move(schedule["schedule_id"], despite_blackouts=True)
    pages = 1
    while after:
        page = await conflicts(member, after)
        found += [each["schedule_id"] for each in page["conflicts"]]
        after, pages = page.get("after"), pages + 1
    assert found == [each["schedule_id"] for each in (*planned[:3], *planned[6:])]
    assert pages == 4
    refused = await member.ask("GET", "blackouts/conflicts?after=yesterday")
    assert (refused.status_code, refused.json()["errors"][0]["parameter"]) == (422, "after")
