"""When X allows the next call: its headers tell a time, which is believed within bounds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from platforms.limits import Per
from platforms.x.limits import WAIT_SECONDS_MAX

_PER_DAY = {"x-app-limit-24hour": Per.APPLICATION, "x-user-limit-24hour": Per.ACCOUNT}


def wait_until(headers: Mapping[str, str], now: datetime, otherwise_seconds: float) -> datetime:
    """A day's limit that is used up counts first, then the window's reset, then `Retry-After`; at most a day."""
    seconds = next(
        (value for value in _told(headers, now) if value is not None),
        otherwise_seconds,
    )
    return now + timedelta(seconds=min(max(seconds, 1.0), WAIT_SECONDS_MAX))


def used_up_by(headers: Mapping[str, str]) -> Per | None:
    """Whose day is over, where X says that; the application's counts more, because it holds back everybody."""
    return next((per for name, per in _PER_DAY.items() if headers.get(f"{name}-remaining") == "0"), None)


def _told(headers: Mapping[str, str], now: datetime) -> list[float | None]:
    used_up = [name for name in _PER_DAY if headers.get(f"{name}-remaining") == "0"]
    days = [_until(headers.get(f"{name}-reset"), now) for name in used_up]
    known = [seconds for seconds in days if seconds is not None]
    return [
        max(known) if known else None,
        _until(headers.get("x-rate-limit-reset"), now),
        _number(headers.get("retry-after")),
    ]


def _until(moment: str | None, now: datetime) -> float | None:
    number = _number(moment)
    return None if number is None else (datetime.fromtimestamp(number, UTC) - now).total_seconds()


def _number(text: str | None) -> float | None:
    return float(text) if text and text.isascii() and text.isdigit() and len(text) <= 11 else None
