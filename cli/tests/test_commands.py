"""The command line: what is wrong is one line on stderr and a code, never a traceback."""

from __future__ import annotations

import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from signoff.main import main

Captured = pytest.CaptureFixture[str]


def complaint(captured: Captured) -> str:
    output, error = captured.readouterr()
    assert output == ""
    assert error.startswith("signoff: ")
    assert error.count("\n") == 1, error
    return error.removeprefix("signoff: ").strip()


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A data folder that `signoff up` has been run on, as far as these commands look."""
    (tmp_path / "VERSION").write_text("1\n")
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (["nonsense"], 2, "nonsense"),
        (["up", "--port", "many"], 2, "port"),
        (["up", "--port", "0"], 2, "port"),
        (["up", "--port", "65536"], 2, "port"),
        (["up", "--nonsense"], 2, "nonsense"),
        (["clock", "advance"], 2, "by"),
        (["clock", "advance", "soon"], 1, "no duration"),
        (["clock", "advance", "-3d"], 2, "-3d"),
        (["clock", "advance", "3d "], 1, "no duration"),
        (["clock", "advance", "4000d"], 1, "too long"),
        (["topology", "apply", "--replicas", "0"], 1, "NATS_REPLICAS is 0"),
        (["topology", "apply", "--replicas", "2"], 1, "NATS_REPLICAS is 2, but must be 1, 3 or 5"),
        (["topology", "apply", "--max-age", "31d"], 1, "NATS_MAX_AGE is 31d, but must be between 1h and 30d"),
        (["topology", "diff", "--duplicate-window", "x"], 1, "NATS_DUPLICATE_WINDOW: 'x' is no duration"),
        (["topology", "check"], 2, "check"),
        (["certificate", "verify"], 2, "file"),
        (["certificate", "verify", "/nowhere/at/all"], 1, "no keys"),
        (["promises", "--root", "/nowhere"], 1, "promises.yaml"),
    ],
)
def test_bad_input_is_one_line(capsys: Captured, tmp_path: Path, arguments: list[str], code: int, expected: str):
    data = [] if arguments[0] in ("nonsense", "promises") else ["--data", str(tmp_path / "data")]
    assert main([*arguments, *data]) == code
    assert expected in complaint(capsys)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("arguments", [["clock", "show"], ["clock", "advance", "1d"], ["topology", "diff"]])
def test_without_an_installation_there_is_nothing_to_operate(capsys: Captured, tmp_path: Path, arguments: list[str]):
    assert main([*arguments, "--data", str(tmp_path / "none")]) == 1
    assert "run signoff up first" in complaint(capsys)
    assert not (tmp_path / "none").exists()


def test_the_clock_moves_forward(capsys: Captured, installed: Path):
    assert main(["clock", "advance", "1d12h", "--data", str(installed)]) == 0
    assert main(["clock", "advance", "30m", "--data", str(installed)]) == 0
    assert main(["clock", "show", "--data", str(installed)]) == 0
    shown = datetime.fromisoformat(capsys.readouterr().out.splitlines()[-1])
    assert abs(shown - datetime.now(UTC) - timedelta(days=1, hours=12, minutes=30)) < timedelta(seconds=30)


def test_a_taken_port_is_one_clear_line(capsys: Captured, tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["up", "--port", str(port), "--data", str(tmp_path / "data")]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"signoff: port {port} cannot be used")
    assert error.count("\n") == 1


def test_a_foreign_folder_is_left_alone(capsys: Captured, tmp_path: Path):
    (tmp_path / "thesis.txt").write_text("mine")
    assert main(["migrate", "--data", str(tmp_path)]) == 1
    assert "thesis.txt" in complaint(capsys)


def test_half_of_the_database_addresses_is_a_mistake(capsys: Captured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DATABASE_OWNER_URL_AUTH", "postgresql://nobody@127.0.0.1/auth")
    assert main(["migrate", "--data", str(tmp_path / "data")]) == 1
    assert complaint(capsys) == "DATABASE_OWNER_URL_AUTH_KEYS is not set"


def test_an_unreachable_nats_is_one_line(capsys: Captured, monkeypatch: pytest.MonkeyPatch, free_port: int):
    monkeypatch.setenv("NATS_URL", f"nats://127.0.0.1:{free_port}")
    assert main(["topology", "diff"]) == 1
    assert f"nats://127.0.0.1:{free_port}" in complaint(capsys)


def test_production_is_not_operated_in_plain_text(capsys: Captured, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NATS_URL", "nats://nats.example.com:4222")
    monkeypatch.setenv("SIGNOFF_STAGE", "production")
    assert main(["topology", "diff"]) == 1
    assert complaint(capsys).startswith("NATS_URL is not encrypted")


def test_help_is_help(capsys: Captured):
    assert main(["--help"]) == 0
    listed = capsys.readouterr().out
    for command in ("up", "demo", "migrate", "topology", "clock", "certificate", "promises"):
        assert command in listed


def test_the_installed_command_complains_without_a_traceback(tmp_path: Path):
    command = [str(Path(sys.executable).with_name("signoff")), "clock", "show", "--data", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
