"""Meta's limits: rolling windows for an application and for each account, told in percent with every answer."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from sandbox.meta.answers import GraphError

APPLICATION_WINDOW = timedelta(hours=1)
ACCOUNT_WINDOW = timedelta(hours=24)


@dataclass(frozen=True)
class UseCase:
    """How a product names its accounts' limit: in the header, as a code, and in words."""

    name: str
    code: int
    noun: str


class Usage:
    """Calls within the windows. The maxima are a small installation's; a test sets them as it likes."""

    def __init__(self, use_case: UseCase, *, application_max: int = 20_000, account_max: int = 48_000) -> None:
        self.use_case = use_case
        self.application_max = application_max
        self.account_max = account_max
        self._calls: dict[str, deque[datetime]] = {}

    def count(self, client_id: str, account_id: str | None, *, now: datetime) -> None:
        """Count a call for the application, or for the account whose token made it. Raises if it is one too many."""
        application = self._window(f"application:{client_id}", APPLICATION_WINDOW, now)
        if account_id is None:
            if len(application) >= self.application_max:
                raise GraphError(4, "(#4) Application request limit reached", transient=True, status=403)
            application.append(now)
            return
        account = self._window(f"account:{account_id}", ACCOUNT_WINDOW, now)
        if len(account) >= self.account_max:
            message = f"(#{self.use_case.code}) There have been too many calls to this {self.use_case.noun} account. "
            raise GraphError(self.use_case.code, message + "Wait a bit and try again.")
        account.append(now)

    def headers(self, client_id: str, account_id: str | None, *, now: datetime) -> dict[str, str]:
        """What every answer tells: the application's percentages, or the account's."""
        if account_id is None:
            calls = len(self._window(f"application:{client_id}", APPLICATION_WINDOW, now))
            percent = min(100 * calls // self.application_max, 100)
            told = {"call_count": percent, "total_time": percent // 2, "total_cputime": percent // 2}
            return {"x-app-usage": msgspec.json.encode(told).decode()}
        window = self._window(f"account:{account_id}", ACCOUNT_WINDOW, now)
        percent = min(100 * len(window) // self.account_max, 100)
        minutes = -(-int((window[0] + ACCOUNT_WINDOW - now).total_seconds()) // 60) if percent >= 100 else 0
        entry = {
            "type": self.use_case.name,
            "call_count": percent,
            "total_cputime": percent // 2,
            "total_time": percent // 2,
            "estimated_time_to_regain_access": minutes,
        }
        return {"x-business-use-case-usage": msgspec.json.encode({account_id: [entry]}).decode()}

    def _window(self, name: str, length: timedelta, now: datetime) -> deque[datetime]:
        calls = self._calls.setdefault(name, deque())
        while calls and now - calls[0] >= length:
            calls.popleft()
        return calls
