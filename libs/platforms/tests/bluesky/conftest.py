"""Bluesky's tests: Bluesky alone is imitated, and every call is held against the lexicons."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from kit.clock import FixedClock
from platforms.platform import Platform
from platforms.shape import Call, Delivery, Outcome
from sandbox.server import Sandbox
from sandbox.testing import MemoryJournal

from libs.platforms.tests.conformance import checked

http, recorder = checked("bluesky")

Post = Callable[[Delivery], Awaitable[Outcome]]


@pytest.fixture
async def sandbox(clock: FixedClock) -> AsyncIterator[Sandbox]:
    async with Sandbox(clock=clock, only={"bluesky"}) as running:
        yield running


@pytest.fixture
def post(bluesky: Platform, bluesky_call: Call, journal: MemoryJournal) -> Post:
    """Stage a delivery and publish it."""

    async def stage_and_publish(delivery: Delivery) -> Outcome:
        await bluesky.stage(bluesky_call, delivery, journal)
        return await bluesky.publish(bluesky_call, delivery, journal)

    return stage_and_publish
