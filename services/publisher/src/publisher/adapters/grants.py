"""Grants on loan from auth, shared by the publications of a connection that are at work in the same moments."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from uuid import UUID

import structlog
from contracts.leases import LEASE_SECONDS, LEASES_MAX
from kit.batching import Batcher
from kit.calls import CallRefused
from kit.clock import Clock
from kit.problems import Unavailable
from platforms.errors import ReauthorisationNeeded
from platforms.http import no_requests_after
from platforms.leasing import Leases, Lent
from platforms.shape import Grant

from publisher.domain.publication import Publication
from publisher.ports import GrantRefused

log = structlog.get_logger("grants")

LIFE_LEFT_MIN = timedelta(seconds=LEASE_SECONDS - 5)
"""A lease with less is not taken up again: a step needs most of its life."""

IDLE_SECONDS = 1.0
"""How long a lease is kept for the next publication of its connection. A disconnect waits for it."""

TOGETHER_SECONDS = 0.25
"""Leases that become idle within this time are given back in one call."""

RETURN_SECONDS = 2.0
"""How long a stopping publisher gives back what it still holds. auth may go at the same moment and answer no more; what
is not returned runs out within seconds."""

SOON_SECONDS = 1.0
"""Whoever asks for a lease asks also for those in use that nobody takes up any more after this."""


@dataclass
class _Held:
    """A lease in our hands. `users`: the steps that work with it now."""

    lent: Lent
    users: int = 0
    watched: bool = False


class SharedGrants:
    """Satisfies `ports.Grants`. A context manager that gives back what is left."""

    def __init__(self, leases: Leases, clock: Clock) -> None:
        self._leases = leases
        self._clock = clock
        self._held: dict[UUID, _Held] = {}
        self._coming: dict[UUID, asyncio.Task[_Held | Exception]] = {}
        self._borrower: Batcher[UUID, _Held | str] = Batcher(self._borrow_all, size_max=LEASES_MAX, at_once_max=2)
        self._returner: Batcher[UUID, None] = Batcher(self._give_back, size_max=LEASES_MAX)
        self._watches: set[asyncio.Task[None]] = set()

    def expect(self, connection_id: UUID) -> None:
        if not self._usable(connection_id) and connection_id not in self._coming:
            fetched = asyncio.create_task(self._fetch(connection_id), name="expected-lease")
            self._coming[connection_id] = fetched
            fetched.add_done_callback(lambda _: self._coming.pop(connection_id, None))

    @asynccontextmanager
    async def borrow(self, publication: Publication) -> AsyncIterator[Grant]:
        held = await self._take(publication.connection_id)
        if held.lent.borrowed.workspace_id != publication.workspace_id:
            self._put_back(publication.connection_id, held)
            raise GrantRefused("unknown")
        try:
            with no_requests_after(held.lent.until):
                yield held.lent.borrowed.grant
        except ReauthorisationNeeded as error:
            await self._report_dead(publication.connection_id, held, error.code)
            raise
        finally:
            self._put_back(publication.connection_id, held)

    async def _report_dead(self, connection_id: UUID, held: _Held, code: str) -> None:
        if self._held.get(connection_id) is held:
            del self._held[connection_id]
        try:
            await self._leases.report_dead(connection_id, code, generation=held.lent.borrowed.generation)
        except (CallRefused, Unavailable) as error:
            # The next publication finds it dead as well.
            log.warning("dead_grant_not_told", connection_id=str(connection_id), reason=type(error).__name__)

    def forget(self, connection_id: UUID) -> None:
        held = self._held.pop(connection_id, None)
        if held is not None and not held.users:
            self._watch(connection_id, held)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """At the end of the block nobody works with a grant any more."""
        try:
            yield
        finally:
            for task in (*self._watches, *self._coming.values()):
                task.cancel()
            held = [each.lent.lease_id for each in self._held.values()]
            self._held.clear()
            try:
                async with asyncio.timeout(RETURN_SECONDS):
                    for start in range(0, len(held), LEASES_MAX):
                        await self._give_back(held[start : start + LEASES_MAX])
            except TimeoutError:
                log.warning("leases_left_at_the_end")

    async def _take(self, connection_id: UUID) -> _Held:
        held = self._usable(connection_id)
        if held is None:
            self.expect(connection_id)
            # Others wait for the same one: who is cancelled takes it from nobody.
            answer = await asyncio.shield(self._coming[connection_id])
            if isinstance(answer, Exception):
                raise answer
            held = answer
        held.users += 1
        return held

    def _usable(self, connection_id: UUID) -> _Held | None:
        held = self._held.get(connection_id)
        if held is None or self._clock.now() > held.lent.expires_at - LIFE_LEFT_MIN:
            return None
        return held

    async def _fetch(self, connection_id: UUID) -> _Held | Exception:
        """What goes wrong is an answer, because perhaps nobody asks for it in the end."""
        try:
            answer = await self._borrower.do(connection_id)
        except Exception as error:
            return error
        return GrantRefused(answer) if isinstance(answer, str) else answer

    def _put_back(self, connection_id: UUID, held: _Held) -> None:
        held.users -= 1
        if not held.users:
            self._watch(connection_id, held)

    def _watch(self, connection_id: UUID, held: _Held) -> None:
        if not held.watched:
            held.watched = True
            watch = asyncio.create_task(self._return_when_idle(connection_id, held), name="idle-lease")
            self._watches.add(watch)
            watch.add_done_callback(self._watches.discard)

    async def _return_when_idle(self, connection_id: UUID, held: _Held) -> None:
        idle_until = time.monotonic() + IDLE_SECONDS
        await asyncio.sleep(IDLE_SECONDS + TOGETHER_SECONDS - idle_until % TOGETHER_SECONDS)
        held.watched = False
        if held.users:
            return
        if self._held.get(connection_id) is held:
            del self._held[connection_id]
        await self._returner.do(held.lent.lease_id)

    async def _borrow_all(self, connection_ids: Sequence[UUID]) -> list[_Held | str]:
        try:
            answer = await self._leases.ask(self._with_used_up(set(connection_ids)))
        except CallRefused as refusal:
            raise Unavailable(f"auth refuses to lend ({refusal.code})") from refusal
        fresh = {connection_id: _Held(lent) for connection_id, lent in answer.lent.items()}
        for connection_id, held in fresh.items():
            self._held[connection_id] = held
            # Whoever asked for it may be gone by now.
            self._watch(connection_id, held)
        return [fresh.get(c) or answer.refused.get(c, "unknown") for c in connection_ids]

    def _with_used_up(self, asked: set[UUID]) -> set[UUID]:
        """In a burst the leases of all connections are taken together, and used up together."""
        soon = self._clock.now() + timedelta(seconds=SOON_SECONDS) + LIFE_LEFT_MIN
        used_up = (key for key, held in self._held.items() if held.users and held.lent.expires_at < soon)
        return asked | set(islice(used_up, max(LEASES_MAX - len(asked), 0)))

    async def _give_back(self, lease_ids: Sequence[UUID]) -> list[None]:
        await self._leases.give_back(lease_ids)
        return [None] * len(lease_ids)
