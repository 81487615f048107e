"""What members can ask of the scheduler, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from contracts.access import Permission
from contracts.publisher import PublicationPublishedV1
from contracts.scheduler import ScheduleCancelledV1, ScheduleCreatedV1
from kit.clock import MovableClock
from kit.ids import new_id
from kit.passport import KeyLimits
from kit.testing import wait_for
from kit.testing.services import Bus, MakePassport

from services.scheduler.tests.conftest import Content, Member, body

BERLIN = ZoneInfo("Europe/Berlin")


def local(clock: MovableClock, ahead: timedelta) -> str:
    return (clock.now() + ahead).astimezone(BERLIN).replace(tzinfo=None).isoformat(timespec="seconds")


@pytest.mark.promise("P40")
async def test_a_schedule_is_kept_and_told(member: Member, content: Content, bus: Bus, clock: MovableClock):
    revision = content.approve(member.workspace_id, connections=2)
    at = local(clock, timedelta(days=2))
    made = await member.scheduled(revision, at=at)
    due_at = datetime.fromisoformat(at).replace(tzinfo=BERLIN)
    assert (made["at"], made["time_zone"], made["adjustment"]) == (at, "Europe/Berlin", "none")
    assert datetime.fromisoformat(made["due_at"]) == due_at
    (told,) = await bus.wait_told(ScheduleCreatedV1)
    assert told == ScheduleCreatedV1(
        workspace_id=member.workspace_id,
        schedule_id=made["schedule_id"],
        occurrence=1,
        post_id=revision.post_id,
        revision_id=revision.revision_id,
        connection_ids=tuple(variant.connection_id for variant in revision.variants),
        due_at=due_at,
        publish_until=due_at + timedelta(hours=1),
        when_missed="hold",
    )
    assert await member.see(made["schedule_id"]) == made
    listed = await member.client.get(member.path, headers=member.headers)
    assert listed.json() == {"schedules": [made]}


@pytest.mark.promise("P40")
async def test_the_person_is_told_when_their_time_does_not_exist(member: Member, content: Content, clock: MovableClock):
    clock.advance(datetime.fromisoformat("2027-03-01T00:00Z") - clock.now())
    made = await member.scheduled(content.approve(member.workspace_id), at="2027-03-28T02:30")
    assert (made["at"], made["adjustment"]) == ("2027-03-28T02:30:00", "gap")
    assert datetime.fromisoformat(made["due_at"]) == datetime.fromisoformat("2027-03-28T01:00Z")


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"at": "2027-01-01T10:00+01:00"}, "/at"),
        ({"at": "2027-01-01T10:00Z"}, "/at"),
        ({"at": "2027-02-30T10:00"}, "/at"),
        ({"at": "tomorrow"}, "/at"),
        ({"at": "9999-12-31T23:59"}, "/at"),
        ({"at": 5}, "/at"),
        ({"time_zone": "Mars/Olympus"}, "/time_zone"),
        ({"time_zone": "x" * 65}, "/time_zone"),
        ({"time_zone": None}, "/time_zone"),
        ({"connection_ids": []}, "/connection_ids"),
        ({"connection_ids": ["x"]}, "/connection_ids/0"),
        ({"connection_ids": [str(new_id()) for _ in range(51)]}, "/connection_ids"),
        ({"surprise": 1}, "/surprise"),
    ],
)
async def test_a_value_that_is_not_allowed_is_refused_whole(
    member: Member, content: Content, fields: dict[str, Any], pointer: str
):
    refused = await member.schedule(content.approve(member.workspace_id), **fields)
    assert refused.status_code == 422, refused.text
    assert refused.json()["type"] == "urn:signoff:problem:invalid"
    assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]
    assert await nothing_kept(member)


async def nothing_kept(member: Member) -> bool:
    listed = await member.client.get(member.path, headers=member.headers)
    return bool(listed.json() == {"schedules": []})


async def test_a_time_that_has_passed_is_refused(member: Member, content: Content, clock: MovableClock):
    revision = content.approve(member.workspace_id)
    refused = await member.schedule(revision, at=local(clock, timedelta(minutes=-2)))
    assert (refused.status_code, refused.json()["type"]) == (422, "urn:signoff:problem:in-the-past")
    assert await nothing_kept(member)
    await member.scheduled(revision, at=local(clock, timedelta(seconds=-30)))


async def test_a_time_beyond_the_horizon_is_refused(member: Member, content: Content, clock: MovableClock):
    refused = await member.schedule(content.approve(member.workspace_id), at=local(clock, timedelta(days=367)))
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/at")


@pytest.mark.promise("P32")
async def test_only_an_approved_revision_is_scheduled(member: Member, content: Content):
    refused = await member.schedule(content.approve(member.workspace_id, sealed=False))
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:signoff:problem:revision-not-approved")
    assert await nothing_kept(member)


async def test_what_does_not_belong_together_is_refused(member: Member, content: Content):
    revision, elsewhere = content.approve(member.workspace_id), content.approve(new_id())
    own = str(revision.variants[0].connection_id)
    for fields, pointer in (
        ({"post_id": str(new_id())}, "/post_id"),
        ({"revision_id": str(new_id())}, "/revision_id"),
        ({"revision_id": str(elsewhere.revision_id)}, "/revision_id"),
        ({"connection_ids": [own, str(new_id())]}, "/connection_ids/1"),
        ({"connection_ids": [own, own]}, "/connection_ids/1"),
    ):
        refused = await member.schedule(revision, **fields)
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, pointer)
    assert await nothing_kept(member)


@pytest.mark.promise("P06")
async def test_a_key_bound_to_connections_sees_and_plans_nothing_of_others(
    member: Member, content: Content, client: httpx.AsyncClient, passport: MakePassport
):
    revision, other = (content.approve(member.workspace_id) for _ in range(2))
    (own,), (theirs,) = ([variant.connection_id for variant in each.variants] for each in (revision, other))
    made = await member.scheduled(other)
    key = KeyLimits(new_id(), frozenset(Permission), frozenset({own}))
    headers = passport(workspace_id=member.workspace_id, key=key)
    assert (await client.get(member.path, headers=headers)).json() == {"schedules": []}
    for method in ("GET", "DELETE"):
        refused = await client.request(method, f"{member.path}/{made['schedule_id']}", headers=headers)
        assert (refused.status_code, refused.json()["type"]) == (404, "urn:signoff:problem:not-found")
    assert (await member.see(made["schedule_id"]))["state"] != "cancelled"
    refused = await client.post(member.path, json=body(other), headers=headers)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/connection_ids/0")
    planned = await client.post(member.path, json=body(revision), headers=headers)
    assert planned.status_code == 201, planned.text
    assert (await client.get(member.path, headers=headers)).json() == {"schedules": [planned.json()]}
    wider = passport(workspace_id=member.workspace_id, key=replace(key, connection_ids=frozenset({own, theirs})))
    assert len((await client.get(member.path, headers=wider)).json()["schedules"]) == 2


async def test_strangers_and_viewers_are_refused(
    member: Member, content: Content, client: httpx.AsyncClient, passport: MakePassport
):
    revision = content.approve(member.workspace_id)
    made = await member.scheduled(revision)
    viewer = passport(workspace_id=member.workspace_id, role="viewer")
    neighbour = passport(workspace_id=new_id(), role="owner")
    one = f"{member.path}/{made['schedule_id']}"
    for headers, status in ((None, 401), (viewer, 403), (neighbour, 403), (passport(service="publisher"), 401)):
        assert (await client.post(member.path, json=body(revision), headers=headers)).status_code == status
        assert (await client.delete(one, headers=headers)).status_code == status
    assert (await client.get(one, headers=viewer)).status_code == 200
    assert (await client.get(one, headers=neighbour)).status_code == 403
    assert (await member.see(made["schedule_id"]))["state"] != "cancelled"


async def test_another_workspace_does_not_find_it(member: Member, content: Content, passport: MakePassport):
    made = await member.scheduled(content.approve(member.workspace_id))
    stranger = Member(member.client, new_id(), passport)
    for response in (
        await stranger.client.get(f"{stranger.path}/{made['schedule_id']}", headers=stranger.headers),
        await stranger.cancel(made["schedule_id"]),
    ):
        assert (response.status_code, response.json()["type"]) == (404, "urn:signoff:problem:not-found")
    assert await nothing_kept(stranger)


@pytest.mark.promise("P35")
async def test_cancelling_takes_back_everything(member: Member, content: Content, bus: Bus, clock: MovableClock):
    made = await member.scheduled(content.approve(member.workspace_id, 2), at=local(clock, timedelta(hours=1)))
    for _ in range(2):
        cancelled = await member.cancel(made["schedule_id"])
        assert cancelled.status_code == 200
        assert cancelled.json()["state"] == "cancelled"
        assert {target["state"] for target in cancelled.json()["connections"]} == {"cancelled"}
    told = await bus.wait_told(ScheduleCancelledV1)
    assert [(str(event.schedule_id), event.connection_ids) for event in told] == [(made["schedule_id"], ())]  # type: ignore[attr-defined]


async def test_what_has_run_cannot_be_cancelled(member: Member, content: Content, bus: Bus):
    revision = content.approve(member.workspace_id)
    made = await member.scheduled(revision)
    await bus.publish(
        PublicationPublishedV1(
            workspace_id=member.workspace_id,
            publication_id=new_id(),
            schedule_id=made["schedule_id"],
            post_id=revision.post_id,
            revision_id=revision.revision_id,
            connection_id=revision.variants[0].connection_id,
            platform="bluesky",
            published_at=datetime.fromisoformat(made["due_at"]),
        )
    )

    async def done() -> bool:
        return bool((await member.see(made["schedule_id"]))["state"] == "done")

    await wait_for(done)
    refused = await member.cancel(made["schedule_id"])
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:signoff:problem:already-out")
