"""What is known of each server between two calls: its latest nonce, and how far its clock is from ours.

Both are a cache, not state: without them a request costs one more round trip.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx

SERVERS_MAX = 1000
CLOCKS_AGREE = timedelta(seconds=5)
"""The header `Date` is in whole seconds and as old as its way here."""


@dataclass
class _Known:
    nonce: str | None = None
    ahead: timedelta = timedelta()


class Servers:
    """By origin; the least recently used is forgotten first."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, _Known] = OrderedDict()

    def nonce(self, url: httpx.URL) -> str | None:
        known = self._known.get(_origin(url))
        return known.nonce if known else None

    def time(self, url: httpx.URL, now: datetime) -> datetime:
        """What time it is at a server, as far as is known."""
        known = self._known.get(_origin(url))
        return now + known.ahead if known else now

    def adopt_nonce(self, url: httpx.URL, headers: Mapping[str, str]) -> None:
        """Remember the nonce an answer brought, whatever else it says."""
        nonce = headers.get("dpop-nonce")
        if nonce:
            self._of(url).nonce = nonce

    def adopt_clock(self, url: httpx.URL, headers: Mapping[str, str], now: datetime) -> bool:
        """Follow the clock of a server that did not like our time. False if its clock is no other than was thought."""
        theirs = _date(headers)
        if theirs is None or abs(theirs - self.time(url, now)) <= CLOCKS_AGREE:
            return False
        self._of(url).ahead = theirs - now
        return True

    def _of(self, url: httpx.URL) -> _Known:
        known = self._known.setdefault(_origin(url), _Known())
        self._known.move_to_end(_origin(url))
        if len(self._known) > SERVERS_MAX:
            self._known.popitem(last=False)
        return known


def _date(headers: Mapping[str, str]) -> datetime | None:
    try:
        moment = parsedate_to_datetime(headers.get("date", ""))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _origin(url: httpx.URL) -> str:
    return f"{url.scheme}://{url.netloc.decode()}"
