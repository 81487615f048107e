"""How often an address may try to sign in or up, a platform tell, a key ask: a token bucket each, in memory, bounded.

Every replica of the edge counts for itself; what counts attempts on one account is auth's.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass
from http import HTTPStatus

from kit.problems import Problem

ADDRESSES_MAX = 20_000
"""Buckets that are remembered, the latest used: below 8 MB. An attacker with more addresses only evicts his own."""


WEBHOOKS_BURST = 120
WEBHOOKS_PER_MINUTE = 1_200
"""From one address of a platform: twenty a second in the long run. What is refused is repeated for a day and more."""


class TooManyAttempts(Problem):
    status = HTTPStatus.TOO_MANY_REQUESTS
    code = "too-many-attempts"
    title = "Too many attempts from this address"

    def __init__(self, *, retry_after_seconds: int) -> None:
        super().__init__(headers={"Retry-After": str(retry_after_seconds)})


class TooManyRequests(TooManyAttempts):
    code = "too-many-requests"
    title = "Too many requests with this API key"


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_at: float


class RateLimit:
    """`burst` attempts at once, `per_minute` in the long run; then `refusal`. `now` is monotonic, in seconds."""

    def __init__(
        self,
        *,
        burst: int,
        per_minute: int,
        addresses_max: int = ADDRESSES_MAX,
        refusal: type[TooManyAttempts] = TooManyAttempts,
    ) -> None:
        self._refusal = refusal
        self._burst = burst
        self._per_second = per_minute / 60
        self._addresses_max = addresses_max
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, address: str, *, now: float) -> None:
        """Count one attempt; raise the refusal if it was one too many."""
        self.check(address, now=now)
        self._buckets[address].tokens -= 1

    def check(self, address: str, *, now: float) -> None:
        """Raise the refusal if another attempt would be one too many; count none."""
        bucket = self._buckets.setdefault(address, _Bucket(self._burst, now))
        self._buckets.move_to_end(address)
        if len(self._buckets) > self._addresses_max:
            self._buckets.popitem(last=False)
        bucket.tokens = min(self._burst, bucket.tokens + (now - bucket.filled_at) * self._per_second)
        bucket.filled_at = now
        if bucket.tokens < 1:
            raise self._refusal(retry_after_seconds=math.ceil((1 - bucket.tokens) / self._per_second))


def client_address(peer: str, forwarded_for: str | None, *, trusted_proxies: int) -> str:
    """The address that a request came from, when `trusted_proxies` of our own stand before us.

    Each proxy appends whom it saw, so the entry that our outermost one wrote is counted from the right; what
    stands left of it is the client's own claim.
    """
    entries = [entry.strip() for entry in (forwarded_for or "").split(",") if entry.strip()]
    if trusted_proxies and len(entries) >= trusted_proxies:
        return entries[-trusted_proxies]
    return peer
