"""A grant's life: when it is renewed, when it ends for good, and when people have to hear of that."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from platforms.access import Access, Renewal
from platforms.shape import Grant

REFRESH_SHARE = 0.2
"""A grant is renewed when this share of its life is left …"""

REFRESH_AHEAD_MIN = timedelta(minutes=10)
"""… or this time, whichever is earlier: enough for a platform's short outage."""

REFRESH_JITTER = 0.05
"""Grants of one hour do not come due in one second: up to this share of a life earlier."""

FORCED_AHEAD = timedelta(minutes=2)
"""Until this long before its end a renewal waits for a moment without leases; then it stops new ones."""

RETRY_SECONDS = (2.0, 5.0, 15.0, 30.0, 60.0)
"""Pauses between attempts to renew; the last one repeats."""

EXPIRING_AHEAD = timedelta(days=7)
"""A week is what a team needs to find the one person who can authorise again."""

TELL_AGAIN_AFTER = timedelta(days=1)
"""Nobody gets more than one letter a day about one connection."""

LASTING_MIN = timedelta(days=1)
"""Access that is over before this is of no use to a calendar, so it is not taken as a connection."""


class Notice(StrEnum):
    """What the people of a workspace are to be told of a connection."""

    ENDS = "ends"
    NEEDS_YOU = "needs_you"
    OVERDUE = "overdue"
    """Its access has run out because the platform does not renew it."""


@dataclass(frozen=True)
class Life:
    """What is stored of a grant's times. `refresh_at` is None for one that cannot be renewed any more.

    `ends_at` is when it ends unless a person authorises again; None while renewing moves its end on.
    """

    expires_at: datetime
    refresh_at: datetime | None
    ends_at: datetime | None


def life_of(grant: Grant, access: Access, now: datetime, *, chance: float) -> Life:
    """The times of a grant that was issued now. `chance` is random, from 0 to 1."""
    due_at = refresh_at(grant, now, chance=chance)
    if access.renewal is Renewal.BY_ITSELF:
        return Life(grant.expires_at, due_at, None)
    if grant.refresh_token is None:
        return Life(grant.expires_at, None, grant.expires_at)
    until = grant.refresh_expires_at
    # A rolling one that is this near its end was not rolled on, whatever the platform's pages say.
    if until is None or (access.renewal is Renewal.ROLLING and until > now + EXPIRING_AHEAD):
        return Life(grant.expires_at, due_at, None)
    return Life(grant.expires_at, due_at if due_at < until else None, max(until, grant.expires_at))


def lasts(life: Life, now: datetime) -> bool:
    """Whether the grant is worth a connection."""
    return life.ends_at is None or life.ends_at > now + LASTING_MIN


def refresh_at(grant: Grant, now: datetime, *, chance: float) -> datetime:
    """When to renew a grant that was issued now. `chance` is random, from 0 to 1."""
    life = grant.expires_at - now
    # A grant of minutes would be due at once: half of any life passes first.
    ahead = min(max(life * REFRESH_SHARE, REFRESH_AHEAD_MIN), life / 2)
    return grant.expires_at - ahead - life * REFRESH_JITTER * chance


def retry_at(attempts: int, now: datetime, *, chance: float) -> datetime:
    """When to try again after `attempts` failures."""
    pause_seconds = RETRY_SECONDS[min(attempts, len(RETRY_SECONDS)) - 1]
    return now + timedelta(seconds=pause_seconds * (1 + 0.2 * chance))
