"""The clock's edge: two lanes of workers, so that a long upload never delays a post that is due."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import psycopg
import psycopg_pool
import structlog
from kit.background import Loop
from kit.telemetry import continued
from opentelemetry.trace import Tracer

from publisher.domain.publication import Publication, State
from publisher.ports import Means
from publisher.use_cases.work_publication import work_publication

log = structlog.get_logger("lanes")

STAGE_SLOTS = 8
"""Uploads at once: enough to fill a line, few enough to leave room for what is due."""

PUBLISH_SLOTS = 16
"""Visible steps and questions at once; each is short and holds no database connection while it waits."""

LEASE = timedelta(seconds=20)
"""A publication whose worker died is taken over after this: four prolongations missed, so a stall alone is none."""

PROLONG_SECONDS = 5.0
PAUSE_SECONDS = 0.2

STAGING_STATES = frozenset({State.PLANNED, State.STAGING})
PUBLISHING_STATES = frozenset(
    {State.STAGED, State.PUBLISHING, State.PROCESSING, State.OUTCOME_UNKNOWN, State.PUBLISHED}
)

STEPS: Mapping[State, str] = {
    State.PLANNED: "stage publication",
    State.STAGING: "stage publication",
    State.STAGED: "publish publication",
    State.PUBLISHING: "find interrupted publication",
    State.PROCESSING: "ask about publication",
    State.OUTCOME_UNKNOWN: "reconcile publication",
    State.PUBLISHED: "identify publication",
}
"""What is done with a publication in each state, as its trace names it."""


@dataclass
class Lane:
    """Claims publications in some states and works on as many at once as it has slots."""

    name: str
    states: Collection[State]
    slots: int
    means: Means
    tracer: Tracer
    done: asyncio.Event
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    busy: set[UUID] = field(default_factory=set)

    def loop(self) -> Loop:
        return Loop(self.name, self._run)

    async def _run(self) -> float:
        """Work until cancelled; the workers end with it."""
        async with asyncio.TaskGroup() as workers:

            async def step() -> float:
                for publication in await self._claim():
                    self.busy.add(publication.publication_id)
                    workers.create_task(self._work_in_trace(publication))
                return PAUSE_SECONDS

            await Loop(self.name, step, self.wake).run()
        return 0

    async def _claim(self) -> list[Publication]:
        free = self.slots - len(self.busy)
        if not free:
            return []
        async with self.means.work() as store:
            return await store.claim(
                self.states,
                limit=free,
                busy=self.busy,
                leased_until=self.means.clock.now() + LEASE,
            )

    async def _work_in_trace(self, publication: Publication) -> None:
        """Work in the trace of what brought the publication here, be it days ago and in another process."""
        with continued(self.tracer, STEPS[publication.state], publication.trace):
            await self._work(publication)

    async def _work(self, publication: Publication) -> None:
        try:
            async with self._kept(publication):
                await work_publication(publication, means=self.means)
        except (psycopg.OperationalError, psycopg_pool.PoolTimeout) as error:
            # The lease runs out and the row is found as it was left.
            log.warning("worker_lost_database", reason=type(error).__name__)
        except Exception as error:
            log.error("worker_broke", publication_id=str(publication.publication_id), exc_info=error)
        finally:
            self.busy.discard(publication.publication_id)
            self.wake.set()
            self.done.set()

    @asynccontextmanager
    async def _kept(self, publication: Publication) -> AsyncIterator[None]:
        """Keep the lease while the block runs; give it back at once when this process is told to stop."""
        keeper = asyncio.create_task(self._prolong(publication))
        try:
            yield
        except asyncio.CancelledError:
            async with self.means.work() as store:
                await store.release(publication)
            raise
        finally:
            keeper.cancel()

    async def _prolong(self, publication: Publication) -> None:
        while True:
            await asyncio.sleep(PROLONG_SECONDS)
            try:
                async with self.means.work() as store:
                    await store.prolong(publication, self.means.clock.now() + LEASE)
            except (psycopg.OperationalError, psycopg_pool.PoolTimeout) as error:
                log.warning("lease_not_prolonged", reason=type(error).__name__)


def lanes(means: Means, tracer: Tracer) -> list[Loop]:
    publishing_wake = asyncio.Event()
    staging = Lane("stage", STAGING_STATES, STAGE_SLOTS, means, tracer, done=publishing_wake)
    publishing = Lane(
        "publish", PUBLISHING_STATES, PUBLISH_SLOTS, means, tracer, done=staging.wake, wake=publishing_wake
    )
    return [staging.loop(), publishing.loop()]
