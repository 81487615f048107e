"""Trading codes and tokens. Everything secret goes in a form's body, never in an address, where Meta allows it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import httpx
import msgspec
from kit.clock import Clock

from platforms.meta.errors import Table, graph_error
from platforms.meta.graph import form_of, succeeded
from platforms.wire import converted, send

LONG_LIVED_SECONDS = 60 * 24 * 3600
"""What Meta's long-lived tokens last where an answer does not say."""


class Token(msgspec.Struct, frozen=True):
    """A traded token. `expires_in` in seconds; it may be missing."""

    access_token: str
    token_type: str = "bearer"  # noqa: S105  # not a secret but its kind
    expires_in: int | None = None

    def expires_at(self, now: datetime, *, otherwise_seconds: int = LONG_LIVED_SECONDS) -> datetime:
        return now + timedelta(seconds=self.expires_in or otherwise_seconds)


async def trade(
    http: httpx.AsyncClient,
    url: str,
    parameters: Mapping[str, Any],
    *,
    table: Table,
    clock: Clock,
    method: str = "POST",
) -> Mapping[str, Any]:
    """One call to a token endpoint and its JSON; products differ in what they answer besides the token."""
    fields = form_of(parameters)
    posting = method == "POST"
    request = http.build_request(method, url, params=None if posting else fields, data=fields if posting else None)
    answer = await send(http, request)
    if not succeeded(answer) or "error_type" in answer.json():
        raise graph_error(answer, table, now=clock.now())
    return answer.json()


async def trade_token(
    http: httpx.AsyncClient,
    url: str,
    parameters: Mapping[str, Any],
    *,
    table: Table,
    clock: Clock,
    method: str = "POST",
) -> Token:
    return converted(await trade(http, url, parameters, table=table, clock=clock, method=method), Token)


def code_from(callback: Mapping[str, str]) -> str | None:
    """The code of a callback. What Meta hangs on an address (`#_`, `#_=_`) is no part of it."""
    code = callback.get("code", "")
    return code.removesuffix("#_=_").removesuffix("#_") or None
