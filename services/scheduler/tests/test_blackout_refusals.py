"""What is no window of a blackout, who may make and see which, and how they are forgotten."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import psycopg
import pytest
from contracts.access import Permission
from contracts.retention import SubjectKind
from kit.clock import MovableClock
from kit.ids import new_id
from kit.passport import KeyLimits
from kit.testing.services import Bus

from services.scheduler.tests.conftest import Auth, Content, Member
from services.scheduler.tests.test_blackouts import CHRISTMAS, close, closed, conflicts, listed
from services.scheduler.tests.test_jobs import request_erasure


@pytest.fixture(autouse=True)
def in_autumn(clock: MovableClock) -> None:
    clock.advance(datetime.fromisoformat("2027-11-01T06:00Z") - clock.now())


@pytest.mark.parametrize(
    ("window", "fields", "pointer"),
    [
        ({"ends_at": "2027-12-23"}, {}, "/windows/0/ends_at"),
        ({"starts_at": "2027-12-24T10:00", "ends_at": "2027-12-24T10:00"}, {}, "/windows/0/ends_at"),
        ({"starts_at": "2027-12-24T10:00", "ends_at": None}, {}, "/windows/0/ends_at"),
        ({"ends_at": "2028-12-24"}, {}, "/windows/0/ends_at"),
        ({"ends_at": "2028-12-24", "yearly": True}, {}, "/windows/0/ends_at"),
        ({"starts_at": "2027-10-01", "ends_at": "2027-10-31"}, {}, "/windows/0/ends_at"),
        ({"starts_at": "2040-01-01", "ends_at": "2040-01-02"}, {}, "/windows/0/starts_at"),
        ({"starts_at": "2027-02-29"}, {}, "/windows/0/starts_at"),
        ({"ends_at": "2027-12-24T10:00:30"}, {}, "/windows/0/ends_at"),
        ({"starts_at": "9999-12-31"}, {}, "/windows/0/starts_at"),
        ({"name": ""}, {}, "/windows/0/name"),
        ({"name": "x" * 101}, {}, "/windows/0/name"),
        ({"name": "Christ\x00mas"}, {}, "/windows/0/name"),
        ({}, {"time_zone": "Mars/Olympus"}, "/time_zone"),
        ({}, {"connection_ids": [str(new_id())]}, "/connection_ids/0"),
        ({}, {"connection_ids": []}, "/connection_ids"),
        ({}, {"windows": []}, "/windows"),
        ({}, {"windows": [CHRISTMAS] * 501}, "/windows"),
        ({}, {"surprise": 1}, "/surprise"),
    ],
)
async def test_what_is_no_window_is_refused_and_nothing_is_made(
    member: Member, window: dict[str, Any], fields: dict[str, Any], pointer: str
):
    refused = await close(member, CHRISTMAS | window, **fields)
    assert refused.status_code == 422, refused.text
    assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]
    assert await listed(member) == []


@pytest.mark.promise("P11")
async def test_blackouts_of_others_are_neither_seen_nor_heeded(member: Member, content: Content):
    made = (await closed(member, CHRISTMAS))["blackouts"][0]
    stranger = Member(member.client, new_id(), member.passport)
    assert await listed(stranger) == []
    planned = await stranger.scheduled(content.approve(stranger.workspace_id), at="2027-12-24T10:00")
    assert planned["despite_blackouts"] == []
    assert await conflicts(stranger) == await conflicts(member) == {"conflicts": []}
    owner = member.passport(workspace_id=stranger.workspace_id, role="owner")
    path = f"/api/workspaces/{stranger.workspace_id}/blackouts/{made['blackout_id']}"
    assert (await member.client.delete(path, headers=owner)).status_code == 404
    assert (await close(member, CHRISTMAS, role="editor")).status_code == 403
    assert await listed(member) == [made]


@pytest.mark.promise("P06")
async def test_a_key_closes_and_sees_only_what_it_reaches(member: Member, content: Content, auth: Auth):
    revision = content.approve(member.workspace_id, connections=2)
    mine, other = (variant.connection_id for variant in revision.variants)
    for each in (mine, other):
        auth.stands(each)
    await member.scheduled(revision, at="2027-12-24T10:00")
    theirs = (await closed(member, CHRISTMAS, connection_ids=[str(other)]))["blackouts"][0]
    everybodys = (await closed(member, CHRISTMAS))["blackouts"][0]
    limits = KeyLimits(new_id(), frozenset(Permission), frozenset({mine}))
    bound = member.passport(workspace_id=member.workspace_id, role="admin", key=limits)
    path = f"/api/workspaces/{member.workspace_id}/blackouts"
    wanted = {"time_zone": "UTC", "windows": [CHRISTMAS]}
    for chosen in ({}, {"connection_ids": [str(mine), str(other)]}):
        refused = await member.client.post(path, json=wanted | chosen, headers=bound)
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/connection_ids")
    for blackout in (theirs, everybodys):
        assert (await member.client.delete(f"{path}/{blackout['blackout_id']}", headers=bound)).status_code == 404
    own = await member.client.post(path, json=wanted | {"connection_ids": [str(mine)]}, headers=bound)
    made = own.json()["blackouts"]
    assert own.json()["conflicts"] == []  # the schedule goes to the other connection, too
    seen = await member.client.get(path, headers=bound)
    assert seen.json() == {"blackouts": [everybodys, *made]}
    assert (await member.client.delete(f"{path}/{made[0]['blackout_id']}", headers=bound)).status_code == 204


@pytest.mark.promise("P63")
async def test_blackouts_are_forgotten_with_their_workspace_and_connections(
    member: Member, content: Content, auth: Auth, bus: Bus, environment: dict[str, str]
):
    revision = content.approve(member.workspace_id, connections=2)
    gone, stays = (variant.connection_id for variant in revision.variants)
    for each in (gone, stays):
        auth.stands(each)
    await closed(member, CHRISTMAS, connection_ids=[str(gone)])
    await closed(member, CHRISTMAS, connection_ids=[str(gone), str(stays)])
    await request_erasure(bus, SubjectKind.CONNECTION, gone)
    assert sorted(each["connection_ids"] for each in await listed(member)) == [[], [str(stays)]]
    await member.scheduled(revision, at="2027-12-24T10:00", connection_ids=[str(gone)])
    await request_erasure(bus, SubjectKind.WORKSPACE, member.workspace_id)
    with psycopg.connect(environment["DATABASE_SUPERUSER_URL_SCHEDULER"]) as connection:
        assert connection.execute("SELECT count(*) FROM blackout").fetchone() == (0,)
