"""When a country changes its clocks, what is planned keeps its wall-clock time and gets another instant."""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
import tzdata
from contracts.scheduler import ScheduleChangedV1, ScheduleResumedV1
from kit.clock import MovableClock
from kit.database import Database, Units
from kit.secret import Secret
from kit.testing.services import Bus, MigrateOld
from scheduler.adapters.store import Store
from scheduler.domain.zones import Zones, shipped
from scheduler.jobs.zones import Renewing
from scheduler.use_cases.renew_zones import BATCH

from services.scheduler.tests.conftest import Content, Member

LATER = "2099a"
ALWAYS_WINTER = "CET-1"
"""Berlin without summer time, as the European Union has meant to have it for years."""

MANY = 2 * BATCH + 1


def compiled(rule: str) -> bytes:
    """A zone of one offset and one rule (RFC 9636), of which only the rule in the footer counts."""
    header = struct.pack(">4sc15x6l", b"TZif", b"2", 0, 0, 0, 0, 1, 4)
    block = header + struct.pack(">lbb", 3600, 0, 0) + b"CET\0"
    return block + block + f"\n{rule}\n".encode()


def release(folder: Path, version: str = LATER) -> Zones:
    """A later release: Berlin has no summer time any more, and Prague is as it was."""
    (folder / "Europe").mkdir(parents=True)
    (folder / "Europe" / "Berlin").write_bytes(compiled(ALWAYS_WINTER))
    (folder / "Europe" / "Prague").write_bytes(compiled("CET-1CEST,M3.5.0,M10.5.0/3"))
    return Zones(folder, frozenset({"Europe/Berlin", "Europe/Prague"}), version)


@dataclass
class Office:
    """A scheduler's rows and a loop that knows a release of its own."""

    units: Units[Any]
    rows: psycopg.Connection[Any]

    async def renew(self, zones: Zones) -> float:
        return await Renewing(self.units, zones).loop().step()

    def plan(self, many: int, version: str) -> None:
        """Schedules of a July morning in Berlin."""
        self.rows.execute(
            "INSERT INTO schedule (schedule_id, workspace_id, post_id, revision_id, wall_clock, time_zone, adjustment,"
            " due_at, state, created_at, zone_version) SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(),"
            " gen_random_uuid(), '2099-07-01T09:00', 'Europe/Berlin', 'none', '2099-07-01T07:00Z', 'scheduled', now(),"
            " %s FROM generate_series(1, %s)",
            (version, many),
        )

    def due(self) -> list[tuple[str, datetime, int]]:
        return self.rows.execute(
            "SELECT zone_version, due_at, count(*)::int FROM schedule GROUP BY 1, 2 ORDER BY 1, 2"
        ).fetchall()


@pytest.fixture
async def office(environment: dict[str, str], clock: MovableClock) -> AsyncIterator[Office]:
    database = Database("scheduler", Secret(environment["DATABASE_URL_SCHEDULER"]), clock, connections_max=2)
    await database.open()
    with psycopg.connect(environment["DATABASE_SUPERUSER_URL_SCHEDULER"], autocommit=True) as rows:
        yield Office(Units(database, Store), rows)
    await database.close()


def test_the_release_is_the_one_that_is_installed_with_us():
    zones = shipped()
    assert zones.version == tzdata.IANA_VERSION
    assert len(zones.names) > 500
    assert {zones.zone(name).key for name in zones.names} == zones.names


@pytest.mark.promise("P40")
async def test_a_planned_post_keeps_its_wall_clock_time_and_its_window_moves_with_it(
    member: Member, content: Content, bus: Bus, clock: MovableClock, office: Office, tmp_path: Path
):
    clock.advance(datetime.fromisoformat("2027-01-01T00:00Z") - clock.now())
    summer, winter, prague, paused = [
        await member.scheduled(content.approve(member.workspace_id), at=at, time_zone=name, late_minutes=30)
        for at, name in (
            ("2027-07-01T09:00", "Europe/Berlin"),
            ("2027-12-01T09:00", "Europe/Berlin"),
            ("2027-07-01T09:00", "Europe/Prague"),
            ("2027-07-02T09:00", "Europe/Berlin"),
        )
    ]
    await member.tell("pause", paused["schedule_id"])
    await office.renew(release(tmp_path / "later"))
    (told,) = await bus.wait_told(ScheduleChangedV1)
    assert told == ScheduleChangedV1(
        workspace_id=member.workspace_id,
        schedule_id=summer["schedule_id"],
        occurrence=1,
        due_at=datetime.fromisoformat("2027-07-01T08:00Z"),
        publish_until=datetime.fromisoformat("2027-07-01T08:30Z"),
    )
    assert await member.see(summer["schedule_id"]) == summer | {
        "due_at": "2027-07-01T08:00:00Z",
        "publish_until": "2027-07-01T08:30:00Z",
    }
    assert await member.see(winter["schedule_id"]) == winter
    assert await member.see(prague["schedule_id"]) == prague
    await member.tell("resume", paused["schedule_id"])
    (goes_on,) = await bus.wait_told(ScheduleResumedV1)
    assert goes_on.due_at == datetime.fromisoformat("2027-07-02T08:00Z")  # type: ignore[attr-defined]


async def test_what_was_renewed_is_left_alone_and_an_earlier_release_undoes_nothing(office: Office, tmp_path: Path):
    later = release(tmp_path / "later")
    office.plan(3, shipped().version)
    await office.renew(later)
    renewed = [(LATER, datetime.fromisoformat("2099-07-01T08:00Z"), 3)]
    assert office.due() == renewed
    for zones in (later, shipped()):
        assert await office.renew(zones) > 0
        assert office.due() == renewed
    assert office.rows.execute("SELECT count(*) FROM outbox").fetchone() == (3,)


async def test_many_are_renewed_in_batches_and_a_stop_between_them_loses_none(office: Office, tmp_path: Path):
    later = release(tmp_path / "later")
    office.plan(MANY, shipped().version)
    assert await office.renew(later) == 0
    assert [(version, count) for version, _, count in office.due()] == [
        (shipped().version, MANY - BATCH),
        (LATER, BATCH),
    ]
    # Another process goes on.
    while await office.renew(later) == 0:
        pass
    assert office.due() == [(LATER, datetime.fromisoformat("2099-07-01T08:00Z"), MANY)]
    assert office.rows.execute("SELECT count(DISTINCT headers ->> 'ce-subject') FROM outbox").fetchone() == (MANY,)


async def test_a_look_that_finds_nothing_is_one_entry_of_an_index(office: Office):
    office.plan(MANY, shipped().version)
    office.rows.execute("ANALYZE schedule")
    plan = office.rows.execute(
        "EXPLAIN SELECT schedule_id FROM schedule WHERE state IN ('scheduled', 'paused') AND zone_version < %s"
        " ORDER BY zone_version LIMIT 500 FOR UPDATE SKIP LOCKED",
        (shipped().version,),
    ).fetchall()
    assert any("schedule_zone_version" in line for (line,) in plan), plan


async def test_a_zone_that_is_gone_leaves_the_instant_that_was_promised(office: Office, tmp_path: Path):
    office.plan(1, shipped().version)
    await office.renew(Zones(tmp_path, frozenset(), LATER))
    assert office.due() == [(LATER, datetime.fromisoformat("2099-07-01T07:00Z"), 1)]


async def test_rows_of_an_old_database_are_looked_at_once(old_database: MigrateOld):
    with old_database("scheduler", "0007") as (superuser, upgrade):
        superuser.execute(
            "INSERT INTO schedule (schedule_id, workspace_id, post_id, revision_id, wall_clock, time_zone, adjustment,"
            " due_at, state, created_at) SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(),"
            " gen_random_uuid(), now(), 'UTC', 'none', now(), 'scheduled', now()"
        )
        upgrade()
        assert superuser.execute("SELECT zone_version < '2026a' FROM schedule").fetchall() == [(True,)]
