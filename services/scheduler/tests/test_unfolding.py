"""However a series is looked at, each of its times is brought once, in time, and never too many wait."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kit.ids import new_id
from scheduler.domain.rule import Occurrence
from scheduler.domain.series import AHEAD, LOOK_AGAIN, PENDING_MAX, Series, SeriesState

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime.fromisoformat("2026-11-22T10:00+00:00")
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def series(rule: str, **facts: object) -> Series:
    made = {
        "series_id": new_id(),
        "workspace_id": new_id(),
        "post_id": new_id(),
        "revision_id": new_id(),
        "connection_ids": (new_id(),),
        "rule": rule,
        "starts_at": datetime.fromisoformat("2026-11-23T09:00"),
        "time_zone": "Europe/Berlin",
        "late": HOUR,
        "when_missed": "hold",
        "created_by": None,
        "created_at": NOW,
        "next_at": NOW,
    }
    return Series(**(made | facts))  # type: ignore[arg-type]


def waiting(brought: Sequence[Occurrence], now: datetime) -> list[datetime]:
    return [each.due_at for each in brought if each.due_at > now]


QUARTERS = "BYHOUR=0,1,2,3,4,5,6,7,8,9,10,11;BYMINUTE=0,15,30,45"
RULES = st.sampled_from(
    ["FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,TH", "FREQ=MONTHLY", "FREQ=YEARLY", f"FREQ=WEEKLY;{QUARTERS};COUNT=900"]
)


@settings(max_examples=30, deadline=None)
@given(RULES, st.lists(st.floats(0, 13), max_size=5))
def test_looked_at_in_time_it_brings_every_time_before_it_is_due(rule: str, days_between: list[float]):
    now, looked_at, brought = NOW, series(rule), list[Occurrence]()
    for days in days_between:
        # As the loop does: at every time that it asked for, and now and then without being asked.
        until = now + DAY * days
        while looked_at.next_at is not None and looked_at.next_at <= until:
            now = max(looked_at.next_at, now)
            looked_at, more = looked_at.unfold(BERLIN, waiting(brought, now), now)
            brought += more
            assert len(waiting(brought, now)) <= PENDING_MAX
            assert all(now <= each.due_at <= now + AHEAD for each in more)
            assert looked_at.next_at is None or looked_at.next_at > now
        now = until
    assert [each.number for each in brought] == list(range(1, len(brought) + 1))
    assert looked_at.skipped == 0
    expected = looked_at.followed().occurrences(BERLIN, last=now)
    assert not days_between or list(expected) == [each for each in brought if each.due_at <= now]


@settings(max_examples=30, deadline=None)
@given(RULES, st.integers(0, 400))
def test_what_passed_while_nobody_looked_is_brought_late_or_counted(rule: str, days: int):
    first, brought = series(rule, late=3 * DAY).unfold(BERLIN, [], NOW)
    now = NOW + DAY * days
    second, more = first.unfold(BERLIN, waiting(brought, now), now)
    numbers = [each.number for each in more]
    assert numbers == sorted(numbers)
    assert all(each.due_at + 3 * DAY >= now for each in more)
    assert second.last_number == len(brought) + second.skipped + len(more)


@pytest.mark.parametrize(
    ("rule", "facts", "state", "next_at"),
    [
        ("FREQ=DAILY;COUNT=3", {}, SeriesState.FINISHED, None),
        ("FREQ=DAILY;UNTIL=20261125T080000Z", {}, SeriesState.FINISHED, None),
        ("FREQ=DAILY", {"ends_after": 3}, SeriesState.FINISHED, None),
        ("FREQ=DAILY", {"ends_after": 0}, SeriesState.FINISHED, None),
        ("FREQ=DAILY", {}, SeriesState.ACTIVE, datetime.fromisoformat("2026-12-07T08:00Z") - AHEAD),
        # None within a year: it is looked at again before the year is over.
        ("FREQ=YEARLY;INTERVAL=3", {"last_number": 1}, SeriesState.ACTIVE, NOW + LOOK_AGAIN - AHEAD),
    ],
)
def test_it_says_when_it_is_to_be_looked_at_again(
    rule: str, facts: dict[str, object], state: SeriesState, next_at: datetime | None
):
    unfolded, _ = series(rule, **facts).unfold(BERLIN, [], NOW)
    assert (unfolded.state, unfolded.next_at) == (state, next_at)


def test_its_last_times_are_those_before_the_cut():
    _, brought = series("FREQ=DAILY").cut(4).unfold(BERLIN, [], NOW)
    assert [each.number for each in brought] == [1, 2, 3]
