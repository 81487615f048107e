"""When a blackout is: as a person finds who looks at the clock minute by minute."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from kit.ids import new_id
from scheduler.domain.blackouts import Blackout, Closures, Window
from scheduler.domain.zones import zone

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

TURNS = [
    ("Europe/Berlin", "2027-03-28T02:00"),
    ("Europe/Berlin", "2027-10-31T02:00"),
    ("America/New_York", "2027-03-14T02:00"),
    ("America/New_York", "2027-11-07T01:00"),
    ("Australia/Lord_Howe", "2027-04-04T01:30"),
    ("Australia/Lord_Howe", "2027-10-03T02:00"),
    ("America/Santiago", "2027-04-03T23:00"),
    ("America/Santiago", "2027-09-05T00:00"),
]
"""Where an hour, or half of one, is left out or begins to be repeated."""

DAYS = ["2027-02-28", "2028-02-28", "2028-02-29", "2028-03-01", "2027-12-31", "2028-01-01", "2027-06-15"]
"""Those about which calendars differ, and one more."""


@st.composite
def windows(draw: st.DrawFn, *, yearly: bool) -> Window:
    if draw(st.booleans()):
        name, turn = draw(st.sampled_from(TURNS))
        starts_at, ends_at = (datetime.fromisoformat(turn) + draw(st.integers(-60, 120)) * MINUTE for _ in range(2))
    else:
        name = draw(st.sampled_from(["UTC", "Europe/Berlin", "Pacific/Kiritimati"]))
        starts_at, ends_at = (datetime.fromisoformat(draw(st.sampled_from(DAYS))) for _ in range(2))
        starts_at += draw(st.sampled_from([0, 0, 600])) * MINUTE
        ends_at += draw(st.sampled_from([0, 0, 660])) * MINUTE
    if not starts_at < ends_at < starts_at + 3 * DAY:
        ends_at = starts_at + draw(st.sampled_from([30, 1440, 2880])) * MINUTE
    return Window("Quiet", starts_at, ends_at, name, yearly)


def at_turn(starts_at: str, ends_at: str) -> Window:
    return Window("Quiet", datetime.fromisoformat(starts_at), datetime.fromisoformat(ends_at), "Europe/Berlin")


def first_of(year: int, at: datetime) -> datetime:
    """The first minute of a year that is not before this one of a year, by the days of its calendar."""
    day = date(year, 1, 1)
    while (day.month, day.day) < (at.month, at.day):
        day += DAY
    exact = (day.month, day.day) == (at.month, at.day)
    return datetime.combine(day, at.time() if exact else datetime.min.time())


def end_of(year: int, at: datetime) -> datetime:
    """What follows the last minute of a year that is not behind the one before this."""
    last, day = at - MINUTE, date(year, 12, 31)
    while (day.month, day.day) > (last.month, last.day):
        day -= DAY
    exact = (day.month, day.day) == (last.month, last.day)
    return datetime.combine(day, last.time()) + MINUTE if exact else datetime.combine(day + DAY, datetime.min.time())


def closed_minutes(starts_at: datetime, ends_at: datetime, in_zone: ZoneInfo) -> Iterator[tuple[datetime, bool]]:
    """Every minute around a window: from the first that shows its beginning to the last that does not show its end."""
    first = starts_at.replace(tzinfo=UTC) - 15 * HOUR
    minutes = [first + each * MINUTE for each in range((ends_at - starts_at + 30 * HOUR) // MINUTE)]
    shown = [each.astimezone(in_zone).replace(tzinfo=None) for each in minutes]
    begun = [index for index, clock in enumerate(shown) if clock >= starts_at]
    not_ended = [index for index, clock in enumerate(shown) if clock < ends_at]
    return ((minute, begun[0] <= index <= not_ended[-1]) for index, minute in enumerate(minutes))


def closures(window: Window, since: datetime, until: datetime) -> Closures:
    return Closures.between([Blackout(new_id(), new_id(), window)], since, until)


@settings(max_examples=150, deadline=None)
@given(windows(yearly=False))
@example(at_turn("2027-10-31T01:30", "2027-10-31T02:00"))  # up to the hour that is repeated
@example(at_turn("2027-10-31T02:10", "2027-10-31T02:20"))  # within it
@example(at_turn("2027-10-31T03:00", "2027-10-31T03:30"))  # behind it
@example(at_turn("2027-03-28T02:10", "2027-03-28T02:20"))  # within the hour that is left out
@example(at_turn("2027-03-28T01:30", "2027-03-28T02:31"))  # into it
def test_a_minute_is_in_a_blackout_if_the_clock_says_so(window: Window):
    minutes = list(closed_minutes(window.starts_at, window.ends_at, zone(window.time_zone)))
    found = closures(window, minutes[0][0], minutes[-1][0])
    assert [found.around(minute) is not None for minute, _ in minutes] == [closed for _, closed in minutes]


@settings(max_examples=150, deadline=None)
@given(windows(yearly=True), st.integers(0, 5))
def test_a_blackout_returns_every_year_on_the_same_days(window: Window, later: int):
    year = window.starts_at.year + later
    starts_at = first_of(year, window.starts_at)
    ends_at = end_of(year + (window.ends_at - MINUTE).year - window.starts_at.year, window.ends_at)
    minutes = list(closed_minutes(starts_at, ends_at, zone(window.time_zone)))
    found = closures(window, minutes[0][0], minutes[-1][0])
    assert [found.around(minute) is not None for minute, _ in minutes] == [closed for _, closed in minutes]


@settings(max_examples=200, deadline=None)
@given(windows(yearly=True), st.integers(0, 5), st.integers(-20, 60))
def test_one_instant_is_judged_as_in_a_long_period(window: Window, later: int, hours: int):
    start = window.starts_at.replace(tzinfo=UTC)
    instant = start + later * 365 * DAY + hours * HOUR
    long, short = closures(window, start - 2 * DAY, start + 6 * 366 * DAY), closures(window, instant, instant)
    assert short.around(instant) == long.around(instant)
    # A yearly window does not begin before its first year.
    assert closures(window, start - 700 * DAY, start - 2 * DAY).ranges == []


@pytest.mark.parametrize(
    ("first", "last", "year", "closed"),
    [
        ("2028-02-29", "2028-02-29", 2028, ["02-29"]),
        ("2028-02-29", "2028-02-29", 2029, []),
        ("2028-02-28", "2028-02-29", 2029, ["02-28"]),
        ("2028-02-29", "2028-03-02", 2029, ["03-01", "03-02"]),
        ("2027-02-28", "2027-02-28", 2028, ["02-28"]),
    ],
)
def test_what_a_window_has_of_29_february_is_left_out_of_other_years(
    first: str, last: str, year: int, closed: list[str]
):
    window = Window("Leap", datetime.fromisoformat(first), datetime.fromisoformat(last) + DAY, "Europe/Berlin", True)
    noon = datetime(year, 2, 25, 12, tzinfo=UTC)
    days = [noon + each * DAY for each in range(10)]
    found = closures(window, days[0], days[-1])
    assert [f"{day:%m-%d}" for day in days if found.around(day)] == closed


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)), max_size=8))
def test_joined_ranges_are_open_between_each_other_and_closed_within(spans: list[tuple[int, int]]):
    start = datetime.fromisoformat("2027-06-01T00:00")
    blackouts = [
        Blackout(new_id(), new_id(), Window("Quiet", start + since * HOUR, start + (since + hours) * HOUR, "UTC"))
        for since, hours in spans
    ]
    first = start.replace(tzinfo=UTC)
    found = Closures.between(blackouts, first, first + 100 * HOUR)
    assert all(one[1] < other[0] for one, other in zip(found.ranges, found.ranges[1:], strict=False))
    for hour in range(100):
        expected = {
            blackout.blackout_id
            for blackout, (since, hours) in zip(blackouts, spans, strict=True)
            if since <= hour < since + hours
        }
        there = found.at(first + hour * HOUR, [new_id()])
        assert {each.blackout.blackout_id for each in there} == expected
        assert (found.around(first + hour * HOUR) is not None) == bool(expected)
