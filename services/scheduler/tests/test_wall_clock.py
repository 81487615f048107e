"""Wall-clock times and their instants, where clocks are changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scheduler.domain.wall_clock import Adjustment, resolve
from scheduler.domain.zones import UnknownZone, zone

NONE, GAP, OVERLAP = Adjustment.NONE, Adjustment.GAP, Adjustment.OVERLAP


@pytest.mark.promise("P40")
@pytest.mark.parametrize(
    ("at", "name", "due_at", "adjustment"),
    [
        ("2026-07-01T09:00", "Europe/Berlin", "2026-07-01T07:00Z", NONE),
        ("2026-01-01T09:00", "Asia/Kathmandu", "2026-01-01T03:15Z", NONE),
        ("2026-03-29T01:59:59", "Europe/Berlin", "2026-03-29T00:59:59Z", NONE),
        ("2026-03-29T02:00", "Europe/Berlin", "2026-03-29T01:00Z", GAP),
        ("2026-03-29T02:30", "Europe/Berlin", "2026-03-29T01:00Z", GAP),
        ("2026-03-29T02:59:59", "Europe/Berlin", "2026-03-29T01:00Z", GAP),
        ("2026-03-29T03:00", "Europe/Berlin", "2026-03-29T01:00Z", NONE),
        ("2026-10-25T01:59:59", "Europe/Berlin", "2026-10-24T23:59:59Z", NONE),
        ("2026-10-25T02:00", "Europe/Berlin", "2026-10-25T00:00Z", OVERLAP),
        ("2026-10-25T02:30", "Europe/Berlin", "2026-10-25T00:30Z", OVERLAP),
        ("2026-10-25T03:00", "Europe/Berlin", "2026-10-25T02:00Z", NONE),
        ("2026-03-08T02:30", "America/New_York", "2026-03-08T07:00Z", GAP),
        ("2026-11-01T01:30", "America/New_York", "2026-11-01T05:30Z", OVERLAP),
        # Half an hour, in the southern summer.
        ("2026-10-04T02:15", "Australia/Lord_Howe", "2026-10-03T15:30Z", GAP),
        ("2026-04-05T01:45", "Australia/Lord_Howe", "2026-04-04T14:45Z", OVERLAP),
        # The gap is at midnight: the day begins at one.
        ("2026-09-06T00:20", "America/Santiago", "2026-09-06T04:00Z", GAP),
        # Samoa left out a whole day.
        ("2011-12-30T12:00", "Pacific/Apia", "2011-12-30T10:00Z", GAP),
    ],
)
def test_a_wall_clock_time_has_one_instant(at: str, name: str, due_at: str, adjustment: Adjustment):
    resolved = resolve(datetime.fromisoformat(at), zone(name))
    assert resolved.due_at == datetime.fromisoformat(due_at)
    assert resolved.adjustment == adjustment


@given(
    st.datetimes(min_value=datetime.fromisoformat("2024-01-01"), max_value=datetime.fromisoformat("2030-01-01")),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "UTC"]),
)
def test_an_instant_shows_the_time_asked_for_or_the_first_one_after_it(at: datetime, name: str):
    in_zone = ZoneInfo(name)
    resolved = resolve(at, in_zone)
    shown = resolved.due_at.astimezone(in_zone).replace(tzinfo=None)
    if resolved.adjustment is GAP:
        just_before = (resolved.due_at - timedelta(microseconds=1)).astimezone(in_zone).replace(tzinfo=None)
        assert just_before < at <= shown
    else:
        assert shown == at
    if resolved.adjustment is OVERLAP:
        assert at.replace(tzinfo=in_zone, fold=1).astimezone(UTC) > resolved.due_at


@pytest.mark.parametrize("name", ["Mars/Olympus", "America", "../etc/passwd", "/etc/localtime", "Europe/Berlin\0"])
def test_what_is_no_zone_is_refused(name: str):
    with pytest.raises(UnknownZone):
        zone(name)
