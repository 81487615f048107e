"""What operators run beside a system, on real servers."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import psycopg
import pytest
from contracts.topology import CONSUMERS, STREAMS
from kit import migrations
from kit.embedded import DataDirectory, EmbeddedPostgres
from kit.testing.services import Bus
from nats.js.api import ConsumerConfig
from signoff.databases import owner_urls
from signoff.installation import STORES, Installation
from signoff.main import main

from .conftest import Up

Captured = pytest.CaptureFixture[str]


def test_migrating_twice_changes_once(capsys: Captured, data_folder: Path):
    assert main(["migrate", "--data", str(data_folder)]) == 0
    assert capsys.readouterr().out == f"migrated: {', '.join(STORES)}\n"
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
    assert main(["topology", "diff", *data]) == 1
    missing = capsys.readouterr().out.splitlines()
    assert missing[0] == "stream AUTH: missing"
    assert len(missing) == len(STREAMS) + len(CONSUMERS) + 1
    assert all(line.endswith(": missing") for line in missing[:-1])
    assert missing[-1] == "run: signoff topology apply"
    assert main(["topology", "apply", *data]) == 0
    made = capsys.readouterr().out.splitlines()
    assert made[0] == "stream AUTH: created"
    assert len(made) == len(STREAMS) + len(CONSUMERS) + 1
    assert main(["topology", "diff", *data]) == 0
    assert capsys.readouterr().out == "NATS holds what the contracts say\n"


async def test_differences_are_told_field_by_field_and_mended(
    capsys: Captured, bus: Bus, nats_url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("NATS_URL", nats_url)
    monkeypatch.setenv("NATS_MAX_AGE", "7d")
    await bus.jetstream.add_consumer("AUTH", ConsumerConfig(durable_name="billing-auth"))
    assert await run("topology", "diff", "--max-age", "30d") == 1
    assert capsys.readouterr().out.splitlines()[0] == "consumer billing-auth: not in the contracts"
    assert await run("topology", "diff", "--json") == 1
    told = json.loads(capsys.readouterr().out)
    assert {
        "what": "stream AUTH",
        "kind": "differs",
        "field": "max_age",
        "present": "2592000 s",
        "wanted": "604800 s",
    } in told
    assert len(told) == len(STREAMS) + 1
    assert await run("topology", "apply") == 0
    applied = capsys.readouterr().out.splitlines()
    assert applied[0] == "stream AUTH: max_age 2592000 s → 604800 s"
    assert applied[-3:-1] == [
        "consumer billing-auth: not in the contracts",
        "run: signoff topology apply --prune, to delete the consumers",
    ]
    assert await run("topology", "apply", "--prune") == 0
    assert capsys.readouterr().out.splitlines()[0] == "consumer billing-auth: deleted"
    assert await run("topology", "diff") == 0
    assert await run("topology", "apply", "--replicas", "3") == 1
    assert capsys.readouterr().err.count("\n") == 1


async def run(*arguments: str) -> int:
    """The command on a thread, where it has a loop of its own."""
    return await asyncio.to_thread(main, list(arguments))


def test_a_running_system_is_operated_without_stopping_it(capsys: Captured, started: list[Up], data_folder: Path):
    up = Up(data_folder)
    started.append(up)
    up.wait_ready()
    data = ["--data", str(data_folder)]
    assert main(["topology", "diff", *data]) == 0
    assert main(["clock", "advance", "1d", *data]) == 0
    assert main(["migrate", *data]) == 1
    assert "in use" in capsys.readouterr().err
    for command in ("new-key", "rotate", "status"):
        assert main(["vault", command, *data]) == 0
    assert up.stop() == 0
    assert main(["vault", "status", *data]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "every key is wrapped by the current one"
