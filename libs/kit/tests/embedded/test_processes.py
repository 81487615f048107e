"""Children end with us, are stopped in bounded time, and never end unnoticed."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from signal import SIGKILL, SIGTERM

import psutil
import psycopg
import pytest
from kit.embedded import ChildExit, ChildProcess, ChildSpec, EmbeddedPostgres
from kit.embedded.processes import LOG_ROTATION_BYTES, child_environment
from kit.testing import wait_for

SUPERVISOR = """
import json, sys, threading
from pathlib import Path
from kit.embedded import EmbeddedNats, EmbeddedPostgres
postgres, nats = EmbeddedPostgres(Path(sys.argv[1]), durable=False), EmbeddedNats(Path(sys.argv[1]), durable=False)
# Started from a thread that is gone at once: the children must stay all the same.
for server in (postgres, nats):
    thread = threading.Thread(target=server.start_blocking)
    thread.start()
    thread.join()
print(json.dumps([postgres.pid, nats.pid]), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def data() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="signoff-test-"))
    yield folder
    shutil.rmtree(folder)


def spec(folder: Path, code: str, *, stop_seconds: float = 5.0) -> ChildSpec:
    return ChildSpec(
        name="child",
        command=[sys.executable, "-S", "-c", code],
        directory=folder,
        log_file=folder / "child.log",
        stop_signal=SIGTERM,
        stop_seconds=stop_seconds,
    )


def start_supervisor(data: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", SUPERVISOR, str(data)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere they are found at the next start")
async def test_children_end_when_their_parent_is_killed(data: Path) -> None:
    parent = start_supervisor(data)
    assert parent.stdin is not None
    assert parent.stdout is not None
    with parent.stdin, parent.stdout:
        pids = json.loads(parent.stdout.readline())
        assert all(alive(pid) for pid in pids)
        parent.kill()
        parent.wait()
        # At once, while they may still be shutting down: the same folder must work for the next one.
        async with EmbeddedPostgres(data) as server:
            with psycopg.connect(server.superuser_url) as connection:
                assert connection.execute("SELECT 1").fetchone() == (1,)
        await wait_for(lambda: not any(alive(pid) for pid in pids))


async def test_an_unexpected_end_is_reported_once_also_to_a_late_listener(tmp_path: Path) -> None:
    reported: list[ChildExit] = []
    child = ChildProcess(spec(tmp_path, "raise SystemExit(3)"))
    ended = await child.exited()
    child.report_crash_to(reported.append)
    assert reported == [ended] == [ChildExit("child", child.pid, 3, expected=False)]


async def test_a_stop_is_no_crash(tmp_path: Path) -> None:
    reported: list[ChildExit] = []
    child = ChildProcess(spec(tmp_path, "print('up', flush=True); input_ = __import__('signal').pause()"))
    child.report_crash_to(reported.append)
    await wait_for(lambda: child.log_tail() == "up")
    ended = child.stop_blocking()
    assert (ended.code, ended.expected, reported) == (-SIGTERM, True, [])


async def test_a_child_that_does_not_listen_is_killed_in_time(tmp_path: Path) -> None:
    code = "import signal; signal.signal(15, signal.SIG_IGN); print('up', flush=True)\nwhile True: signal.pause()"
    child = ChildProcess(spec(tmp_path, code, stop_seconds=0.05))
    await wait_for(lambda: child.log_tail() == "up")
    assert child.stop_blocking().code == -SIGKILL


async def test_no_setting_of_ours_reaches_a_child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_SECRET", "value")
    child = ChildProcess(spec(tmp_path, "import os; print(sorted(os.environ))"))
    await child.exited()
    assert child.log_tail() == str(sorted(child_environment({})))


async def test_a_program_that_cannot_be_run_is_named_in_one_line(tmp_path: Path) -> None:
    missing = dataclasses.replace(spec(tmp_path, ""), command=[str(tmp_path / "missing")])
    child = ChildProcess(missing)
    assert (await child.exited()).code == 1
    assert child.log_tail().startswith(f"{tmp_path / 'missing'}: No such file or directory")


async def test_a_long_log_is_put_aside_at_the_next_start(tmp_path: Path) -> None:
    log_file = tmp_path / "child.log"
    log_file.touch()
    os.truncate(log_file, LOG_ROTATION_BYTES + 1)
    child = ChildProcess(spec(tmp_path, "print('new')"))
    await child.exited()
    assert child.log_tail() == "new"
    assert (tmp_path / "child.log.1").stat().st_size > LOG_ROTATION_BYTES
