"""Two lanes of workers, so that a long upload never delays a post that is due."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Collection, Mapping
from uuid import UUID

import psycopg
import psycopg_pool
import structlog
from kit.background import Loop
from kit.telemetry import continued
from opentelemetry.trace import Tracer

from publisher.domain.places import Places
from publisher.domain.publication import LEASE, Publication, State
from publisher.domain.turns import Turns
from publisher.ports import Means, Store
from publisher.use_cases.work_publication import work_publication

log = structlog.get_logger("lanes")

STAGE_SLOTS = 16
"""Uploads to one platform at once: enough to fill a line, few enough to leave room for what is due."""

STAGE_SLOTS_IN_ALL = 3 * STAGE_SLOTS
"""Two platforms may hang. Each upload has a piece of its media in memory, so that there is no room for more."""

PUBLISH_SLOTS = 384
"""Publications of a platform on their way to their visible step, at it, or with its answer. Six times as many as are
called at once (`call_slots.CALLS_MAX`): while some wait for the platform, others are prepared and settled, many
together."""

PUBLISH_SLOTS_IN_ALL = 4 * PUBLISH_SLOTS
"""Three platforms may hang, as those of one company do together, and there is room for the others. A publication at
work takes some ten kilobytes."""

PROLONG_SECONDS = 5.0
"""A quarter of a lease: four prolongations must be missed before somebody takes over."""

PAUSE_SECONDS = 0.2

LOOK_SHARE = 0.1
"""While a platform is full, looking behind its publications for others takes at most this share of the time."""

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


class Lane:
    """Claims publications in some states and works on as many at once as it has places.

    While there is more to do than places, the workspaces take turns: the backlog of one delays no other. Each platform
    has places of its own: one that hangs delays no other either.
    """

    def __init__(self, name: str, states: Collection[State], places: Places, means: Means, tracer: Tracer) -> None:
        self.wake = asyncio.Event()
        self._name = name
        self._states = states
        self._places = places
        self._means = means
        self._tracer = tracer
        self._next: asyncio.Event | None = None
        self._busy: dict[UUID, Publication] = {}
        self._pressed = False
        self._turns: defaultdict[frozenset[str], Turns] = defaultdict(Turns)
        self._nothing_without: tuple[frozenset[str], float] = (frozenset(), 0.0)

    def before(self, lane: Lane) -> None:
        """What is done here may be what that lane waits for."""
        self._next = lane.wake

    def loops(self) -> list[Loop]:
        return [Loop(self._name, self._run), Loop(f"{self._name}-lease", self._prolong)]

    async def _run(self) -> float:
        """Work until cancelled; the workers end with it, and what they had can be taken over at once."""
        try:
            async with asyncio.TaskGroup() as workers:

                async def step() -> float:
                    for publication in await self._claim():
                        self._busy[publication.publication_id] = publication
                        workers.create_task(self._work_in_trace(publication))
                    return PAUSE_SECONDS

                await Loop(self._name, step, self.wake).run()
        finally:
            if self._busy:
                async with self._means.work() as store:
                    await store.release(self._busy.values())
        return 0

    async def _claim(self) -> list[Publication]:
        full = self._places.full
        free = self._places.free(full)
        if not free or (full and self._found_nothing(full)):
            return []
        begun = time.monotonic()
        async with self._means.work() as store:
            claimed = await self._claim_from(store, free, full)
        self._places.take(publication.platform for publication in claimed)
        more = len(claimed) >= free
        if full and not more:
            seconds = max(PAUSE_SECONDS, (time.monotonic() - begun) / LOOK_SHARE)
            self._nothing_without = (full, time.monotonic() + seconds)
        self._pressed = more or bool(full)
        if not self._pressed:
            self._turns.clear()
        return claimed

    def _found_nothing(self, full: frozenset[str]) -> bool:
        """Whether it was looked a moment ago what there is besides these platforms."""
        without, until = self._nothing_without
        return without == full and time.monotonic() < until

    async def _claim_from(self, store: Store, free: int, full: frozenset[str]) -> list[Publication]:
        leased_until, busy = self._means.clock.now() + LEASE, self._busy.keys()
        if not self._pressed:
            return await store.claim(self._states, limit=free, busy=busy, without=full, leased_until=leased_until)
        turns = self._turns[full]
        if turns.outdated:
            turns.begin(await store.waiting(self._states, busy=busy, without=full))
        workspaces, each = turns.take(free)
        return await store.claim_in_turns(
            self._states, workspaces, each=each, busy=busy, without=full, leased_until=leased_until
        )

    async def _work_in_trace(self, publication: Publication) -> None:
        """Work in the trace of what brought the publication here, be it days ago and in another process."""
        with continued(self._tracer, STEPS[publication.state], publication.trace):
            await self._work(publication)

    async def _work(self, publication: Publication) -> None:
        try:
            await work_publication(publication, means=self._means)
        except (psycopg.OperationalError, psycopg_pool.PoolTimeout) as error:
            # The lease runs out and the row is found as it was left.
            log.warning("worker_lost_database", reason=type(error).__name__)
        except Exception as error:
            log.error("worker_broke", publication_id=str(publication.publication_id), exc_info=error)
        del self._busy[publication.publication_id]
        self._places.give_back(publication.platform)
        if self._pressed:
            # There was more than places. Otherwise who brings more wakes us.
            self.wake.set()
        if self._next is not None and publication.due:
            self._next.set()

    async def _prolong(self) -> float:
        if self._busy:
            async with self._means.work() as store:
                await store.prolong(self._busy.values(), self._means.clock.now() + LEASE)
        return PROLONG_SECONDS


class Lanes:
    """Staging and publishing. `wake`: something is due now."""

    def __init__(self, means: Means, tracer: Tracer) -> None:
        staging, publishing = Places(STAGE_SLOTS, STAGE_SLOTS_IN_ALL), Places(PUBLISH_SLOTS, PUBLISH_SLOTS_IN_ALL)
        self._staging = Lane("stage", STAGING_STATES, staging, means, tracer)
        self._publishing = Lane("publish", PUBLISHING_STATES, publishing, means, tracer)
        self._staging.before(self._publishing)

    def loops(self) -> list[Loop]:
        return [*self._staging.loops(), *self._publishing.loops()]

    def wake(self) -> None:
        self._staging.wake.set()
        self._publishing.wake.set()
