"""The log on disk: a file a day, and none for longer than promised."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from kit.clock import FixedClock
from signoff.log_file import LogFile

START = datetime(2026, 3, 1, 23, 59, tzinfo=UTC)


@pytest.mark.promise("P64")
def test_logs_are_gone_after_ninety_days(tmp_path: Path):
    clock = FixedClock(START)
    log = LogFile(tmp_path, clock.now)
    for day in range(100):
        log.write(f"day {day}\n")
        clock.advance(timedelta(days=1))
    log.write("end\n")
    log.flush()
    files = sorted(file.name for file in tmp_path.iterdir())
    assert len(files) == 91
    assert "signoff-2026-03-10.jsonl" not in files
    assert (tmp_path / "signoff-2026-03-11.jsonl").read_text() == "day 10\n"
    assert (tmp_path / "signoff.jsonl").read_text() == "end\n"
    log.close()


def test_a_restart_goes_on_with_the_same_file(tmp_path: Path):
    now = datetime.now(UTC)
    for text in ("first\n", "second\n"):
        log = LogFile(tmp_path, lambda: now)
        log.write(text)
        log.close()
    assert (tmp_path / "signoff.jsonl").read_text() == "first\nsecond\n"
    assert stat.S_IMODE((tmp_path / "signoff.jsonl").stat().st_mode) == 0o600
