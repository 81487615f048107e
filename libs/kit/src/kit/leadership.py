"""One process of a service consumes its events; the others stand by and take over within a second when it ends.

The lead is a session-level advisory lock in the service's own database. PostgreSQL gives it up with the session, so a
killed process needs no time-out. A process whose session is gone may not know it yet, so each lead has a number, its
epoch, and a claim in the name of an earlier one touches nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg
import structlog
from psycopg import AsyncConnection

from kit.background import cancel
from kit.database import Database

log = structlog.get_logger("leadership")

STANDBY_SECONDS = 0.5
"""How often who stands by asks for the lock. It does not wait inside the database: that would hold back its vacuum."""

WATCH_SECONDS = 2.0
"""How often the leader looks whether its session still lives."""

TABLE = "CREATE TABLE consumer_lead (epoch bigint NOT NULL)"
FIRST = "INSERT INTO consumer_lead (epoch) VALUES (0)"

_ANSWER_SECONDS = 5.0
_RETRY_SECONDS = 1.0
_LOCK_KEY = 0x51607E
"""Databases do not share lock keys, so one number serves every service. The relay's is another."""


class LeadLost(Exception):
    """Another process leads now."""


class Leadership:
    """A service's lead, as one of its processes sees it."""

    def __init__(self, database: Database) -> None:
        self._service = database.service
        self._connect = database.connect

    async def run(self, lead: Callable[[int], Awaitable[None]]) -> None:
        """Whenever this process has the lead, run `lead` with its epoch until the lead is lost. For ever."""
        while True:
            try:
                connection = await self._connect(f"{self._service} leadership")
                async with connection:
                    epoch = await self._take(connection)
                    await self._lead(connection, lead(epoch))
            except (LeadLost, psycopg.OperationalError, OSError, TimeoutError) as error:
                log.warning("lead_lost", service=self._service, reason=type(error).__name__)
                await asyncio.sleep(_RETRY_SECONDS)

    async def _take(self, connection: AsyncConnection[Any]) -> int:
        while True:
            async with asyncio.timeout(_ANSWER_SECONDS):
                answer = await connection.execute("SELECT pg_try_advisory_lock(%s)", (_LOCK_KEY,))
                row = await answer.fetchone()
            if row is not None and row[0]:
                return await _next_epoch(connection)
            await asyncio.sleep(STANDBY_SECONDS)

    async def _lead(self, connection: AsyncConnection[Any], lead: Awaitable[None]) -> None:
        leading = asyncio.ensure_future(lead)
        watching = asyncio.ensure_future(_watch(connection))
        try:
            await asyncio.wait([leading, watching], return_when=asyncio.FIRST_COMPLETED)
            if leading.done():
                leading.result()
                return
            watching.result()
        finally:
            await cancel([leading, watching])


async def _next_epoch(connection: AsyncConnection[Any]) -> int:
    async with asyncio.timeout(_ANSWER_SECONDS):
        answer = await connection.execute("UPDATE consumer_lead SET epoch = epoch + 1 RETURNING epoch")
        row = await answer.fetchone()
    assert row is not None, "the migration put one row there"
    epoch: int = row[0]
    return epoch


async def _watch(connection: AsyncConnection[Any]) -> None:
    """Raise when the session is gone."""
    while True:
        await asyncio.sleep(WATCH_SECONDS)
        async with asyncio.timeout(_ANSWER_SECONDS):
            await connection.execute("SELECT true")
