"""The imitated X alone, and a caller connected to its first account."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from kit.clock import FixedClock
from sandbox.server import Sandbox
from sandbox.x.platform import XSandbox

from libs.sandbox.tests.x.caller import Caller


@pytest.fixture
async def sandbox(clock: FixedClock) -> AsyncIterator[Sandbox]:
    async with Sandbox(clock=clock, only=("x",)) as running:
        yield running


@pytest.fixture
def imitated(sandbox: Sandbox) -> XSandbox:
    return sandbox.of(XSandbox)


@pytest.fixture
async def caller(sandbox: Sandbox, http: httpx.AsyncClient) -> Caller:
    caller = Caller(http, sandbox.base_urls["x"])
    await caller.connect()
    return caller
