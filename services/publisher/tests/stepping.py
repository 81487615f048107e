"""Workers that stop before each commit and around each call, and a platform that remembers what was shown."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

import httpx
from contracts.leases import LEASE_SECONDS
from kit.clock import Clock
from kit.secret import Secret
from platforms.errors import OutcomeUnknown, RateLimited, ReauthorisationNeeded, Rejected, Transient
from platforms.http import no_requests_after, refuse_late_requests
from platforms.shape import (
    Absent,
    Delivery,
    Finding,
    Grant,
    Journal,
    Outcome,
    Processing,
    Published,
    Receipt,
    Undecided,
)
from publisher import ports
from publisher.adapters.settlements import GatheredSettlements
from publisher.domain.publication import Publication
from publisher.jobs.call_slots import CallSlots
from publisher.ports import DurableJournal, GrantRefused, Journals, Means
from publisher.use_cases.work_publication import work_publication

from services.publisher.tests.fakes import FakePlatform

FATES = ("well", "well", "lost_before", "lost_after", "later", "refused", "reauthorise", "processing", "undecided")
"""How a call ends. Between two commits of ours all go well."""

RECEIPT = Receipt("id", None, {})
_STEP_SECONDS = 10.0

Monotonic = Callable[[], float]


@dataclass
class Access:
    """What auth knows of the connection: who has its grant until when, and whether it is lent at all."""

    refusal: str | None = None
    lent_until: list[float] = field(default_factory=list)

    def is_out(self, now: float) -> bool:
        return any(until > now for until in self.lent_until)

    def find_dead(self) -> None:
        """The platform refused the grant. What has ended stays at its end."""
        self.refusal = self.refusal or "reauth_required"


@dataclass
class Shown:
    """What truly happened at the platform."""

    effects: int = 0


class Worker:
    """One claimed publication at work. It stands still until it is let go on, each time with a fate."""

    def __init__(self, publication: Publication, means: Means, access: Access, shown: Shown, now: Monotonic) -> None:
        self.where = "start"
        self._fate = "well"
        self._go, self._stands = asyncio.Event(), asyncio.Event()
        self._access, self._shown, self._now = access, shown, now
        self._task = asyncio.create_task(work_publication(publication, means=self._own(means)))

    @property
    def done(self) -> bool:
        return self._task.done()

    async def stop(self, where: str) -> str:
        """Stand still here; returns how what comes next ends."""
        self.where = where
        self._stands.set()
        await self._go.wait()
        self._go.clear()
        return self._fate

    async def go_on(self, fate: str = "well") -> None:
        """Let it come to its next stop, or to its end."""
        self._fate = fate
        self._stands.clear()
        self._go.set()
        await self.arrived()

    async def arrived(self) -> None:
        stands = asyncio.create_task(self._stands.wait())
        async with asyncio.timeout(_STEP_SECONDS):
            await asyncio.wait({stands, self._task}, return_when=asyncio.FIRST_COMPLETED)
        stands.cancel()
        if self.done:
            self._task.result()

    async def die(self) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    def _own(self, means: Means) -> Means:
        @asynccontextmanager
        async def work() -> AsyncIterator[ports.Store]:
            await self.stop("transaction")
            async with means.work() as store:
                yield store

        return Means(
            work=work,
            settlements=GatheredSettlements(work, means.clock),
            clock=means.clock,
            revisions=means.revisions,
            media=means.media,
            grants=_Grants(self, self._access, self._now),
            journals=_Journals(self, means.journals),
            platforms=cast("ports.PlatformCalls", _Platform(self, self._shown, means.clock)),
            removing=means.removing,
            call_slots=CallSlots(),
        )


@dataclass(frozen=True)
class _Grants:
    worker: Worker
    access: Access
    now: Monotonic

    def expect(self, connection_id: UUID) -> None:
        """It is here already."""

    @asynccontextmanager
    async def borrow(self, publication: Publication) -> AsyncIterator[Grant]:
        await self.worker.stop("borrow")
        if self.access.refusal:
            raise GrantRefused(self.access.refusal)
        until = self.now() + LEASE_SECONDS
        self.access.lent_until.append(until)
        try:
            with no_requests_after(until):
                yield Grant("someone", Secret("token"), None, (), datetime(2100, 1, 1, tzinfo=UTC), None)
        except ReauthorisationNeeded:
            self.access.find_dead()
            raise
        finally:
            self.access.lent_until.remove(until)

    def forget(self, connection_id: UUID) -> None:
        """Nothing is kept here."""


@dataclass(frozen=True)
class _Journals:
    worker: Worker
    journals: Journals

    async def open(self, publication: Publication, platform: str) -> DurableJournal:
        await self.worker.stop("journal")
        return await self.journals.open(publication, platform)


@dataclass(frozen=True)
class _Platform:
    """Tells the truth when it is asked, and often does not answer."""

    worker: Worker
    shown: Shown
    clock: Clock

    def find(self, _: str) -> FakePlatform:
        return FakePlatform()

    async def stage(self, _: str, grant: Grant, delivery: Delivery, journal: Journal) -> None:
        self._fail(await self.worker.stop("stage"))
        await journal.record(uploaded=True)

    async def publish(self, _: str, grant: Grant, delivery: Delivery, journal: Journal) -> Outcome:
        fate = await self.worker.stop("call")
        try:
            refuse_late_requests()
        except httpx.ConnectError:
            raise Transient("not_reached", "no request began") from None
        self._fail(fate)
        self.shown.effects += 1
        fate = await self.worker.stop("answer") if fate != "lost_after" else fate
        if fate == "lost_after":
            raise OutcomeUnknown("no_answer", "cut after it")
        return Processing(1.0) if fate == "processing" else Published(RECEIPT)

    async def status(self, _: str, grant: Grant, delivery: Delivery, journal: Journal) -> Outcome:
        self._fail(await self.worker.stop("question"))
        return Published(RECEIPT)

    async def reconcile(self, _: str, grant: Grant, delivery: Delivery, journal: Journal) -> Finding:
        fate = await self.worker.stop("search")
        self._fail(fate)
        if fate == "undecided":
            return Undecided({"reason": "it cannot be told"})
        return Published(RECEIPT) if self.shown.effects else Absent({"looked": "everywhere"})

    def _fail(self, fate: str) -> None:
        match fate:
            case "lost_before":
                raise OutcomeUnknown("no_answer", "cut before it")
            case "later":
                raise RateLimited("too_many", "not now", until=self.clock.now() + timedelta(seconds=2))
            case "refused":
                raise Rejected("refused", "not this post", advice="Change it.")
            case "reauthorise":
                raise ReauthorisationNeeded("dead", "the grant is dead")


Work = Callable[[], AbstractAsyncContextManager[Any]]


async def claim_of(
    work: Work, states: Collection[Any], workspace_id: UUID, leased_until: datetime
) -> Publication | None:
    """What is ready in a workspace, taken as the lanes take it."""
    async with work() as store:
        found = await store.claim_in_turns(states, [workspace_id], each=1, busy=[], leased_until=leased_until)
    return found[0] if found else None
