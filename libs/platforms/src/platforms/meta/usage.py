"""What Meta tells of its limits with every answer: for some, the minutes until calls are taken again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import httpx
import msgspec

BUSINESS = "x-business-use-case-usage"

WAIT_SECONDS = 300
"""Where no time is told: the windows roll by the hour, so a part of the calls is free again by then."""

WAIT_SECONDS_MIN = 30
WAIT_SECONDS_MAX = 24 * 3600
"""The longest window Meta counts in."""


def regained_at(headers: httpx.Headers, now: datetime) -> datetime:
    """When calls are taken again after a refusal for too many of them."""
    minutes = max((_number(entry.get("estimated_time_to_regain_access")) for entry in _business(headers)), default=0)
    seconds = min(max(minutes * 60, WAIT_SECONDS_MIN), WAIT_SECONDS_MAX) if minutes else WAIT_SECONDS
    return now + timedelta(seconds=seconds)


def _business(headers: httpx.Headers) -> Iterator[Mapping[str, Any]]:
    for entries in _object(headers.get(BUSINESS, "")).values():
        if isinstance(entries, list):
            yield from (entry for entry in entries if isinstance(entry, dict))


def _object(text: str) -> Mapping[str, Any]:
    try:
        value = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0
