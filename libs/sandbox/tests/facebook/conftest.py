"""The imitated Facebook alone, and someone who calls it by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from kit.clock import FixedClock
from sandbox.facebook.platform import FacebookSandbox
from sandbox.server import Sandbox

from libs.sandbox.tests.facebook.caller import PAGE, Caller


@pytest.fixture
async def sandbox(clock: FixedClock) -> AsyncIterator[Sandbox]:
    async with Sandbox(clock=clock, only=("facebook",)) as running:
        yield running


@pytest.fixture
def imitated(sandbox: Sandbox) -> FacebookSandbox:
    return sandbox.of(FacebookSandbox)


@pytest.fixture
async def person(sandbox: Sandbox, http: httpx.AsyncClient) -> Caller:
    """A person's long-lived token."""
    caller = Caller(http, sandbox.base_urls["facebook"])
    await caller.log_in()
    return caller


@pytest.fixture
async def page(person: Caller) -> Caller:
    """The token of their first Page."""
    return await person.page(PAGE)
