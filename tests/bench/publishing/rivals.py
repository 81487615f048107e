"""The peers that a Python team would pick, with their servers: installed beside the project, never into it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kit.embedded.ports import free_port
from kit.embedded.postgres import EmbeddedPostgres
from publishing.contest import HERE, IN_FLIGHT, Contestant

CACHE = Path(__file__).parents[3] / ".cache" / "bench-peers"
REDIS_PACKAGES = ("redis-tools", "redis-server", "liblzf1", "libjemalloc2")
PROCESSES = 2
"""One a core, with half of the calls each, where a peer can work so."""

READY_SECONDS = 10.0


def environment() -> Path:
    """The bin folder of an environment with the peers in it, made once."""
    requirements = HERE / "peers" / "requirements.txt"
    stamp, folder = CACHE / "requirements.txt", CACHE / "venv"
    if not stamp.exists() or stamp.read_text() != requirements.read_text():
        uv = Path(sys.executable).parent / "uv"
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, folder], check=True)
        subprocess.run(
            [uv, "pip", "install", "--quiet", "--python", folder / "bin" / "python", "-r", requirements], check=True
        )
        shutil.copy(requirements, stamp)
    return folder / "bin"


@contextmanager
def redis(folder: Path, *, on_disk: bool) -> Iterator[str]:
    """A Redis server of Debian's, unpacked beside the peers; its URL. Ends the program where there is no Debian.

    `on_disk`: what it confirms is on the disk, as with the PostgreSQL of the others. Otherwise it is in memory alone.
    """
    unpacked = CACHE / "redis"
    server = unpacked / "usr" / "bin" / "redis-server"
    if not server.exists():
        if shutil.which("apt-get") is None:
            raise SystemExit(
                "Redis is fetched with apt-get, which this system has not; leave its peers out with --without-redis"
            )
        unpacked.mkdir(parents=True, exist_ok=True)
        subprocess.run(["apt-get", "download", "-qq", *REDIS_PACKAGES], cwd=unpacked, check=True)
        for package in unpacked.glob("*.deb"):
            subprocess.run(["dpkg-deb", "-x", package, unpacked], check=True)
    port = free_port()
    libraries = ":".join(str(path.parent) for path in unpacked.rglob("liblzf.so.1"))
    kept = (
        ["--appendonly", "yes", "--appendfsync", "always", "--dir", str(folder)] if on_disk else ["--appendonly", "no"]
    )
    command: list[str | Path] = [server, "--port", str(port), "--bind", "127.0.0.1", "--save", "", *kept]
    with (folder / "redis.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | {"LD_LIBRARY_PATH": libraries})
    try:
        _await(unpacked / "usr" / "bin" / "redis-cli", port, libraries)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait()


def _await(client: Path, port: int, libraries: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        answer = subprocess.run(
            [client, "-p", str(port), "ping"], capture_output=True, env=os.environ | {"LD_LIBRARY_PATH": libraries}
        )
        if answer.stdout.strip() == b"PONG":
            return
        time.sleep(0.1)
    raise SystemExit("Redis does not answer")


def on_redis(binaries: Path, url: str, *, on_disk: bool) -> list[Contestant]:
    """`on_disk`: Celery acknowledges a task when it is done, as dramatiq always does, and not when it begins."""
    told = {"REDIS_URL": url, "ACKNOWLEDGE_LATE": str(on_disk)}
    where = "Redis on disk" if on_disk else "Redis in memory"
    each = str(IN_FLIGHT // PROCESSES)
    python = str(binaries / "python")
    dramatiq = [str(binaries / "dramatiq"), "dramatiq_peer", "--processes", str(PROCESSES), "--threads", each]
    celery = [
        str(binaries / "celery"),
        "-A",
        "celery_peer",
        "worker",
        "--pool",
        "threads",
        "--concurrency",
        each,
        "-l",
        "ERROR",
    ]
    return [
        Contestant(f"dramatiq + {where}", [python, "dramatiq_peer.py"], [dramatiq], told, fill_seconds=30.0),
        Contestant(
            f"Celery + {where}",
            [python, "celery_peer.py"],
            [[*celery, "-n", f"worker{number}@%h"] for number in range(PROCESSES)],
            told,
            fill_seconds=40.0,
        ),
    ]


def on_postgres(binaries: Path, postgres: EmbeddedPostgres) -> list[Contestant]:
    python, url = str(binaries / "python"), postgres.superuser_url
    return [
        Contestant(
            "APScheduler + PostgreSQL",
            [python, "apscheduler_peer.py", "enqueue"],
            [[python, "apscheduler_peer.py", "work"]],
            {"DATABASE_URL": url.replace("postgresql://", "postgresql+psycopg://", 1)},
            fill_seconds=90.0,
        ),
        Contestant(
            "procrastinate",
            [python, "procrastinate_peer.py", "enqueue"],
            [[python, "procrastinate_peer.py", "work"]],
            {"DATABASE_URL": url},
            fill_seconds=25.0,
        ),
    ]
