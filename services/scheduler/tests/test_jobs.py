"""The clock: what is due is announced at its time, once, by however many schedulers."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from contracts.retention import ErasureRequestedV1, ErasureTaskDoneV1, SubjectKind
from contracts.scheduler import ScheduleCreatedV1, ScheduleDueV1
from kit.calls import InProcess
from kit.clock import MovableClock
from kit.database import Scope
from kit.ids import new_id
from kit.testing import wait_for
from kit.testing.data_maps import differences, unprotected
from kit.testing.services import Bus, Running
from scheduler.data_map import DATA_MAP
from scheduler.main import create_app

from services.scheduler.tests.conftest import Auth, Content, Member
from services.scheduler.tests.test_api import local

MANY = 1_200
"""More than two batches."""


@pytest.mark.promise("P40")
async def test_now_is_announced_at_once(member: Member, content: Content, bus: Bus, clock: MovableClock):
    revision = content.approve(member.workspace_id)
    before = clock.now()
    made = await member.scheduled(revision)
    (event,) = await bus.wait_told(ScheduleDueV1, timeout_seconds=2)
    assert str(event.schedule_id) == made["schedule_id"]  # type: ignore[attr-defined]
    assert before <= datetime.fromisoformat(made["due_at"]) <= clock.now()
    assert (await member.see(made["schedule_id"]))["state"] == "due"


@pytest.mark.promise("P40")
async def test_a_schedule_is_announced_when_its_time_has_come(
    member: Member, content: Content, bus: Bus, clock: MovableClock
):
    made = await member.scheduled(content.approve(member.workspace_id), at=local(clock, timedelta(hours=3)))
    soon = await member.scheduled(content.approve(member.workspace_id), at=local(clock, timedelta(seconds=2)))
    (first,) = await bus.wait_told(ScheduleDueV1)
    assert str(first.schedule_id) == soon["schedule_id"]  # type: ignore[attr-defined]
    assert clock.now() >= datetime.fromisoformat(soon["due_at"])
    clock.advance(timedelta(hours=3))
    second = (await bus.wait_told(ScheduleDueV1, 2, timeout_seconds=3))[1]
    assert str(second.schedule_id) == made["schedule_id"]  # type: ignore[attr-defined]


def fill(superuser_url: str, due_at: datetime) -> None:
    """Many schedules of one second, as a busy full hour has them."""
    with psycopg.connect(superuser_url) as connection:
        connection.execute(
            "INSERT INTO schedule (schedule_id, workspace_id, post_id, revision_id, wall_clock, time_zone, adjustment,"
            " due_at, state, created_at) SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(),"
            " gen_random_uuid(), %(at)s::timestamp, 'UTC', 'none', %(at)s, 'scheduled', %(at)s"
            " FROM generate_series(1, %(many)s)",
            {"at": due_at, "many": MANY},
        )
        connection.execute(
            "INSERT INTO target (schedule_id, connection_id, workspace_id, position, state)"
            " SELECT schedule_id, gen_random_uuid(), workspace_id, 0, 'waiting' FROM schedule"
        )


@pytest.mark.promise("P43")
async def test_two_schedulers_announce_a_burst_once(
    environment: dict[str, str], content: Content, auth: Auth, bus: Bus, running: Running, clock: MovableClock
):
    fill(environment["DATABASE_SUPERUSER_URL_SCHEDULER"], clock.now())
    apps = {"content": content.app(), "auth": auth.app()}
    transports = {name: InProcess(apps, name) for name in apps}
    async with (
        running(create_app(environment, transports=transports)),
        running(create_app(environment, transports=transports)),
    ):
        events = await bus.wait_told(ScheduleDueV1, MANY, timeout_seconds=30)
    assert len({event.schedule_id for event in events}) == len(events) == MANY  # type: ignore[attr-defined]


def test_every_column_is_in_the_data_map(environment: dict[str, str]):
    superuser_url = environment["DATABASE_SUPERUSER_URL_SCHEDULER"]
    assert differences(superuser_url, DATA_MAP) == []
    assert unprotected(superuser_url, "scheduler") == []


async def test_rows_are_hidden_without_their_workspace_even_where_a_where_is_forgotten(
    member: Member, content: Content, environment: dict[str, str]
):
    await member.scheduled(content.approve(member.workspace_id))
    async with await psycopg.AsyncConnection.connect(environment["DATABASE_URL_SCHEDULER"]) as connection:
        for scope, seen in (
            (Scope.nobody(), 0),
            (Scope.workspace(new_id()), 0),
            (Scope.workspace(member.workspace_id), 1),
        ):
            for table in ("schedule", "target"):
                await connection.rollback()
                await connection.execute(scope.begin("scheduler"), prepare=False)
                everything = psycopg.sql.SQL("SELECT * FROM {}").format(psycopg.sql.Identifier(table))
                assert len(await (await connection.execute(everything)).fetchall()) == seen


@pytest.mark.promise("P63")
async def test_a_workspace_and_a_person_are_forgotten(
    member: Member, content: Content, bus: Bus, environment: dict[str, str], clock: MovableClock
):
    member = replace(member, account_id=new_id())
    await member.scheduled(content.approve(member.workspace_id))
    starts_at = local(clock, timedelta(days=1))
    await member.repeated(content.approve(member.workspace_id), rule="FREQ=DAILY;COUNT=2", starts_at=starts_at)
    with psycopg.connect(environment["DATABASE_SUPERUSER_URL_SCHEDULER"], autocommit=True) as connection:
        await request_erasure(bus, SubjectKind.ACCOUNT, member.account_id)
        for table in ("schedule", "series"):
            query = psycopg.sql.SQL("SELECT DISTINCT created_by FROM {}").format(psycopg.sql.Identifier(table))
            assert connection.execute(query).fetchall() == [(None,)]
        await request_erasure(bus, SubjectKind.WORKSPACE, member.workspace_id)
        for table in ("schedule", "target", "series"):
            query = psycopg.sql.SQL("SELECT count(*) FROM {}").format(psycopg.sql.Identifier(table))
            assert connection.execute(query).fetchone() == (0,)
    assert len(await bus.told(ScheduleCreatedV1)) == 3


async def request_erasure(bus: Bus, kind: SubjectKind, subject: Any) -> None:
    before = len(await bus.told(ErasureTaskDoneV1))
    event = ErasureRequestedV1(
        erasure_id=new_id(), subject_kind=kind, subject_id=subject, due_at=datetime.fromisoformat("2030-01-01T00:00Z")
    )
    await bus.publish(event)
    done = (await bus.wait_told(ErasureTaskDoneV1, before + 1))[-1]
    assert not any(done.remaining.values())  # type: ignore[attr-defined]
    await wait_for(lambda: bus.settled("scheduler-retention"))
