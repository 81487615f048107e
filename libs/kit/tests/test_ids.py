"""Ids are version 7 UUIDs: they sort by the time they were made and never meet."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime
from uuid import RFC_4122

import pytest
from kit.ids import new_id


def test_an_id_is_a_version_7_uuid():
    made = new_id()
    assert (made.version, made.variant) == (7, RFC_4122)


def test_an_id_tells_when_it_was_made():
    before = time.time_ns() // 1_000_000
    made_at = new_id().int >> 80
    assert before <= made_at <= time.time_ns() // 1_000_000


def test_ids_sort_by_time(monkeypatch: pytest.MonkeyPatch):
    instants = [int(datetime(2026, 1, day, tzinfo=UTC).timestamp()) * 10**9 for day in range(1, 29)]
    ids = []
    for instant in instants:
        monkeypatch.setattr(time, "time_ns", lambda instant=instant: instant)
        ids.append(new_id())
    assert sorted(ids) == ids


def test_ids_of_one_millisecond_differ(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(time, "time_ns", lambda: 1_767_225_600_000_000_000)
    assert len({new_id() for _ in range(10_000)}) == 10_000


def test_a_forked_process_makes_ids_of_its_own():
    """Their random parts are asked of the system many at a time, and a child is born with its parent's memory."""
    program = (
        "import os; from kit.ids import new_id; new_id(); parent = os.fork();"
        "ids = [new_id().int & (1 << 62) - 1 for _ in range(10)];"
        "parent and os.wait(); print(*ids, flush=True)"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert len(set(told)) == len(told) == 20
