"""Who calls from where. The headers that say so are believed only if the request came through the gateway."""

from __future__ import annotations

from typing import Any

from kit.passport import caller_of
from kit.problems import Unauthenticated
from litestar import Request

from auth.domain.clients import USER_AGENT_LENGTH_MAX, Client


def client_of(request: Request[Any, Any, Any]) -> Client:
    """The client of a request.

    The gateway sends its own passport where nobody is signed in, and is the only one to whom auth gives people's; both
    prove that it wrote `X-Forwarded-For`. Whoever reaches us past it is nobody from nowhere.
    """
    try:
        caller = caller_of(request)
    except Unauthenticated:
        return Client()
    if caller.service != "gateway" and caller.account_id is None:
        return Client()
    agent = request.headers.get("user-agent")
    return Client(request.headers.get("x-forwarded-for"), agent[:USER_AGENT_LENGTH_MAX] if agent else None)
