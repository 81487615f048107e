"""Real dumps of auth's databases, restored: what was disconnected stays unreadable once the keys' backups are gone."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import httpx
import pytest
from auth.adapters.key_file import KeyFile
from auth.adapters.keys import StoredKeys
from auth.adapters.store import PostgresStore
from auth.adapters.vault import EnvelopeVault
from auth.data_map import DATA_MAP
from auth.domain.vault import KEY_LOST, NotOpened
from auth.ports.store import Store
from contracts.auth import ConnectionRevokedV2
from contracts.retention import BackupExpiredV1, BackupTakenV1
from kit.clock import MovableClock
from kit.database import Database, Scope, Units
from kit.embedded.postgres import EmbeddedPostgres
from kit.secret import Secret
from kit.testing import wait_for
from kit.testing.plugin import CreateDatabase
from kit.testing.services import Bus, Running, ServiceEnvironment
from psycopg import sql
from retention.domain.backup import NEVER_BACKED_UP
from retention.main import create_app as create_retention
from sandbox.server import Sandbox

from services.auth.tests.client import Room, Superuser
from services.auth.tests.conftest import StartAuth

PASSWORD = "only-in-tests"

SELF_CONTAINED = {table.name for table in DATA_MAP.tables if {"wrapped_key", "ciphertext"} <= table.columns.keys()}
"""Tables that hold a ciphertext beside its key."""


@dataclass
class Archive:
    """The backups that retention takes, and what a restore of them brings."""

    folder: Path
    server: EmbeddedPostgres
    create_database: CreateDatabase

    def dumps(self, store: str) -> list[Path]:
        return sorted(self.folder.glob(f"backups/*/{store}.dump"))

    def restore(self, store: str, dump: Path) -> str:
        """The superuser's URL of a fresh database with what a dump holds."""
        url = self.create_database(store)
        command = [str(self.server.bin_directory / "pg_restore"), f"--dbname={url}", "--exit-on-error", str(dump)]
        subprocess.run(command, check=True, capture_output=True)
        return url


@pytest.fixture
def archive(tmp_path: Path, postgres_server: EmbeddedPostgres, create_database: CreateDatabase) -> Archive:
    return Archive(tmp_path / "archive", postgres_server, create_database)


@pytest.fixture
def backing_up(
    service_environment: ServiceEnvironment, environment: dict[str, str], archive: Archive
) -> dict[str, str]:
    """retention with backups of both of auth's databases."""
    return service_environment("retention") | {
        "BACKUP_STORE_URL": f"file://{archive.folder}",
        "PG_DUMP": str(archive.server.bin_directory / "pg_dump"),
        "BACKUP_DATABASE_URL_AUTH": environment["DATABASE_SUPERUSER_URL_AUTH"],
        "BACKUP_DATABASE_URL_AUTH_KEYS": environment["DATABASE_SUPERUSER_URL_AUTH_KEYS"],
    }


@pytest.fixture
async def retention(running: Running, backing_up: dict[str, str]) -> AsyncIterator[httpx.AsyncClient]:
    async with running(create_retention(backing_up)) as client:
        yield client


def as_role(superuser_url: str, role: str) -> Secret:
    parts = urlsplit(superuser_url)
    return Secret(urlunsplit(parts._replace(netloc=f"{role}:{PASSWORD}@{parts.netloc.rpartition('@')[2]}")))


@asynccontextmanager
async def databases(
    auth_url: str, keys_url: str, clock: MovableClock
) -> AsyncIterator[tuple[Units[Store], StoredKeys]]:
    auth = Database("auth", as_role(auth_url, "auth"), clock, connections_max=2)
    keys = Database("auth_keys", as_role(keys_url, "auth_keys"), clock, connections_max=2)
    await auth.open()
    await keys.open()
    yield Units[Store](auth, PostgresStore), StoredKeys(keys)
    await auth.close()
    await keys.close()


async def opens(
    connection_id: UUID, auth_url: str, keys_url: str, environment: Mapping[str, str], clock: MovableClock
) -> bool:
    """Whether somebody with both databases and the key-encryption key gets at the tokens of a connection."""
    async with databases(auth_url, keys_url, clock) as (transactions, keys):
        vault = EnvelopeVault(KeyFile(Path(environment["VAULT_KEY_FILE"])), keys)
        async with transactions(Scope.worker()) as store:
            sealed = await store.grants.find(connection_id)
        assert sealed is not None, "the dump should hold the ciphertext"
        opened = (await vault.open_grants([sealed]))[connection_id]
        return not (isinstance(opened, NotOpened) and opened.code == KEY_LOST)


def newest(dumps: Sequence[Path]) -> Path:
    return max(dumps, key=lambda file: file.stat().st_mtime)


def test_what_holds_a_ciphertext_beside_its_key_is_in_no_backup():
    assert {"authorisation", "late_revocation"} <= SELF_CONTAINED <= set(NEVER_BACKED_UP["auth"])


@pytest.mark.promise("P60")
@pytest.mark.promise("P62")
async def test_an_older_dump_opens_nothing_without_the_keys_and_nothing_at_all_a_week_after_a_disconnect(
    room: Room, retention: httpx.AsyncClient, bus: Bus, archive: Archive, environment: dict[str, str],
    clock: MovableClock,
):  # fmt: skip
    connection_id = await room.connect()
    await room.leave("bluesky")
    with Superuser.connect(environment["DATABASE_SUPERUSER_URL_AUTH"], autocommit=True) as connection:
        connection.execute(
            "INSERT INTO late_revocation (connection_id, workspace_id, platform, wrapped_key, key_id, nonce,"
            " ciphertext, attempts, due_at, until)"
            " VALUES (%s, %s, 'facebook', 'k', 'k', 'n', 'c', 0, 'infinity', 'infinity')",
            (connection_id, room.workspace_id),
        )
    clock.advance(timedelta(hours=25))
    await bus.wait_told(BackupTakenV1, 4)
    stolen, keys_dump = (newest(archive.dumps(store)) for store in ("auth", "auth_keys"))
    tokens = archive.restore("auth", stolen)
    live_keys = environment["DATABASE_SUPERUSER_URL_AUTH_KEYS"]

    # With the keys' own dump it is what a restore needs; alone it is nothing, while the connection lives too.
    assert await opens(connection_id, tokens, archive.restore("auth_keys", keys_dump), environment, clock)
    emptied = archive.restore("auth_keys", keys_dump)
    with Superuser.connect(emptied, autocommit=True) as connection:
        connection.execute("DELETE FROM grant_key")
    assert not await opens(connection_id, tokens, emptied, environment, clock)
    with Superuser.connect(tokens, autocommit=True) as connection:
        for table in SELF_CONTAINED:
            rows = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
            assert rows == (0,), table

    assert (await room.disconnect(connection_id)).status_code == 200
    assert not await opens(connection_id, tokens, live_keys, environment, clock)

    clock.advance(timedelta(days=6, minutes=1))
    await bus.wait_told(BackupExpiredV1, 2)
    await wait_for(lambda: keys_dump not in archive.dumps("auth_keys"))
    assert stolen in archive.dumps("auth")
    for dump in archive.dumps("auth_keys"):
        assert not await opens(connection_id, tokens, archive.restore("auth_keys", dump), environment, clock)


@pytest.mark.promise("P26")
@pytest.mark.promise("P62")
async def test_both_databases_restored_from_before_a_disconnect_end_the_connection_again(
    running: Running, start: StartAuth, backing_up: dict[str, str], offering: dict[str, str], bus: Bus,
    archive: Archive, sandbox: Sandbox, clock: MovableClock,
):  # fmt: skip
    async with start(**offering) as auth, running(create_retention(backing_up)):
        account_id = await auth.sign_up()
        room = Room(auth, sandbox, account_id, await auth.create_workspace(account_id))
        connection_id = await room.connect()
        clock.advance(timedelta(hours=25))
        await bus.wait_told(BackupTakenV1, 4)
        erasure_id = (await room.disconnect(connection_id)).json()["erasure_id"]
        await wait_for(lambda: (archive.folder / "ledger" / f"{erasure_id}.json").exists())
    auth_url, keys_url = (archive.restore(store, newest(archive.dumps(store))) for store in ("auth", "auth_keys"))
    assert await opens(connection_id, auth_url, keys_url, offering, clock)
    restored = offering | {
        "DATABASE_URL_AUTH": as_role(auth_url, "auth").reveal(),
        "DATABASE_URL_AUTH_KEYS": as_role(keys_url, "auth_keys").reveal(),
    }
    async with start(**restored) as auth, running(create_retention(backing_up)):
        first, again = await bus.wait_told(ConnectionRevokedV2, 2)
        assert isinstance(first, ConnectionRevokedV2)
        assert isinstance(again, ConnectionRevokedV2)
        assert again.connection_id == first.connection_id == connection_id
        assert str(again.erasure_id) == erasure_id
        shown = await auth.http.get(room.path, headers=room.headers)
        assert shown.json()["connections"] == []
    with Superuser.connect(keys_url, autocommit=True) as connection:
        assert connection.execute("SELECT count(*) FROM grant_key").fetchone() == (0,)
    with Superuser.connect(auth_url, autocommit=True) as connection:
        assert connection.execute("SELECT count(*) FROM sealed_grant").fetchone() == (0,)
