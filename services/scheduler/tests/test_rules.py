"""Recurrence rules: what is taken, what is refused, and that none keeps the service busy."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st
from scheduler.domain.rule import YEAR, Rule, RuleRefused, refuse_unless_sensible

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
START = datetime.fromisoformat("2026-12-01T09:00")

QUARTERS = "BYHOUR=0,1,2,3,4,5,6,7,8,9,10,11;BYMINUTE=0,15,30,45"


def first(rule: str, starts_at: datetime = START, many: int = 3) -> list[str]:
    followed = Rule.parse(rule, starts_at)
    refuse_unless_sensible(followed, BERLIN, now=NOW)
    found = islice(followed.occurrences(BERLIN, last=NOW + 2 * YEAR), many)
    return [f"{each.number} {each.at:%m-%d %H:%M} {each.due_at:%d %H:%M}" for each in found]


@pytest.mark.promise("P40")
@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("FREQ=DAILY", ["1 12-01 09:00 01 08:00", "2 12-02 09:00 02 08:00", "3 12-03 09:00 03 08:00"]),
        ("FREQ=DAILY;COUNT=2", ["1 12-01 09:00 01 08:00", "2 12-02 09:00 02 08:00"]),
        # UNTIL is an instant: nine o'clock in Berlin is eight in UTC, and counts itself.
        ("FREQ=DAILY;UNTIL=20261202T080000Z", ["1 12-01 09:00 01 08:00", "2 12-02 09:00 02 08:00"]),
        ("FREQ=DAILY;UNTIL=20261202T075959Z", ["1 12-01 09:00 01 08:00"]),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH;COUNT=2", ["1 12-03 09:00 03 08:00", "2 12-14 09:00 14 08:00"]),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=1", ["1 12-31 09:00 31 08:00"]),
        ("FREQ=YEARLY;INTERVAL=5", ["1 12-01 09:00 01 08:00"]),
        ("FREQ=DAILY;BYHOUR=8,20;BYMINUTE=30;COUNT=2", ["1 12-01 20:30 01 19:30", "2 12-02 08:30 02 07:30"]),
    ],
)  # fmt: skip
def test_a_rule_happens_on_the_wall_clock(rule: str, expected: list[str]):
    assert first(rule) == expected


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("FREQ=HOURLY", "FREQ is"),
        ("FREQ=MINUTELY;INTERVAL=60", "FREQ is"),
        ("FREQ=SECONDLY", "FREQ is"),
        ("BYDAY=MO", "FREQ is"),
        ("", "not understood"),
        ("RRULE:FREQ=DAILY", "not understood"),
        ("FREQ=DAILY;", "not understood"),
        ("FREQ=DAILY;FREQ=DAILY", "FREQ is"),
        ("FREQ=DAILY\nRDATE:20270101", "FREQ is"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL"),
        ("FREQ=DAILY;COUNT=0", "COUNT"),
        ("FREQ=YEARLY;BYEASTER=1", "BYEASTER"),
        ("FREQ=DAILY;BYSECOND=0", "BYSECOND"),
        ("FREQ=DAILY;BYHOUR=25", "contradicts"),
        ("FREQ=DAILY;BYMONTHDAY=0", "BYMONTHDAY"),
        ("FREQ=DAILY;UNTIL=20271231", "UNTIL is an instant in UTC"),
        ("FREQ=DAILY;UNTIL=20271231T100000", "UNTIL is an instant in UTC"),
        ("FREQ=DAILY;UNTIL=20271331T100000Z", "UNTIL is an instant in UTC"),
        ("FREQ=DAILY;UNTIL=20271231T100000Z;COUNT=2", "not by both"),
        ("FREQ=WEEKLY;BYMONTHDAY=1", "BYMONTHDAY does not go"),
        ("FREQ=MONTHLY;BYWEEKNO=1", "BYWEEKNO does not go"),
        ("FREQ=WEEKLY;BYDAY=1MO", "counted weekday"),
        ("FREQ=MONTHLY;BYSETPOS=1", "BYSETPOS needs"),
        ("FREQ=DAILY;" + "BYHOUR=" + ",".join(["9"] * 300), "characters"),
        ("FREQ=DAILY;UNTIL=20261130T000000Z", "within 366 days"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "within 366 days"),
        ("FREQ=DAILY;BYHOUR=9;BYMINUTE=0,10", "15 minutes"),
        ("FREQ=DAILY;BYHOUR=0,23;BYMINUTE=0,55;COUNT=9", "15 minutes"),
        (f"FREQ=DAILY;{QUARTERS}", "1,000 times a year"),
    ],
)
def test_what_is_no_rule_for_a_calendar_is_refused(rule: str, told: str):
    with pytest.raises(RuleRefused, match=told):
        first(rule)


def test_a_busy_fortnight_is_taken_while_the_year_is_not_too_full():
    assert len(first(f"FREQ=DAILY;{QUARTERS};COUNT=1000", many=2_000)) == 1_000


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=WEEKLY;BYMONTH=13;BYDAY=MO",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;INTERVAL=999",
        "FREQ=YEARLY;BYYEARDAY=366;BYDAY=MO;BYMONTH=1",
        "FREQ=MONTHLY;BYDAY=5MO;BYSETPOS=3",
    ],
)
def test_a_rule_that_never_happens_is_refused_in_no_time(rule: str):
    began = time.process_time()
    with pytest.raises(RuleRefused, match="within 366 days"):
        first(rule)
    # dateutil alone looks until the year 9999: seconds, or minutes.
    assert time.process_time() - began < 0.2


RULES = st.sampled_from(
    [
        "FREQ=DAILY", "FREQ=DAILY;INTERVAL=3", "FREQ=WEEKLY", "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO;WKST=SU",
        "FREQ=WEEKLY;INTERVAL=5;BYDAY=SU", "FREQ=MONTHLY", "FREQ=MONTHLY;INTERVAL=7;BYMONTHDAY=-1,31",
        "FREQ=MONTHLY;BYDAY=-1FR", "FREQ=YEARLY", "FREQ=YEARLY;BYWEEKNO=1,53;BYDAY=MO", "FREQ=YEARLY;BYYEARDAY=-1,1",
        "FREQ=YEARLY;INTERVAL=2;BYMONTH=1,12;BYDAY=2TU",
    ]
)  # fmt: skip


@settings(deadline=None)
@given(RULES, st.datetimes(START, START + 3 * YEAR), st.integers(0, 800))
def test_counting_steps_loses_nothing_that_dateutil_finds(rule: str, starts_at: datetime, days: int):
    starts_at = starts_at.replace(microsecond=0)
    last = starts_at.replace(tzinfo=UTC) + timedelta(days=days)
    found = [each.at for each in Rule.parse(rule, starts_at).occurrences(ZoneInfo("UTC"), last=last)]
    expected = rrulestr(rule, dtstart=starts_at).between(starts_at, last.replace(tzinfo=None), inc=True)
    assert found == expected
