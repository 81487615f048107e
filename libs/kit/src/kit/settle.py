"""What becomes of an event whose handler failed: when it is tried again, and when it is given up on."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import nats.errors
import psycopg
import psycopg_pool

_AWAY = ("08", "53", "57P")
"""SQLSTATEs of a database that is away: connection lost, out of resources, shutting down or starting."""


@dataclass(frozen=True)
class RetryPolicy:
    """Seconds before each further attempt; the event is parked when they are used up.

    Each delay is stretched by up to `jitter`, so that what failed together does not come back together. A database or
    a bus that is away uses up no attempt: the event waits for it, and is looked at every `outage_delay_seconds`.
    """

    delays_seconds: Sequence[float] = (0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600)
    outage_delay_seconds: float = 2.0
    jitter: float = 0.2

    @property
    def attempts_max(self) -> int:
        return len(self.delays_seconds) + 1

    def delay_seconds(self, attempt: int) -> float:
        """How long to wait after `attempt` (counted from 1) failed."""
        base = self.delays_seconds[min(attempt, len(self.delays_seconds)) - 1]
        return base * random.uniform(1, 1 + self.jitter)  # noqa: S311  # spreads load, hides nothing


def is_outage(error: BaseException) -> bool:
    """Whether an error says that our database or NATS is away, and nothing about the event.

    A statement that took too long or a deadlock is the handler's, although psycopg puts it into the same class.
    """
    if isinstance(error, psycopg.OperationalError):
        return error.sqlstate is None or error.sqlstate.startswith(_AWAY)
    return isinstance(error, (psycopg_pool.PoolTimeout, psycopg_pool.PoolClosed, nats.errors.Error, OSError))
