"""How often a secret may be tried: each failure is counted, and from some number on each costs a growing pause.

Nobody is locked out for good, because then anybody could lock anybody out. A device from which the account was
signed in to lately is counted by itself: whoever tries elsewhere does not slow down its owner there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from http import HTTPStatus

from kit.problems import Problem

FIRST_PAUSE = timedelta(seconds=30)

PAUSE_MAX = timedelta(minutes=15)
"""Who keeps trying gets about a hundred guesses a day, which is also the most that NIST SP 800-63B allows in a row."""

TELL_EVERY = timedelta(days=1)
"""The owner learns of a lock-out, but an attacker cannot fill the mailbox."""

KEPT = timedelta(days=1)
"""A count without a failure for this long is forgotten."""


class TooManyAttempts(Problem):
    """The pause after too many failures is not over."""

    status = HTTPStatus.TOO_MANY_REQUESTS
    code = "too-many-attempts"
    title = "Too many failed attempts"

    def __init__(self, *, retry_after: timedelta) -> None:
        super().__init__(headers={"Retry-After": str(max(1, math.ceil(retry_after.total_seconds())))})


class Counted(StrEnum):
    """What failures are counted for."""

    FAMILIAR = "familiar"
    ACCOUNT = "account"
    NETWORK = "network"


FREE: dict[Counted, int] = {Counted.FAMILIAR: 5, Counted.ACCOUNT: 5, Counted.NETWORK: 30}
"""Failures before the first pause. Behind one address of a network may sit a whole office."""


@dataclass(frozen=True)
class Counter:
    """What was counted under one key."""

    failures: int = 0
    failed_at: datetime | None = None
    blocked_until: datetime | None = None

    def pause(self, now: datetime) -> timedelta | None:
        """How long nothing may be tried, if so."""
        if self.blocked_until is None or self.blocked_until <= now:
            return None
        return self.blocked_until - now

    def with_failure(self, counted: Counted, now: datetime) -> Counter:
        failures = 1 if self.failed_at is None or now >= self.failed_at + KEPT else self.failures + 1
        over = failures - FREE[counted]
        # Beyond some doublings the longest pause is reached; the power of a large number is not computed.
        blocked_until = now + min(PAUSE_MAX, FIRST_PAUSE * 2 ** min(over, 16)) if over >= 0 else None
        return Counter(failures, now, blocked_until)
