"""Calls to the Threads API: Meta's Graph at a host of its own, with errors that are partly told in words."""

from __future__ import annotations

from dataclasses import dataclass

import httpx

from platforms.meta.graph import Graph, succeeded
from platforms.shape import Call
from platforms.threads.errors import threads_error
from platforms.threads.limits import API_VERSION
from platforms.wire import DEADLINE_SECONDS, Answer, send


@dataclass(frozen=True)
class ThreadsApi(Graph):
    """`me` in a path is the account behind the token."""

    version: str = API_VERSION

    async def send(
        self,
        call: Call,
        request: httpx.Request,
        *,
        visible: bool = False,
        deadline_seconds: float = DEADLINE_SECONDS,
    ) -> Answer:
        answer = await send(call.http, request, visible=visible, deadline_seconds=deadline_seconds)
        if not succeeded(answer):
            raise threads_error(answer, now=call.clock.now(), visible=visible)
        return answer
