"""What operators run beside a system, on real servers."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from contracts.topology import CONSUMERS, STREAMS
from kit import migrations
from kit.embedded import DataDirectory, EmbeddedPostgres
from signoff.databases import owner_urls
from signoff.installation import DATABASES, Installation
from signoff.main import main

from .conftest import Up

Captured = pytest.CaptureFixture[str]


def test_migrating_twice_changes_once(capsys: Captured, data_folder: Path):
    assert main(["migrate", "--data", str(data_folder)]) == 0
    assert capsys.readouterr().out == f"migrated: {', '.join(DATABASES)}\n"
    assert main(["migrate", "--data", str(data_folder)]) == 0
    assert capsys.readouterr().out == "every database is up to date\n"
    with DataDirectory(data_folder) as directory:
        installation, postgres = Installation.open(directory), EmbeddedPostgres(directory.path)
        postgres.start_blocking()
        try:
            for service, url in owner_urls(installation, postgres).items():
                with psycopg.connect(url.reveal()) as connection:
                    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
                assert row == (migrations.head(service),)
        finally:
            postgres.stop_blocking()


def test_the_topology_is_looked_at_mended_and_then_right(capsys: Captured, data_folder: Path):
    data = ["--data", str(data_folder)]
    with DataDirectory(data_folder) as directory:
        Installation.open(directory)
    assert main(["topology", "check", *data]) == 1
    missing = capsys.readouterr().out.splitlines()
    assert len(missing) == len(STREAMS) + len(CONSUMERS) + 1
    assert all(line.endswith("is missing") for line in missing[:-1])
    assert missing[-1] == "run: signoff topology apply"
    assert main(["topology", "apply", *data]) == 0
    assert f"{len(STREAMS) + len(CONSUMERS)} changes" in capsys.readouterr().out
    assert main(["topology", "check", *data]) == 0
    assert capsys.readouterr().out == "NATS holds what the contracts say\n"


def test_a_running_system_is_operated_without_stopping_it(capsys: Captured, started: list[Up], data_folder: Path):
    up = Up(data_folder)
    started.append(up)
    up.wait_ready()
    data = ["--data", str(data_folder)]
    assert main(["topology", "check", *data]) == 0
    assert main(["clock", "advance", "1d", *data]) == 0
    assert main(["migrate", *data]) == 1
    assert "in use" in capsys.readouterr().err
    assert up.stop() == 0
