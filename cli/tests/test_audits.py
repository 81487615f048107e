"""`signoff audit publications`, against a publisher that is there, and without one."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from kit.ids import new_id
from kit.testing.services import ServiceEnvironment
from signoff import audits
from signoff.main import main
from signoff.one_process import OneProcess

Captured = pytest.CaptureFixture[str]


async def test_a_running_system_is_audited_and_each_difference_is_a_line(data_folder: Path, capsys: Captured):

    async def run(*options: str) -> int:
        return await asyncio.to_thread(main, ["audit", "publications", "--data", str(data_folder), *options])

    async with OneProcess(data_folder) as system:
        assert await run() == 0
        assert "no differences" in capsys.readouterr().out
        assert system.surroundings.addresses.postgres is not None
        url = urlsplit(system.surroundings.addresses.postgres.superuser_url)._replace(path="/scheduler")
        schedule_id = new_id()
        with psycopg.connect(urlunsplit(url)) as connection:
            connection.execute(
                "INSERT INTO schedule (schedule_id, workspace_id, post_id, revision_id, wall_clock, time_zone,"
                " adjustment, due_at, state, created_at) VALUES (%s, %s, %s, %s, now(), 'UTC', 'none',"
                " now() - interval '2 hours', 'due', now())",
                (schedule_id, new_id(), new_id(), new_id()),
            )
            connection.execute(
                "INSERT INTO target (schedule_id, connection_id, workspace_id, position, state)"
                " SELECT schedule_id, %s, workspace_id, 0, 'waiting' FROM schedule",
                (new_id(),),
            )
        assert await run("--since", "3h") == 1
        assert f"publication_missing: scheduler has waiting, publisher has nothing (schedule {schedule_id}" in (
            capsys.readouterr().out
        )
        assert await run("--since", "1h", "--json") == 0
        report = json.loads(capsys.readouterr().out)
        assert (report["findings"], report["counts"]["planned"], report["state"]) == ([], 0, "done")


def test_without_a_publisher_it_says_so_and_leaves_nothing(
    service_environment: ServiceEnvironment, monkeypatch: pytest.MonkeyPatch, capsys: Captured
):
    environment = service_environment("publisher")
    monkeypatch.setenv("DATABASE_URL_PUBLISHER", environment["DATABASE_URL_PUBLISHER"])
    monkeypatch.setattr(audits, "TAKEN_SECONDS", 0.0)
    assert main(["audit", "publications"]) == 1
    assert capsys.readouterr().err == "signoff: no publisher took the audit: is the system running?\n"
    with psycopg.connect(environment["DATABASE_SUPERUSER_URL_PUBLISHER"]) as connection:
        assert connection.execute("SELECT count(*) FROM audit").fetchone() == (0,)
    assert main(["audit", "publications", "--since", "8d"]) == 1
    assert capsys.readouterr().err == "signoff: --since: from 1s to 7d\n"
