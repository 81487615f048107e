"""How much of a rate is left, counted so that no window ever holds more than its maximum. Pure.

A rolling window is cut into slots. What was spent counts until its whole slot has left the window, so it counts a
little too long rather than too short. A window that begins at midnight somewhere has one slot, that day.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from platforms.limits import RateLimit

SLOTS = 288
"""Of a rolling window: five minutes of a day, three seconds of a quarter of an hour. A post that goes out at the same
time every day waits no longer than that, and a busy account's row stays below some kilobytes."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Meter:
    """What was spent of one rate: units by slot."""

    rate: RateLimit
    spent: Mapping[int, int]

    def left(self, now: datetime) -> int:
        return max(self.rate.maximum - sum(self._counted(now).values()), 0)

    def free_at(self, units: int, now: datetime) -> datetime:
        """When so many can be spent if nobody spends any before; more than the maximum take several windows."""
        counted = self._counted(now)
        short = sum(counted.values()) + units - self.rate.maximum
        at = now
        for slot in sorted(counted):
            if short <= 0:
                return at
            short -= counted[slot]
            at = self._lapses_at(slot)
        return at + self.rate.window * -(-max(short, 0) // self.rate.maximum)

    def take(self, units: int, now: datetime, *, instead_of: int | None = None) -> Meter:
        """The meter after that, what no longer counts gone from it. `instead_of`: the slot in which they were taken."""
        counted, slot = self._counted(now), self.slot(now)
        if instead_of is not None:
            counted[instead_of] = counted.get(instead_of, 0) - units
        counted[slot] = counted.get(slot, 0) + units
        return Meter(self.rate, {slot: units for slot, units in counted.items() if units > 0})

    def slot(self, at: datetime) -> int:
        """Where what is spent now is counted."""
        zone = self._zone
        if zone is not None:
            return at.astimezone(zone).toordinal()
        return (at - _EPOCH) // _MICROSECOND // self._width

    def counts(self, slot: int, now: datetime) -> bool:
        """Whether what was spent in a slot still counts."""
        return slot >= self._first(now)

    def counted_since(self, at: datetime) -> datetime:
        """From when on what is spent counts at that time."""
        zone = self._zone
        if zone is None:
            return at - self.rate.window
        return datetime.combine(at.astimezone(zone).date(), time(), zone).astimezone(UTC)

    def _counted(self, now: datetime) -> dict[int, int]:
        first = self._first(now)
        return {slot: units for slot, units in self.spent.items() if slot >= first}

    def _first(self, now: datetime) -> int:
        return self.slot(now) if self._zone else self.slot(now - self.rate.window)

    def _lapses_at(self, slot: int) -> datetime:
        if self._zone is not None:
            return datetime.combine(date.fromordinal(slot + 1), time(), self._zone).astimezone(UTC)
        return _EPOCH + (slot + 1) * self._width * _MICROSECOND + self.rate.window

    @property
    def _width(self) -> int:
        return max(self.rate.window // _MICROSECOND // SLOTS, 1)

    @property
    def _zone(self) -> ZoneInfo | None:
        zone = self.rate.spending.zone if self.rate.spending else None
        return ZoneInfo(zone) if zone else None
