"""Backups are real, apart for the keys of tokens, and destroyed on time; certificates count with them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from contracts.retention import (
    BackupExpiredV1,
    BackupTakenV1,
    ErasureCompletedV1,
    ErasureRequestedV1,
)
from kit.embedded.postgres import EmbeddedPostgres
from kit.settings import SettingError
from kit.testing import wait_for
from kit.testing.plugin import CreateDatabase
from kit.testing.services import ServiceEnvironment
from retention.main import create_app

from services.retention.tests.conftest import World, account_deleted, requested


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return tmp_path / "archive"


@pytest.fixture
def environment(
    service_environment: ServiceEnvironment,
    create_database: CreateDatabase,
    postgres_server: EmbeddedPostgres,
    archive: Path,
) -> dict[str, str]:
    """retention with backups of itself and of an auth that has one account and one key."""
    auth_url = create_database("auth")
    with psycopg.connect(auth_url) as connection:
        connection.execute("CREATE TABLE account (email text)")
        connection.execute("INSERT INTO account VALUES ('owner@example.com')")
        connection.execute("CREATE TABLE data_key (wrapped text)")
        connection.execute("INSERT INTO data_key VALUES ('the-wrapped-key')")
    own = service_environment("retention")
    return own | {
        "BACKUP_STORE_URL": f"file://{archive}",
        "PG_DUMP": str(postgres_server.bin_directory / "pg_dump"),
        "BACKUP_DATABASE_URL_AUTH": auth_url,
        "BACKUP_DATABASE_URL_RETENTION": own["DATABASE_SUPERUSER_URL_RETENTION"],
    }


def dumps(archive: Path) -> list[Path]:
    return found(archive, "backups/*/*.dump")


def found(archive: Path, pattern: str) -> list[Path]:
    return sorted(archive.glob(pattern))


def restored_text(server: EmbeddedPostgres, dump: Path) -> str:
    """What a restore of the dump would say, as SQL."""
    command = [str(server.bin_directory / "pg_restore"), "--file=-", str(dump)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


async def test_every_database_is_backed_up_at_the_first_start(
    environment: Mapping[str, str], archive: Path, postgres_server: EmbeddedPostgres, start
):
    async with start(environment) as world:
        told = (await world.bus.wait_told(BackupTakenV1))[0]
        assert isinstance(told, BackupTakenV1)
        assert told.expires_at - told.taken_at == timedelta(days=60)
        assert [dump.name for dump in dumps(archive)] == ["auth.dump", "retention.dump"]
        sizes = world.rows("SELECT service, size_bytes FROM backup_part ORDER BY service")
        assert sizes == [(dump.stem, dump.stat().st_size) for dump in dumps(archive)]
    assert "CREATE TABLE public.erasure" in restored_text(postgres_server, dumps(archive)[1])


@pytest.mark.promise("P60")
async def test_a_backup_has_everything_but_the_keys_of_tokens(
    environment: Mapping[str, str], archive: Path, postgres_server: EmbeddedPostgres, start
):
    async with start(environment) as world:
        await world.bus.wait_told(BackupTakenV1)
    text = restored_text(postgres_server, dumps(archive)[0])
    assert "owner@example.com" in text
    assert "CREATE TABLE public.data_key" in text
    assert "the-wrapped-key" not in text


async def test_a_backup_is_taken_a_day(environment: Mapping[str, str], archive: Path, start):
    async with start(environment) as world:
        await world.bus.wait_told(BackupTakenV1)
        world.clock.advance(timedelta(hours=23))
        await wait_for(lambda: world.bus.settled("retention-auth"))
    async with start(environment) as world:
        world.clock.advance(timedelta(hours=2))
        await world.bus.wait_told(BackupTakenV1, 2)
        assert len(dumps(archive)) == 4


@pytest.mark.promise("P62")
async def test_a_backup_is_destroyed_on_day_60(environment: Mapping[str, str], archive: Path, start):
    async with start(environment) as world:
        first = (await world.bus.wait_told(BackupTakenV1))[0]
        old = dumps(archive)
        world.clock.advance(timedelta(days=59, hours=23))
        await world.bus.wait_told(BackupTakenV1, 2)
        assert await world.bus.told(BackupExpiredV1) == []
        assert all(dump.exists() for dump in old)
        world.clock.advance(timedelta(hours=2))
        expired = (await world.bus.wait_told(BackupExpiredV1))[0]
        assert isinstance(first, BackupTakenV1)
        assert isinstance(expired, BackupExpiredV1)
        assert expired.backup_id == first.backup_id
        assert not any(dump.exists() for dump in old)
        assert len(dumps(archive)) == 2
        assert len(found(archive, "backups/*/manifest.json")) == 1


@pytest.fixture
def with_keys(environment: dict[str, str], create_database: CreateDatabase) -> dict[str, str]:
    """The same, and the database of auth's keys."""
    keys_url = create_database("auth_keys")
    with psycopg.connect(keys_url) as connection:
        connection.execute("CREATE TABLE grant_key (wrapped text)")
        connection.execute("INSERT INTO grant_key VALUES ('the-wrapped-key')")
    return environment | {"BACKUP_DATABASE_URL_AUTH_KEYS": keys_url}


@pytest.mark.promise("P60")
@pytest.mark.promise("P62")
async def test_keys_are_backed_up_apart_and_destroyed_within_seven_days(
    with_keys: Mapping[str, str], archive: Path, postgres_server: EmbeddedPostgres, start
):
    async with start(with_keys) as world:
        await world.bus.wait_told(BackupTakenV1, 2)
        (keys,) = found(archive, "backups/*/auth_keys.dump")
        assert "the-wrapped-key" in restored_text(postgres_server, keys)
        assert [dump.name for dump in keys.parent.glob("*.dump")] == ["auth_keys.dump"]
        data = [dump for dump in dumps(archive) if dump != keys]
        assert [dump.name for dump in data] == ["auth.dump", "retention.dump"]
        world.clock.advance(timedelta(days=6, minutes=1))
        await world.bus.wait_told(BackupExpiredV1)
        await world.bus.wait_told(BackupTakenV1, 4)
        assert not keys.exists()
        assert all(dump.exists() for dump in data)
        rotations = world.rows("SELECT rotation, state, count(*) FROM backup GROUP BY 1, 2 ORDER BY 1, 2")
        assert rotations == [("data", "taken", 2), ("keys", "expired", 1), ("keys", "taken", 1)]


async def test_a_failing_backup_of_keys_holds_up_no_other(with_keys: dict[str, str], archive: Path, start):
    broken = with_keys | {"BACKUP_DATABASE_URL_AUTH_KEYS": with_keys["BACKUP_DATABASE_URL_AUTH_KEYS"] + "x"}
    async with start(broken) as world:
        await world.bus.wait_told(BackupTakenV1)
        await wait_for(lambda: world.rows("SELECT state FROM backup WHERE rotation = 'keys'") == [("failed",)])
        assert [dump.name for dump in dumps(archive)] == ["auth.dump", "retention.dump"]


async def test_a_manifest_of_an_earlier_release_is_adopted_as_one_of_data(
    environment: Mapping[str, str], archive: Path, service_environment: ServiceEnvironment, start
):
    async with start(environment) as world:
        await world.bus.wait_told(BackupTakenV1)
    (manifest,) = found(archive, "backups/*/manifest.json")
    document = json.loads(manifest.read_text())
    del document["rotation"]
    manifest.write_text(json.dumps(document))
    known = "SELECT rotation, state FROM backup WHERE backup_id = %s"
    async with start(dict(environment) | service_environment("retention")) as world:
        await wait_for(lambda: world.rows(known, document["backup_id"]) == [("data", "taken")])


async def finished(world: World) -> Any:
    event = account_deleted()
    await world.bus.publish(event)
    await requested(world)
    await world.drain_requests()
    await world.drain_auth()
    await world.answer_all(event.erasure_id)
    await world.wait_state(event.erasure_id, "done", "final")
    return event


@pytest.mark.promise("P62")
async def test_an_erasure_is_final_once_the_last_backup_from_before_is_gone(
    environment: Mapping[str, str], archive: Path, start
):
    async with start(environment) as world:
        backup = (await world.bus.wait_told(BackupTakenV1))[0]
        event = await finished(world)
        assert isinstance(backup, BackupTakenV1)
        report = await world.erasure(event.erasure_id)
        first = await world.certificate(event.erasure_id)
        assert report["state"] == "done"
        assert datetime.fromisoformat(report["backups_until"]) == backup.expires_at
        assert first["backups"] == {"taken": True, "last_expires_at": backup.expires_at.isoformat()}
        assert first["final"] is False
        assert backup.expires_at - datetime.fromisoformat(first["completed_at"]) < timedelta(days=90)
        assert world.rows("SELECT subject_id FROM erasure") == [(event.account_id,)]
        world.clock.advance(timedelta(days=61))
        await world.wait_state(event.erasure_id, "final")
        last = await world.certificate(event.erasure_id)
        assert (last["final"], last["erasure_id"]) == (True, first["erasure_id"])
        assert last["certificate_id"] != first["certificate_id"]
        assert last["tasks"] == first["tasks"]
        assert world.rows("SELECT subject_id FROM erasure") == [(None,)]
        told = await world.bus.wait_told(ErasureCompletedV1, 2)
        assert [e.final for e in told if isinstance(e, ErasureCompletedV1)] == [False, True]


@pytest.mark.promise("P62")
async def test_what_a_restored_backup_may_bring_back_is_requested_again_at_a_start(
    environment: Mapping[str, str], start
):
    async with start(environment) as world:
        await world.bus.wait_told(BackupTakenV1)
        event = await finished(world)
        assert await world.bus.told(ErasureRequestedV1) == []
    async with start(environment) as world:
        again = (await requested(world))[0]
        assert (again.erasure_id, again.subject_id) == (event.erasure_id, event.account_id)
        assert await world.state(event.erasure_id) == "done"


@pytest.mark.promise("P62")
async def test_a_restored_retention_learns_its_erasures_and_backups_from_the_archive(
    environment: Mapping[str, str], archive: Path, service_environment: ServiceEnvironment, start
):
    async with start(environment) as world:
        backup = (await world.bus.wait_told(BackupTakenV1))[0]
        event = await finished(world)
        await wait_for(lambda: len(found(archive, "ledger/*")) == 1)
    # An empty database knows as little as one from before the erasure and the backup.
    emptied = dict(environment) | service_environment("retention")
    async with start(emptied) as world:
        again = (await requested(world))[0]
        assert (again.erasure_id, again.subject_id) == (event.erasure_id, event.account_id)
        assert isinstance(backup, BackupTakenV1)
        known = "SELECT count(*) FROM backup WHERE backup_id = %s AND state = 'taken' AND expires_at = %s"
        await wait_for(lambda: world.rows(known, backup.backup_id, backup.expires_at) == [(1,)])
        await world.drain_requests()
        await world.answer_all(event.erasure_id)
        await world.wait_state(event.erasure_id, "done")
        world.clock.advance(timedelta(days=61))
        await world.wait_state(event.erasure_id, "final")
        await wait_for(lambda: not found(archive, "ledger/*"))
        assert not found(archive, f"backups/{backup.backup_id}/*")


async def test_a_backup_that_fails_leaves_nothing_and_is_tried_again(environment: dict[str, str], archive: Path, start):
    broken = environment | {"BACKUP_DATABASE_URL_RETENTION": environment["BACKUP_DATABASE_URL_AUTH"] + "x"}
    failed = "SELECT count(*) FROM backup WHERE state = 'failed'"
    async with start(broken) as world:
        await wait_for(lambda: world.rows(failed) == [(1,)])
        assert dumps(archive) == []
        assert await world.bus.told(BackupTakenV1) == []
        world.clock.advance(timedelta(minutes=11))
        await wait_for(lambda: world.rows(failed) == [(2,)])


async def test_a_backup_of_a_process_that_died_is_cleared_away(
    environment: Mapping[str, str], archive: Path, start, clock
):
    with psycopg.connect(environment["DATABASE_SUPERUSER_URL_RETENTION"]) as connection:
        (backup_id,) = connection.execute(
            "INSERT INTO backup (backup_id, state, taken_at, expires_at)"
            " VALUES (gen_random_uuid(), 'taking', %s, %s) RETURNING backup_id",
            (clock.now() - timedelta(hours=7), clock.now() + timedelta(days=59)),
        ).fetchone() or (None,)
    half = archive / f"backups/{backup_id}/auth.dump"
    half.parent.mkdir(parents=True)
    half.write_bytes(b"half")
    async with start(environment) as world:
        await wait_for(lambda: ("failed",) in world.rows("SELECT state FROM backup"))
        assert not half.exists()
        world.clock.advance(timedelta(minutes=11))
        await world.bus.wait_told(BackupTakenV1)


async def test_a_program_that_is_not_there_is_a_failed_backup(environment: dict[str, str], start):
    async with start(environment | {"PG_DUMP": "/nowhere/pg_dump"}) as world:
        await wait_for(lambda: world.rows("SELECT state FROM backup") == [("failed",)])
        assert (await world.client.get("/health/live")).status_code == 200


def test_a_place_without_databases_is_a_wrong_setting(service_environment: ServiceEnvironment, archive: Path):
    with pytest.raises(SettingError, match="BACKUP_DATABASE_URL_"):
        create_app(service_environment("retention") | {"BACKUP_STORE_URL": f"file://{archive}"})
