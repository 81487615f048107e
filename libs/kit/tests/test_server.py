"""A service as a process: what is open is closed before it ends, and a wrong setting is one line."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from kit.server import EXIT_SETTINGS
from kit.testing import wait_for

PROGRAM = """
from contextlib import asynccontextmanager
from litestar import Litestar, get
import kit.server

@get("/")
async def answer() -> str:
    return "up"

@asynccontextmanager
async def life(app):
    print("opened", flush=True)
    yield
    print("closed", flush=True)

kit.server.run("auth", lambda environment: Litestar([answer], lifespan=[life], logging_config=None))
"""


def start(folder: Path, program: str, **environment: str) -> subprocess.Popen[str]:
    file = folder / "program.py"
    file.write_text(program)
    return subprocess.Popen(
        [sys.executable, str(file)], env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_closes_what_is_open(tmp_path: Path, free_port: int, number: signal.Signals):
    process = start(tmp_path, PROGRAM, PORT=str(free_port))

    async def up() -> bool:
        assert process.poll() is None, process.communicate()
        try:
            async with httpx.AsyncClient() as client:
                return (await client.get(f"http://127.0.0.1:{free_port}/")).text == "up"
        except httpx.ConnectError:
            return False

    await wait_for(up, 30)
    process.send_signal(number)
    output, _ = process.communicate(timeout=20)
    assert output.split() == ["opened", "closed"]
    assert process.returncode == 0


@pytest.mark.parametrize("error", ["kit.topology.Drift", "kit.settings.SettingError"])
def test_what_is_wrong_at_the_start_is_one_line(tmp_path: Path, free_port: int, error: str):
    raising = f"import kit.settings, kit.topology; raise {error}('a consumer is missing'); yield"
    process = start(tmp_path, PROGRAM.replace('print("opened", flush=True)', raising), PORT=str(free_port))
    _, complaint = process.communicate(timeout=30)
    assert complaint == "auth: a consumer is missing\n"
    assert process.returncode == EXIT_SETTINGS


def test_a_wrong_setting_is_one_line(tmp_path: Path):
    process = start(tmp_path, PROGRAM, PORT="none")
    output, complaint = process.communicate(timeout=30)
    assert process.returncode == EXIT_SETTINGS
    assert complaint == "auth: PORT is 'none', but must be a whole number\n"
    assert output == ""


REFUSING = """
from contextlib import asynccontextmanager
from litestar import Litestar
import kit.server
from kit.settings import SettingError

@asynccontextmanager
async def life(app):
    raise SettingError("the database is behind")
    yield

kit.server.run("auth", lambda environment: Litestar([], lifespan=[life], logging_config=None))
"""


def test_what_is_wrong_is_one_line_too_when_it_is_found_while_opening(tmp_path: Path, free_port: int):
    process = start(tmp_path, REFUSING, PORT=str(free_port))
    _, complaint = process.communicate(timeout=30)
    assert process.returncode == EXIT_SETTINGS
    assert complaint == "auth: the database is behind\n"
