"""When a series happens: a recurrence rule (RFC 5545, section 3.3.10) on the wall clock of a zone.

The rule is followed on naive wall-clock times, as a person reads it, and each of them is resolved by the zone's rules
then. So nine o'clock stays nine o'clock, and a time in a gap or an overlap is told as it is for a single schedule.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from scheduler.domain.wall_clock import Adjustment, resolve

if TYPE_CHECKING:
    from dateutil.rrule import rrule

YEAR = timedelta(days=366)

A_YEAR_MAX = 1_000
"""Occurrences: nearly three a day. What is more often is no calendar any more."""

APART_MIN = timedelta(minutes=15)
"""Between two occurrences. Platforms take more for spam."""

RULE_CHARACTERS_MAX = 500

_DAY = r"(?:MO|TU|WE|TH|FR|SA|SU)"
_COUNTED_DAY = rf"(?:[+-]?[1-9]\d?)?{_DAY}"
_SIGNED = r"[+-]?[1-9]\d{0,2}"
_CLOCK = r"\d{1,2}"

_PARTS: Mapping[str, str] = MappingProxyType(
    {
        "FREQ": "DAILY|WEEKLY|MONTHLY|YEARLY",
        "INTERVAL": r"[1-9]\d{0,2}",
        "COUNT": r"[1-9]\d{0,3}",
        "UNTIL": r"\d{8}T\d{6}Z",
        "WKST": _DAY,
        "BYDAY": rf"{_COUNTED_DAY}(?:,{_COUNTED_DAY})*",
        **dict.fromkeys(("BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYSETPOS"), rf"{_SIGNED}(?:,{_SIGNED})*"),
        **dict.fromkeys(("BYHOUR", "BYMINUTE"), rf"{_CLOCK}(?:,{_CLOCK})*"),
    }
)
"""What a rule is made of, and how each part is written. `UNTIL` is an instant because our start has a time zone."""

_NOT_WITH: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "BYMONTHDAY": frozenset({"WEEKLY"}),
        "BYYEARDAY": frozenset({"DAILY", "WEEKLY", "MONTHLY"}),
        "BYWEEKNO": frozenset({"DAILY", "WEEKLY", "MONTHLY"}),
    }
)

_HINTS: Mapping[str, str] = MappingProxyType(
    {
        "FREQ": "FREQ is DAILY, WEEKLY, MONTHLY or YEARLY.",
        "UNTIL": "UNTIL is an instant in UTC, as in 20271231T225959Z.",
        "BYSECOND": "BYSECOND is not taken: a post goes out once a minute at most.",
    }
)

_PERIOD_DAYS: Mapping[str, int] = MappingProxyType({"DAILY": 1, "WEEKLY": 7, "MONTHLY": 28, "YEARLY": 365})
"""At least so many days further is each step of a rule."""


class RuleRefused(Exception):
    """The rule cannot be followed, or happens too often or never. The text is for the person who wrote it."""


class _SearchEnded(Exception):
    """The last step within the time looked at was made."""


class _Steps(int):
    """The interval of a rule, which ends the search after so many steps.

    dateutil looks at one period after another and stops by itself only at a match: a rule for 30 February would keep
    it busy until the year 9999. Each step adds the interval (of weeks: seven times it), and so is counted here.
    """

    left: int

    def __radd__(self, other: int) -> int:
        self._step()
        return other + int(self)

    def __mul__(self, other: int) -> int:
        self._step()
        return int(self) * other

    def _step(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise _SearchEnded()


@dataclass(frozen=True)
class Occurrence:
    """One time of a series. `number` counts the rule's times from 1, those that were left out too."""

    number: int
    at: datetime
    due_at: datetime
    adjustment: Adjustment


@dataclass(frozen=True)
class Rule:
    """A rule that is well formed, and the naive local time from which it is followed."""

    text: str
    starts_at: datetime
    parts: Mapping[str, str]

    @classmethod
    def parse(cls, text: str, starts_at: datetime) -> Rule:
        """Raises `RuleRefused`."""
        if len(text) > RULE_CHARACTERS_MAX:
            raise RuleRefused(f"At most {RULE_CHARACTERS_MAX} characters.")
        parts: dict[str, str] = {}
        for part in text.split(";"):
            name, _, value = part.partition("=")
            if name in parts or not re.fullmatch(_PARTS.get(name, "(?!)"), value, re.ASCII):
                raise RuleRefused(_HINTS.get(name, f"{name or 'An empty part'} is not understood."))
            parts[name] = value
        rule = cls(text, starts_at, MappingProxyType(parts))
        rule._refuse_contradictions()
        return rule

    @property
    def until(self) -> datetime | None:
        """The instant behind which it does not happen."""
        return (
            datetime.strptime(self.parts["UNTIL"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            if "UNTIL" in self.parts
            else None
        )

    @property
    def count(self) -> int | None:
        """How often it happens in all."""
        return int(self.parts["COUNT"]) if "COUNT" in self.parts else None

    def rest(self, number: int) -> str:
        """The rule of what follows after so many times."""
        return re.sub(r"COUNT=\d+", f"COUNT={(self.count or 0) - number}", self.text)

    def occurrences(self, in_zone: ZoneInfo, *, last: datetime, behind: int = 0) -> Iterator[Occurrence]:
        """Those behind a number until the instant `last`. Two times that a gap moves to one instant are one occurrence.

        The work is bounded by the days between: a year's search of the worst rule takes milliseconds.
        """
        end = min(last, self.until) if self.until else last
        before: datetime | None = None
        for number, at in enumerate(self._wall_clock(last.astimezone(in_zone).replace(tzinfo=None)), 1):
            if number < behind:
                continue
            resolved = resolve(at, in_zone)
            if resolved.due_at > end:
                return
            if number > behind and (before is None or resolved.due_at > before):
                yield Occurrence(number, at, resolved.due_at, resolved.adjustment)
            before = resolved.due_at

    def is_over(self, number: int, looked_until: datetime) -> bool:
        """Whether nothing follows this number, having looked until then."""
        return number == self.count or (self.until is not None and self.until <= looked_until)

    def _wall_clock(self, last: datetime) -> Iterator[datetime]:
        followed = self._followed()
        period_days = _PERIOD_DAYS[self.parts["FREQ"]] * int(self.parts.get("INTERVAL", "1"))
        steps = _Steps(self.parts.get("INTERVAL", "1"))
        # One day and one step more than needed: the zone may move a time, and a first period may be cut short.
        steps.left = max((last - self.starts_at).days + 1, 0) // period_days + 1
        try:
            yield from followed.replace(interval=steps)
        except _SearchEnded:
            return

    def _followed(self) -> rrule:
        from dateutil.rrule import rrule, rrulestr  # noqa: PLC0415  # 4 MB that nobody needs before the first series

        # UNTIL is an instant, which dateutil cannot compare with local times.
        text = ";".join(f"{name}={value}" for name, value in self.parts.items() if name != "UNTIL")
        try:
            followed = rrulestr(text, dtstart=self.starts_at)
        except (ValueError, TypeError) as error:
            raise RuleRefused("This rule contradicts itself.") from error
        assert isinstance(followed, rrule)
        return followed

    def _refuse_contradictions(self) -> None:
        parts = self.parts
        if "FREQ" not in parts:
            raise RuleRefused(_HINTS["FREQ"])
        if "UNTIL" in parts and "COUNT" in parts:
            raise RuleRefused("A rule ends by COUNT or by UNTIL, not by both.")
        for name, frequencies in _NOT_WITH.items():
            if name in parts and parts["FREQ"] in frequencies:
                raise RuleRefused(f"{name} does not go with FREQ={parts['FREQ']}.")
        if re.search(r"\d", parts.get("BYDAY", "")) and parts["FREQ"] not in ("MONTHLY", "YEARLY"):
            raise RuleRefused(f"A counted weekday does not go with FREQ={parts['FREQ']}.")
        if "BYSETPOS" in parts and not any(name.startswith("BY") for name in parts if name != "BYSETPOS"):
            raise RuleRefused("BYSETPOS needs another part to choose from.")
        try:
            self.until  # noqa: B018  # a day that no calendar has
        except ValueError:
            raise RuleRefused(_HINTS["UNTIL"]) from None
        self._followed()


def refuse_unless_sensible(rule: Rule, in_zone: ZoneInfo, *, now: datetime) -> None:
    """Raise `RuleRefused` for a rule that does not happen within a year, too often or too closely."""
    start = resolve(rule.starts_at, in_zone).due_at
    year = list(islice(rule.occurrences(in_zone, last=start + YEAR), A_YEAR_MAX + 1))
    if not year or year[0].due_at > now + YEAR:
        raise RuleRefused(f"It does not happen within {YEAR.days} days.")
    if len(year) > A_YEAR_MAX:
        raise RuleRefused(f"It happens more than {A_YEAR_MAX:,} times a year.")
    if any(later.at - earlier.at < APART_MIN for earlier, later in pairwise(year)):
        raise RuleRefused("Two of its times are less than 15 minutes apart.")
