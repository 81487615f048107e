"""The settings of the embedded PostgreSQL, each with its reason. `EmbeddedPostgres` passes them on every start.

On the command line they win over files in the cluster, so a restored copy runs with the same ones.
"""

from __future__ import annotations

from pathlib import Path

MAJOR_VERSION = "18"

SETTINGS: dict[str, str] = {
    # Durability is not for sale: an acknowledged commit survives a power cut.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    # Base backups and archiving need it; "minimal" would save little.
    "wal_level": "replica",
    "max_wal_senders": "4",
    # Bounds the disk used and the time a crash costs at the next start.
    "max_wal_size": "256MB",
    "min_wal_size": "32MB",
    # Small memory: the data of one installation fits the page cache, which is shared with everybody else.
    "shared_buffers": "32MB",
    "maintenance_work_mem": "32MB",
    "huge_pages": "off",
    # Seven services with a small pool each, twice during a rolling restart, and some for people.
    "max_connections": "120",
    # Compiling costs more than our short queries take, and megabytes in each session.
    "jit": "off",
    # Parallel queries need shared memory in /dev/shm, which is 64 MB in a container; ours are short.
    "max_parallel_workers_per_gather": "0",
    # Three I/O worker processes fewer; reads come from the page cache.
    "io_method": "sync",
    # No logical replication here, so no launcher process for it.
    "max_logical_replication_workers": "0",
    # Vacuum keeps up with queues and outboxes that turn over all day; two at a time suit two cores.
    "autovacuum": "on",
    "autovacuum_max_workers": "2",
    # Passwords over the socket too: other programs of the same user are no clients of ours.
    "password_encryption": "scram-sha-256",
    "unix_socket_permissions": "0700",
    # Times are UTC everywhere.
    "timezone": "UTC",
    "log_timezone": "UTC",
    # The log file must never hold what users wrote: a failed statement and its values are reported to the client,
    # who has its own log. Here stay starts, stops and the server's own troubles.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] ",
}

# A test's database is thrown away; waiting for the disk would double the time of every test.
VOLATILE_SETTINGS: dict[str, str] = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def server_options(*, socket_directory: Path, listen_address: str, port: int, durable: bool) -> list[str]:
    """Return the command line options of the server."""
    settings = SETTINGS if durable else SETTINGS | VOLATILE_SETTINGS
    place = {
        "unix_socket_directories": str(socket_directory),
        "listen_addresses": listen_address,
        "port": str(port),
    }
    return [part for name, value in (settings | place).items() for part in ("-c", f"{name}={value}")]


def initdb_options(*, durable: bool) -> list[str]:
    """Return the options a cluster is created with."""
    return [
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        # Built into the server: sorts and folds the same on every system, now and after an upgrade of its libc.
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--locale=C",
        # The files are written to disk once, for 0.15 s: without it a power cut soon after the first start could
        # lose a cluster that already took commits.
        *([] if durable else ["--no-sync"]),
    ]
