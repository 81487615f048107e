"""What a series brings keeps apart from other posts, as they do from it, and is found to say the same."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import psycopg
import pytest
from contracts.content import PostDeletedV1
from contracts.scheduler import ScheduleCreatedV1
from contracts.sealing import SealedRevision
from kit.clock import MovableClock
from kit.ids import new_id
from kit.testing import wait_for
from kit.testing.services import Bus, MigrateOld

from services.scheduler.tests.conftest import Content, Member, numbers
from services.scheduler.tests.test_blackouts_and_series import in_calendar
from services.scheduler.tests.test_duplicates import warning
from services.scheduler.tests.test_spread import rule

DAILY = {"rule": "FREQ=DAILY;COUNT=20", "starts_at": "2027-11-02T09:00"}


@pytest.fixture(autouse=True)
def in_autumn(clock: MovableClock) -> None:
    clock.advance(datetime.fromisoformat("2027-11-01T06:00Z") - clock.now())


@pytest.fixture
def revision(member: Member, content: Content) -> SealedRevision:
    return content.approve(member.workspace_id)


def left_out(schedules: list[dict[str, Any]]) -> list[int]:
    """Which of a series' times are too close to something."""
    cancelled = [each for each in schedules if each["state"] == "cancelled"]
    assert {(each["reason"], each["connections"][0]["code"]) for each in cancelled} <= {("too_close", "too_close")}
    return [each["occurrence"] for each in cancelled]


async def test_times_of_a_series_that_are_too_close_are_left_out_and_seen(
    member: Member, content: Content, revision: SealedRevision, bus: Bus, clock: MovableClock
):
    for at in ("2027-11-03T09:29", "2027-11-04T09:30", "2027-11-17T08:31"):
        await member.scheduled(revision, at=at)
    # Nobody's rule but the workspace's own, also where a loop brings the rest.
    stranger = Member(member.client, new_id(), member.passport)
    await rule(stranger, 1440)
    await rule(member, 30)
    series = await member.repeated(revision, **DAILY)
    assert left_out(await in_calendar(member, series)) == [2]
    elsewhere = await stranger.repeated(content.approve(stranger.workspace_id), **DAILY | {"rule": "FREQ=DAILY"})
    assert numbers(await stranger.calendar(elsewhere["series_id"])) == list(range(1, 14))
    clock.advance(timedelta(days=9))
    await bus.wait_told(ScheduleCreatedV1, 3 + 18 + 22, timeout_seconds=20)
    assert left_out(await in_calendar(member, series)) == [2, 16]


async def test_a_series_keeps_apart_from_itself(member: Member, revision: SealedRevision):
    await rule(member, 60)
    series = await member.repeated(revision, **DAILY | {"rule": "FREQ=DAILY;BYHOUR=9;BYMINUTE=0,30;COUNT=4"})
    assert left_out(await in_calendar(member, series)) == [2, 4]


async def test_only_the_connection_that_is_crowded_is_left_out(member: Member, content: Content):
    revision = content.approve(member.workspace_id, connections=2)
    crowded, other = (str(variant.connection_id) for variant in revision.variants)
    await member.scheduled(revision, at="2027-11-03T09:10", connection_ids=[crowded])
    await rule(member, 30)
    series = await member.repeated(revision, **DAILY)
    second = (await in_calendar(member, series))[1]
    assert [(target["connection_id"], target["state"]) for target in second["connections"]] == [
        (crowded, "cancelled"),
        (other, "waiting"),
    ]


async def test_of_series_and_posts_at_once_no_two_are_too_close(member: Member, revision: SealedRevision):
    await rule(member, 45)
    await asyncio.gather(
        *(member.schedule(revision, at=f"2027-11-05T{hour:02}:20") for hour in range(7, 12)),
        *(member.repeat(revision, **DAILY | {"starts_at": f"2027-11-02T{hour:02}:00"}) for hour in (8, 9, 10)),
    )
    listed = await member.client.get(member.path, params={"in_state": "scheduled"}, headers=member.headers)
    due = sorted(datetime.fromisoformat(each["due_at"]) for each in listed.json()["schedules"])
    assert len(due) > 13
    assert min(later - earlier for earlier, later in pairwise(due)) >= timedelta(minutes=45)


async def test_others_are_warned_of_what_a_series_brings(
    member: Member, content: Content, revision: SealedRevision, bus: Bus, clock: MovableClock
):
    series = await member.repeated(revision, **DAILY)
    first = (await in_calendar(member, series))[0]
    copy = content.copy(revision)
    made = await member.scheduled(copy, at="2027-11-01T09:00")
    assert made["warnings"] == [warning(first)]
    refused = await member.schedule(copy, at="2027-11-01T09:00", refuse_duplicates=True)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:signoff:problem:duplicate")
    clock.advance(timedelta(days=9))  # what the loop brings is known, too
    await bus.wait_told(ScheduleCreatedV1, 21, timeout_seconds=20)
    late = await member.scheduled(content.copy(revision), at="2027-11-21T12:00")
    assert late["warnings"] == [warning((await in_calendar(member, series))[-1])]


async def test_what_a_series_said_is_forgotten_with_its_post(
    member: Member, content: Content, revision: SealedRevision, bus: Bus, environment: dict[str, str]
):
    await member.repeated(revision, **DAILY)
    await bus.publish(PostDeletedV1(workspace_id=member.workspace_id, post_id=revision.post_id))
    await wait_for(lambda: bus.settled("scheduler-content"))
    with psycopg.connect(environment["DATABASE_SUPERUSER_URL_SCHEDULER"]) as rows:
        assert rows.execute("SELECT content_hashes FROM series").fetchall() == [({},)]
        assert rows.execute("SELECT count(content_hash) FROM target").fetchone() == (0,)


async def test_a_series_of_an_old_database_is_a_duplicate_of_nothing(old_database: MigrateOld):
    with old_database("scheduler", "0013") as (superuser, upgrade):
        superuser.execute(
            "INSERT INTO series (series_id, workspace_id, post_id, revision_id, connection_ids, rule, starts_at,"
            " time_zone, late, when_missed, state, last_number, skipped, created_at) SELECT gen_random_uuid(),"
            " gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), '{}', 'FREQ=DAILY', now(), 'UTC', '1 hour',"
            " 'hold', 'active', 0, 0, now()"
        )
        upgrade()
        assert superuser.execute("SELECT content_hashes FROM series").fetchall() == [({},)]
