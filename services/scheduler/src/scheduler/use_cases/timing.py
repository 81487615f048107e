"""What a person wishes for a time, and what it means: the same rules whether a schedule is made or moved."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from kit.problems import Invalid

from scheduler.domain.schedule import HORIZON, PAST_TOLERANCE, InThePast
from scheduler.domain.wall_clock import Resolved, resolve
from scheduler.domain.zones import UnknownZone, zone


def known_zone(name: str) -> ZoneInfo:
    """The zone of this name. Raises `Invalid`."""
    try:
        return zone(name)
    except UnknownZone:
        raise Invalid(errors=[fault("/time_zone", "This is not the name of an IANA time zone.")]) from None


def instant(at: datetime, in_zone: ZoneInfo, *, now: datetime, pointer: str = "/at") -> Resolved:
    """The instant of a wall-clock time that is neither over nor too far ahead. Raises `InThePast`, `Invalid`."""
    try:
        resolved = resolve(at, in_zone)
    except OverflowError:
        raise Invalid(errors=[fault(pointer, "This time is out of range.")]) from None
    if resolved.due_at < now - PAST_TOLERANCE:
        raise InThePast(errors=[fault(pointer, "This time has passed.")])
    if resolved.due_at > now + HORIZON:
        raise Invalid(errors=[fault(pointer, f"This is more than {HORIZON.days} days ahead.")])
    return resolved


def fault(pointer: str, detail: str) -> dict[str, str]:
    """What is wrong, and where in the body."""
    return {"pointer": pointer, "detail": detail}
