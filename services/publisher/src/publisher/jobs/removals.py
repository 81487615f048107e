"""Takes posts off platforms, some at a time. Each try is short, so its lease is never prolonged."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import psycopg
import psycopg_pool
import structlog
from kit.background import Loop

from publisher.domain.removal import Removal
from publisher.ports import Means
from publisher.use_cases.remove_post import REMOVE_SECONDS, work_removal

log = structlog.get_logger("removals")

AT_ONCE = 8
"""Removals are rare: what is published and due must not wait for them."""

LEASE = timedelta(seconds=3 * REMOVE_SECONDS)
"""A removal whose worker died is taken over after this: far beyond the longest try."""

LOOK_SECONDS = 0.5


class Removals:
    """The loop that works on removals. `wake`: one was asked for."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._woken = asyncio.Event()

    def loop(self) -> Loop:
        return Loop("remove", self._step, self._woken)

    def wake(self) -> None:
        self._woken.set()

    async def _step(self) -> float:
        async with self._means.work() as store:
            leased_until = self._means.clock.now() + LEASE
            claimed = await store.claim_removals(limit=AT_ONCE, leased_until=leased_until)
        async with asyncio.TaskGroup() as workers:
            for removal in claimed:
                workers.create_task(self._work(removal))
        return 0 if claimed else LOOK_SECONDS

    async def _work(self, removal: Removal) -> None:
        try:
            await work_removal(removal, means=self._means)
        except (psycopg.OperationalError, psycopg_pool.PoolTimeout) as error:
            # The lease runs out and the row is found as it was left.
            log.warning("removal_lost_database", reason=type(error).__name__)
