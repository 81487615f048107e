"""PostgreSQL as a child: it keeps its data over stops and crashes, and says plainly why it cannot start."""

from __future__ import annotations

import asyncio
import shutil
import socket
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from signal import SIGKILL

import psycopg
import pytest
from kit.embedded import ChildExit, EmbeddedError, EmbeddedPostgres
from kit.embedded.postgres import SOCKET_PATH_BYTES
from kit.testing import wait_for
from kit.testing.plugin import CreateDatabase


@pytest.fixture
def data() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="signoff-test-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def made_cluster() -> Iterator[Path]:
    """A data folder with one row in it, made once, since creating a cluster is the slow part."""
    folder = Path(tempfile.mkdtemp(prefix="signoff-test-"))
    server = EmbeddedPostgres(folder)
    server.start_blocking()
    with psycopg.connect(server.superuser_url) as connection:
        connection.execute("CREATE TABLE kept (word text)")
        connection.execute("INSERT INTO kept VALUES ('first')")
    server.stop_blocking()
    yield folder
    shutil.rmtree(folder)


def words(server: EmbeddedPostgres) -> list[str]:
    with psycopg.connect(server.superuser_url) as connection:
        return [row[0] for row in connection.execute("SELECT word FROM kept")]


def start_as_nobodys_child(server: EmbeddedPostgres, cluster: Path) -> subprocess.Popen[bytes]:
    options = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={server.socket_directory}"]
    command = server.run_as([str(server.bin_directory / "postgres"), "-D", str(cluster), *options])
    return subprocess.Popen(command, cwd=cluster, stderr=subprocess.DEVNULL)


async def test_a_second_start_finds_what_the_first_one_kept(made_cluster: Path) -> None:
    async with EmbeddedPostgres(made_cluster) as server:
        assert words(server) == ["first"]
        assert server.running
    assert not server.running


async def test_the_server_is_durable_private_and_sorts_the_same_everywhere(made_cluster: Path) -> None:
    async with EmbeddedPostgres(made_cluster) as server:
        with psycopg.connect(server.superuser_url) as connection:
            shown = {
                name: connection.execute("SELECT current_setting(%s)", (name,)).fetchone()
                for name in ("fsync", "synchronous_commit", "listen_addresses", "data_checksums", "server_encoding")
            }
            locale = connection.execute("SELECT datlocprovider, datlocale FROM pg_database").fetchone()
        assert stat.S_IMODE(server.socket_directory.stat().st_mode) == 0o700
    assert shown == {
        "fsync": ("on",),
        "synchronous_commit": ("on",),
        "listen_addresses": ("",),
        "data_checksums": ("on",),
        "server_encoding": ("UTF8",),
    }
    assert locale == ("b", "C.UTF-8")


def test_the_data_and_the_password_are_closed_to_other_users(made_cluster: Path) -> None:
    assert stat.S_IMODE((made_cluster / "postgres-password").stat().st_mode) == 0o600
    assert stat.S_IMODE(made_cluster.stat().st_mode) & 0o007 == 0


async def test_a_wrong_password_is_refused(made_cluster: Path) -> None:
    async with EmbeddedPostgres(made_cluster) as server:
        url = server.url(role="postgres", password="guessed", database="postgres")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(url)


async def test_a_killed_server_reports_itself_and_starts_again(made_cluster: Path) -> None:
    reported: list[ChildExit] = []
    server = EmbeddedPostgres(made_cluster, on_unexpected_exit=reported.append)
    await server.start()
    await server.kill()
    await wait_for(lambda: reported)
    assert (made_cluster / "postgres/cluster/postmaster.pid").exists()
    async with server:
        assert words(server) == ["first"]
    assert [(ended.code, ended.expected) for ended in reported] == [(-SIGKILL, False)]


async def test_a_server_left_over_is_stopped_before_the_own_one_starts(made_cluster: Path) -> None:
    server = EmbeddedPostgres(made_cluster)
    left = start_as_nobodys_child(server, made_cluster / "postgres/cluster")
    state = made_cluster / "postgres/cluster/postmaster.pid"
    await wait_for(lambda: state.exists() and "ready" in state.read_text())
    async with server:
        assert left.wait(timeout=5) == 0, "it was asked to stop, not killed"
        assert server.pid != left.pid
        assert words(server) == ["first"]


async def test_a_number_left_in_a_stale_file_does_not_prevent_the_start(made_cluster: Path) -> None:
    stale = made_cluster / "postgres/cluster/postmaster.pid"
    stale.write_text(f"1\n{stale.parent}\n1700000000\n5432\n\n\n\nready\n")
    async with EmbeddedPostgres(made_cluster) as server:
        assert words(server) == ["first"]


async def test_two_servers_never_share_a_folder(made_cluster: Path) -> None:
    async with EmbeddedPostgres(made_cluster) as server:
        with pytest.raises(EmbeddedError, match="is in use by another process of ours"):
            await EmbeddedPostgres(made_cluster).start()
        assert words(server) == ["first"]


async def test_a_cluster_of_another_major_version_is_not_touched(data: Path) -> None:
    cluster = data / "postgres/cluster"
    cluster.mkdir(parents=True)
    (cluster / "PG_VERSION").write_text("17\n")
    with pytest.raises(
        EmbeddedError, match="was made by PostgreSQL 17, this release runs PostgreSQL 18: make a backup"
    ):
        await EmbeddedPostgres(data).start()
    assert [entry.name for entry in cluster.iterdir()] == ["PG_VERSION"]


async def test_a_base_backup_put_in_place_is_a_cluster(made_cluster: Path, data: Path) -> None:
    async with EmbeddedPostgres(made_cluster) as server:
        program = str(server.bin_directory / "pg_basebackup")
        copy = data / "postgres/cluster"
        await asyncio.to_thread(subprocess.run, [program, "-d", server.superuser_url, "-D", str(copy)], check=True)
    shutil.copy(made_cluster / "postgres-password", data)
    async with EmbeddedPostgres(data) as restored:
        assert words(restored) == ["first"]


async def test_a_taken_port_is_named(made_cluster: Path, free_port: int) -> None:
    with (
        socket.create_server(("127.0.0.1", free_port)),
        pytest.raises(EmbeddedError, match=f"port {free_port} is taken"),
    ):
        await EmbeddedPostgres(made_cluster, port=free_port).start()


async def test_a_port_asked_for_opens_on_loopback_with_a_password(made_cluster: Path, free_port: int) -> None:
    async with EmbeddedPostgres(made_cluster, port=free_port) as server:
        assert words(server) == ["first"]
        with pytest.raises(psycopg.OperationalError, match="no password supplied"):
            psycopg.connect(host="127.0.0.1", port=free_port, user="postgres", dbname="postgres")


async def test_a_start_that_fails_says_why_and_leaves_nothing_running(made_cluster: Path) -> None:
    control = made_cluster / "postgres/cluster/global/pg_control"
    hidden = control.rename(control.with_name("pg_control.away"))
    server = EmbeddedPostgres(made_cluster)
    try:
        with pytest.raises(EmbeddedError, match=r"PostgreSQL did not start, see .*could not find the database system"):
            await server.start()
    finally:
        hidden.rename(control)
    assert not server.running
    async with server:
        assert words(server) == ["first"]


def test_a_long_path_puts_the_socket_where_its_name_fits() -> None:
    short = EmbeddedPostgres(Path("/srv/data")).socket_directory
    long = EmbeddedPostgres(Path("/srv") / ("d" * 100)).socket_directory
    assert short == Path("/srv/data/postgres/run")
    assert len(str(long / ".s.PGSQL.65535.lock")) <= SOCKET_PATH_BYTES
    assert long == EmbeddedPostgres(Path("/srv") / ("d" * 100)).socket_directory


async def test_a_cluster_cut_short_is_made_anew_under_a_long_path(data: Path) -> None:
    deep = data / ("d" * 100)
    half = deep / "postgres/cluster.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    async with EmbeddedPostgres(deep, durable=False) as server:
        with psycopg.connect(server.superuser_url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    assert not half.exists()
    shutil.rmtree(server.socket_directory)


def test_pg_dump_runs_with_the_superusers_url(
    postgres_server: EmbeddedPostgres, create_database: CreateDatabase
) -> None:
    url = create_database("dumped")
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE listed (word text)")
    dump = subprocess.run(
        [str(postgres_server.bin_directory / "pg_dump"), "--schema-only", url],
        check=True,
        capture_output=True,
        text=True,
    )
    assert "CREATE TABLE public.listed" in dump.stdout


def test_statements_and_values_stay_out_of_the_log(
    postgres_server: EmbeddedPostgres, server_folder: Path, create_database: CreateDatabase
) -> None:
    with psycopg.connect(create_database()) as connection, pytest.raises(psycopg.DataError):
        connection.execute("SELECT 'a private word'::int")
    assert "private word" not in (server_folder / "postgres.log").read_text()


def test_a_database_can_be_copied_from_a_prepared_one(create_database: CreateDatabase) -> None:
    prepared = create_database("prepared")
    with psycopg.connect(prepared) as connection:
        connection.execute("CREATE TABLE there (word text)")
        name = connection.info.dbname
    with psycopg.connect(create_database("copy", template=name)) as connection:
        assert connection.execute("SELECT count(*) FROM there").fetchone() == (0,)
