"""The imitated TikTok alone, and a caller connected to its first account."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from kit.clock import FixedClock
from sandbox.server import Sandbox

from libs.sandbox.tests.tiktok.caller import Caller, hex_challenge


@pytest.fixture
async def sandbox(clock: FixedClock) -> AsyncIterator[Sandbox]:
    async with Sandbox(clock=clock, only=("tiktok",)) as running:
        yield running


@pytest.fixture
async def caller(sandbox: Sandbox, http: httpx.AsyncClient) -> Caller:
    caller = Caller(http, sandbox.base_urls["tiktok"])
    caller.token = (await caller.authorise(hex_challenge()))["access_token"]
    return caller
