"""A seal is one string of bytes for the one who signs it and the one who checks it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from contracts.sealing import seal_message

APPROVERS = (UUID(int=2), UUID(int=1))


def test_a_time_is_sealed_the_same_whatever_its_offset():
    summer = datetime.fromisoformat("2026-07-01T11:30:00.250000+02:00")
    assert (
        seal_message("0" * 64, APPROVERS, summer)
        == seal_message("0" * 64, APPROVERS, datetime.fromisoformat("2026-07-01T09:30:00.250Z"))
        == seal_message("0" * 64, tuple(reversed(APPROVERS)), "2026-07-01T09:30:00.250000+00:00")
    )


def test_another_moment_is_another_message():
    first, second = (datetime.fromisoformat(f"2026-07-01T09:30:0{second}+00:00") for second in (0, 1))
    assert seal_message("0" * 64, APPROVERS, first) != seal_message("0" * 64, APPROVERS, second)
