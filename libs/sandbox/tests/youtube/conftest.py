"""The imitated YouTube alone, and somebody to call it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from kit.clock import FixedClock
from sandbox.server import Sandbox
from sandbox.youtube.platform import YouTubeSandbox

from libs.sandbox.tests.youtube.caller import Caller


@pytest.fixture
async def sandbox(clock: FixedClock) -> AsyncIterator[Sandbox]:
    async with Sandbox(clock=clock, only=["youtube"]) as running:
        yield running


@pytest.fixture
def server(sandbox: Sandbox) -> YouTubeSandbox:
    return sandbox.of(YouTubeSandbox)


@pytest.fixture
async def caller(sandbox: Sandbox, http: httpx.AsyncClient) -> Caller:
    caller = Caller(http, sandbox.base_urls["youtube"])
    _, tokens = await caller.redeem((await caller.code())["code"])
    caller.token = tokens["access_token"]
    return caller
