"""What lies although it could be done at once: somebody missed that it came, and nobody is woken for it.

Such a thing is brought on by the next one that comes, so that a busy system hides it. Times here are real, because the
clock leaps.
"""

from __future__ import annotations

import time
from datetime import datetime

import nats
import psycopg
from contracts import topology
from signoff.installation import DATABASES

from tests.integration.torment.house import House

LIES_SECONDS_MAX = 45.0
"""Who waits for a time looks at the clock, which may leap, after 30 seconds at the latest (`kit.held`); the rest is for
a service's start and a busy machine."""

SHOWN_MAX = 5

_ANYWHERE = """
SELECT 'event ' || event_id || ' that nobody told' FROM outbox
UNION ALL SELECT 'event ' || event_id || ' held for ' || consumer || ' after ' || attempts || ' attempts' FROM (
    SELECT DISTINCT ON (consumer, aggregate) * FROM held_event ORDER BY consumer, aggregate, position
) AS head WHERE next_at <= %(now)s
"""
_THERE = {
    "scheduler": "UNION ALL SELECT 'schedule ' || schedule_id || ' of ' || due_at FROM schedule"
    " WHERE state = 'scheduled' AND due_at <= %(now)s",
    "publisher": "UNION ALL SELECT 'publication ' || publication_id || ', ' || state || ', of ' || next_at"
    " FROM publication WHERE next_at <= %(now)s AND (leased_until IS NULL OR leased_until <= %(now)s)",
}


class Lying:
    """Since when each thing lies that could be done."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._since: dict[str, float] = {}
        self.longest_seconds = 0.0

    async def look(self) -> str | None:
        """One of the things that lie now; None if nothing does. Raises `AssertionError` if one lies for too long."""
        found, now = await self._found(), time.monotonic()
        self._since = {what: self._since.get(what, now) for what in found}
        ages = {what: now - since for what, since in self._since.items()}
        self.longest_seconds = max([self.longest_seconds, *ages.values()])
        forgotten = [what for what, age in ages.items() if age > LIES_SECONDS_MAX]
        assert not forgotten, f"{len(forgotten)} things lie for {LIES_SECONDS_MAX:g} s, such as {forgotten[:SHOWN_MAX]}"
        return next(iter(found), None)

    async def _found(self) -> list[str]:
        now = self._house.system.clock.now()
        return [what for store in DATABASES for what in await self._stored(store, now)] + await self._on_the_bus()

    async def _stored(self, store: str, now: datetime) -> list[str]:
        query = _ANYWHERE + _THERE.get(store, "")
        async with await psycopg.AsyncConnection.connect(self._house.superuser_url(store)) as connection:
            return [what for (what,) in await (await connection.execute(query.encode(), {"now": now})).fetchall()]

    async def _on_the_bus(self) -> list[str]:
        client = await nats.connect(self._house.bus_url)
        try:
            found = []
            for consumer in topology.CONSUMERS.values():
                info = await client.jetstream().consumer_info(consumer.stream, consumer.name)
                if info.num_pending or info.num_ack_pending:
                    floor = info.ack_floor.stream_seq if info.ack_floor else 0
                    found.append(f"what comes after message {floor} for {consumer.name}")
            return found
        finally:
            await client.close()
