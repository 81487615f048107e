"""Access that ends at the platform: how long a dead grant waits for a person, how long an end is asked for again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from platforms.access import Withdrawal

GRACE_DAYS = 14
"""A holiday and a few days: who authorised is found and comes back. What was derived is forgotten 30 days after the
grant died, and a service must have heard of the end before."""

GRACE_DAYS_MAX = 21
"""A week is left for the erasure, which begins on day 29 of what the grant's death began."""

LATE_PAUSES = (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6), timedelta(hours=12))
"""Pauses between questions whether the platform ends an access after all; the last one repeats."""

LATE_KEPT = timedelta(days=7)
"""A platform's outage is over by then. The person's id is not kept longer only to ask."""

ENDED_MAX = 200
"""Ended connections in one list."""


@dataclass(frozen=True)
class EndedConnection:
    """A connection that has ended. Whose account it was is forgotten; whether the platform knows of the end is not.

    `platform_confirmed` is null where the platform was not asked; `confirmed_at` is there where it acknowledged the
    end only later.
    """

    connection_id: UUID
    platform: str
    reason: str
    established_at: datetime
    revoked_at: datetime
    platform_confirmed: bool | None
    confirmed_at: datetime | None
    unconfirmed_because: str | None
    erasure_id: UUID
    where_to_withdraw: Withdrawal | None = None


def late_due_at(attempts: int, now: datetime) -> datetime:
    """When to ask again after so many questions without an answer."""
    return now + LATE_PAUSES[min(attempts, len(LATE_PAUSES) - 1)]
