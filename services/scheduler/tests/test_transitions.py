"""Every zone at every change of its clocks in seven years: no time is lost, doubled or turned round."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from scheduler.domain.rule import Rule
from scheduler.domain.wall_clock import Adjustment, Resolved, resolve
from scheduler.domain.zones import shipped

SINCE, UNTIL = datetime(2024, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)
DAY, HOUR, SECOND, MICROSECOND = timedelta(days=1), timedelta(hours=1), timedelta(seconds=1), timedelta(microseconds=1)


@dataclass(frozen=True)
class Transition:
    """From this instant on the clocks of a zone show another time: the wall clock goes from `before` to `after`."""

    zone: ZoneInfo
    at: datetime
    before: datetime
    after: datetime

    def expected(self, at: datetime) -> Resolved:
        """What a wall-clock time within a few hours of the transition means, by the two offsets alone."""
        if self.before <= at < self.after:
            return Resolved(self.at, Adjustment.GAP)
        if self.after <= at < self.before:
            return Resolved(self.at - (self.before - at), Adjustment.OVERLAP)
        first = at < min(self.before, self.after)
        return Resolved(self.at + (at - self.before if first else at - self.after), Adjustment.NONE)


@cache
def zones() -> tuple[ZoneInfo, ...]:
    """Every zone once: a third of the names are others for the same rules."""
    folder = files("tzdata").joinpath("zoneinfo")
    by_rules = {folder.joinpath(*name.split("/")).read_bytes(): name for name in sorted(shipped().names)}
    return tuple(shipped().zone(name) for name in by_rules.values())


@cache
def transitions() -> tuple[Transition, ...]:
    return tuple(transition for zone in zones() for transition in _of(zone))


def _of(zone: ZoneInfo) -> Iterator[Transition]:
    """Found by looking at the offset once a day, and closer where it is another."""
    instant, offset = SINCE, SINCE.astimezone(zone).utcoffset()
    while instant < UNTIL:
        following = (instant + DAY).astimezone(zone).utcoffset()
        if following != offset:
            at = _turn(instant, instant + DAY, zone)
            assert offset is not None
            assert following is not None
            naive = at.replace(tzinfo=None)
            yield Transition(zone, at, naive + offset, naive + following)
        instant, offset = instant + DAY, following


def _turn(early: datetime, late: datetime, zone: ZoneInfo) -> datetime:
    """Clocks change at a full second."""
    offset = early.astimezone(zone).utcoffset()
    while late - early > SECOND:
        middle = early + (late - early) // (2 * SECOND) * SECOND
        early, late = (middle, late) if middle.astimezone(zone).utcoffset() == offset else (early, middle)
    return late


@pytest.mark.promise("P40")
def test_every_change_of_every_clock_is_resolved_as_it_is_told():
    # Over a hundred sets of rules change clocks twice a year; should the search go blind, this is noticed.
    assert len(transitions()) > 1_400
    assert {transition.after > transition.before for transition in transitions()} == {True, False}
    for transition in transitions():
        low, high = sorted((transition.before, transition.after))
        wall_clock = [
            low - HOUR, low - SECOND, low - MICROSECOND, low, low + MICROSECOND, low + (high - low) / 2,
            high - MICROSECOND, high, high + MICROSECOND, high + SECOND, high + HOUR,
        ]  # fmt: skip
        found = [resolve(at, transition.zone) for at in wall_clock]
        assert found == [transition.expected(at) for at in wall_clock], transition
        assert all(earlier.due_at <= later.due_at for earlier, later in pairwise(found)), transition
        for at, resolved in zip(wall_clock, found, strict=True):
            shown = resolved.due_at.astimezone(transition.zone)
            if resolved.adjustment is Adjustment.GAP:
                assert shown.replace(tzinfo=None) == transition.after
            else:
                assert (shown.replace(tzinfo=None), shown.fold) == (at, 0)


@pytest.mark.promise("P40")
@pytest.mark.parametrize("hour", ["00:30", "02:30"])
def test_a_daily_series_happens_once_a_day_through_every_change(hour: str):
    adjusted = set()
    for zone in {transition.zone for transition in transitions()}:
        starts_at = datetime.fromisoformat(f"2027-01-01T{hour}")
        last = datetime(2028, 1, 1, tzinfo=UTC) + DAY
        found = list(Rule.parse("FREQ=DAILY;COUNT=365", starts_at).occurrences(zone, last=last))
        assert [each.at for each in found] == [starts_at + DAY * each for each in range(365)], zone
        for each in found:
            shown = each.due_at.astimezone(zone).replace(tzinfo=None)
            assert shown.date() == each.at.date()
            assert (shown == each.at) == (each.adjustment is not Adjustment.GAP)
            adjusted.add(each.adjustment)
        assert all(earlier.due_at < later.due_at for earlier, later in pairwise(found)), zone
    assert adjusted == set(Adjustment)


def test_two_times_that_a_gap_moves_to_one_instant_are_one():
    rule = Rule.parse("FREQ=DAILY;BYHOUR=2;BYMINUTE=0,20,40", datetime.fromisoformat("2027-03-27T00:00"))
    last = datetime(2027, 3, 29, 12, tzinfo=UTC)
    found = list(rule.occurrences(shipped().zone("Europe/Berlin"), last=last))
    assert [each.number for each in found] == [1, 2, 3, 4, 7, 8, 9]
