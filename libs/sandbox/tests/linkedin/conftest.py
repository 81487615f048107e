"""The imitated LinkedIn alone, and a caller connected to its first person."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from kit.clock import FixedClock
from sandbox.linkedin.platform import LinkedInSandbox
from sandbox.server import Sandbox

from libs.sandbox.tests.linkedin.caller import Caller


@pytest.fixture
async def sandbox(clock: FixedClock) -> AsyncIterator[Sandbox]:
    async with Sandbox(clock=clock, only=("linkedin",)) as running:
        yield running


@pytest.fixture
def imitated(sandbox: Sandbox) -> LinkedInSandbox:
    return sandbox.of(LinkedInSandbox)


@pytest.fixture
async def caller(sandbox: Sandbox, http: httpx.AsyncClient) -> Caller:
    caller = Caller(http, sandbox.base_urls["linkedin"])
    await caller.connect()
    return caller
