"""Loops run side by side, wait out an outage of the database, and take the process with them when they die."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from typing import Any

import psycopg
import psycopg_pool
import pytest
from kit import background
from kit.background import Loop, Supervisor
from kit.problems import Unavailable
from kit.testing import wait_for


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The signals that would have been sent to this process."""
    sent: list[int] = []
    monkeypatch.setattr(os, "kill", lambda _, number: sent.append(number))
    return sent


class Counting:
    """A step that counts its calls, and does what it is told at each."""

    def __init__(self, pause_seconds: float = 0.0, errors: list[Exception] | None = None) -> None:
        self.calls = 0
        self._pause_seconds = pause_seconds
        self._errors = errors or []

    async def __call__(self) -> float:
        self.calls += 1
        if self._errors:
            raise self._errors.pop(0)
        return self._pause_seconds


async def test_a_loop_goes_on_until_its_supervisor_stops(ended: list[int]):
    step = Counting()
    supervisor = Supervisor("test", [("count", Loop("count", step).run)])
    async with supervisor.running():
        await wait_for(lambda: step.calls > 100)
        assert supervisor.alive
    stopped_at = step.calls
    await asyncio.sleep(0)
    assert step.calls == stopped_at
    assert ended == []


async def test_a_wake_ends_the_wait(ended: list[int]):
    step, wake = Counting(pause_seconds=3600), asyncio.Event()
    async with Supervisor("test", [("wait", Loop("wait", step, wake).run)]).running():
        await wait_for(lambda: step.calls == 1)
        for calls in (2, 3):
            wake.set()
            await wait_for(lambda calls=calls: step.calls == calls)  # type: ignore[misc]


async def test_a_wake_during_the_step_is_not_lost(ended: list[int]):
    wake, calls = asyncio.Event(), 0

    async def step() -> float:
        nonlocal calls
        calls += 1
        if calls == 1:
            wake.set()
        return 3600

    async with Supervisor("test", [("wait", Loop("wait", step, wake).run)]).running():
        await wait_for(lambda: calls == 2)


async def test_without_a_wake_the_pause_ends_by_itself(ended: list[int]):
    step = Counting(pause_seconds=0.001)
    async with Supervisor("test", [("wait", Loop("wait", step, asyncio.Event()).run)]).running():
        await wait_for(lambda: step.calls > 5)


@pytest.mark.parametrize(
    "outage", [psycopg.OperationalError("gone"), psycopg_pool.PoolTimeout("gone"), Unavailable("gone")]
)
async def test_a_loop_waits_while_what_it_needs_is_away(
    ended: list[int],
    monkeypatch: pytest.MonkeyPatch,
    logged: Callable[[], list[dict[str, Any]]],
    outage: Exception,
):
    monkeypatch.setattr(background, "_OUTAGE_PAUSE_SECONDS", 0.001)
    step = Counting(errors=[outage, outage])
    supervisor = Supervisor("test", [("work", Loop("work", step).run)])
    async with supervisor.running():
        await wait_for(lambda: step.calls > 3)
        assert supervisor.alive
    assert ended == []
    waits = [line for line in logged() if line["event"] == "loop_waits"]
    assert [line["loop"] for line in waits] == ["work", "work"]
    assert waits[0]["reason"] == type(outage).__name__


async def test_a_loop_that_dies_is_told_and_ends_the_process(
    ended: list[int], logged: Callable[[], list[dict[str, Any]]]
):
    other = Counting()
    dying = Counting(errors=[ValueError("broken")])
    supervisor = Supervisor("test", [("dies", Loop("dies", dying).run), ("lives", Loop("lives", other).run)])
    async with supervisor.running():
        await wait_for(lambda: ended)
        assert not supervisor.alive
        assert other.calls > 0
    assert ended == [signal.SIGTERM]
    (line,) = (line for line in logged() if line["event"] == "loop_died")
    assert line["loop"] == "test:dies"
    assert "ValueError" in line["exception"]


async def test_a_loop_that_ends_without_an_error_is_dead_too(ended: list[int]):
    async def returns() -> None:
        return None

    supervisor = Supervisor("test", [("returns", returns)])
    async with supervisor.running():
        await wait_for(lambda: ended == [signal.SIGTERM])
        assert not supervisor.alive
