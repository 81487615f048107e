"""Time comes from one place; in development it can be moved for every process at once, and only forward."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from kit.clock import FixedClock, MovableClock, SystemClock

SOON = timedelta(seconds=5)


def test_the_system_clock_knows_its_offset():
    assert SystemClock().now().utcoffset() == timedelta()


def test_an_unmoved_clock_is_the_systems(tmp_path: Path):
    assert abs(MovableClock(tmp_path / "clock").now() - SystemClock().now()) < SOON


def test_every_clock_of_the_file_is_moved_and_moves_add_up(tmp_path: Path):
    mine, other = MovableClock(tmp_path / "clock"), MovableClock(tmp_path / "clock")
    other.now()
    told = mine.advance(timedelta(days=30))
    assert abs(other.now() - told) < SOON
    other.advance(timedelta(days=60))
    assert abs(mine.now() - SystemClock().now() - timedelta(days=90)) < SOON


def test_another_process_sees_the_move(tmp_path: Path):
    MovableClock(tmp_path / "clock").advance(timedelta(days=30))
    program = (
        "import pathlib, sys; from kit.clock import MovableClock;"
        "print(MovableClock(pathlib.Path(sys.argv[1])).now().isoformat())"
    )
    told = subprocess.run([sys.executable, "-c", program, str(tmp_path / "clock")], capture_output=True, text=True)
    assert datetime.fromisoformat(told.stdout.strip()) - datetime.now(UTC) > timedelta(days=29)


def test_time_does_not_go_back(tmp_path: Path):
    clock = MovableClock(tmp_path / "clock")
    with pytest.raises(ValueError, match="forward only"):
        clock.advance(timedelta(seconds=-1))
    assert not (tmp_path / "clock").exists()


def test_a_fixed_clock_stands_until_it_is_moved():
    clock = FixedClock(datetime(2026, 3, 29, tzinfo=UTC))
    assert clock.now() == clock.now() == datetime(2026, 3, 29, tzinfo=UTC)
    assert clock.advance(timedelta(hours=1)) == clock.now() == datetime(2026, 3, 29, 1, tzinfo=UTC)
