"""A claim that is lost changes nothing any more, and a record that breaks is no licence to repeat."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import psycopg
import pytest
from contracts.sealing import SealedRevision
from kit.clock import MovableClock
from kit.database import Database, Scope, Units
from kit.ids import new_id
from kit.keys import SealingKey, TrustedKeys
from kit.secret import Secret
from platforms.shape import Call, Delivery, Grant, Journal, Outcome, PlatformName, Receipt
from publisher import ports
from publisher.adapters.journal import PostgresJournals, Seals
from publisher.adapters.settlements import GatheredSettlements
from publisher.adapters.store import Store
from publisher.domain.publication import Publication, State
from publisher.domain.verdicts import published
from publisher.domain.waiting import fail
from publisher.jobs.call_slots import CallSlots
from publisher.ports import ClaimLost, Means
from publisher.use_cases.settle import settle, settle_receipt
from publisher.use_cases.work_publication import work_publication

from services.publisher.tests.fakes import FakePlatform
from services.publisher.tests.neighbours import Content

RECEIPT = Receipt("id", None, {})


@dataclass
class Bench:
    """A database with one staged, due publication, and what a worker needs, half of it made by hand."""

    units: Units[Store]
    means: Means
    publication: Publication
    clock: MovableClock

    async def claim(self) -> Publication:
        async with self.units(Scope.worker()) as store:
            (claimed,) = await store.claim(
                list(State), limit=1, busy=[], leased_until=self.clock.now() + timedelta(seconds=60)
            )
        return claimed

    async def row(self) -> Publication:
        async with self.units(Scope.worker()) as store:
            found = await store.find(self.publication.publication_id)
        assert found is not None
        return found


class _Platform:
    """The fake platform by name, without HTTP."""

    def __init__(self, platform: FakePlatform) -> None:
        self._platform = platform

    def find(self, _: str) -> FakePlatform:
        return self._platform

    async def publish(self, _: str, grant: Grant, delivery: Delivery, journal: Journal) -> Outcome:
        return await self._platform.publish(cast("Call", _Call(grant)), delivery, journal)


@dataclass(frozen=True)
class _Call:
    grant: Grant


class _Grants:
    def expect(self, connection_id: UUID) -> None:
        """It is here already."""

    @asynccontextmanager
    async def borrow(self, publication: Publication) -> AsyncIterator[Grant]:
        yield Grant("someone", Secret("token"), None, (), datetime(2030, 1, 1, tzinfo=UTC), None)

    def forget(self, connection_id: UUID) -> None:
        raise AssertionError


class _Revisions:
    def __init__(self, revision: SealedRevision) -> None:
        self._revision = revision

    async def find(self, workspace_id: UUID, revision_id: UUID) -> SealedRevision:
        return self._revision

    def signed(self, message: bytes, signature: bytes) -> bool:
        return True


@pytest.fixture
async def bench(
    environment: dict[str, str], clock: MovableClock, content: Content, trusted: TrustedKeys, platform: FakePlatform
) -> AsyncIterator[Bench]:
    database = Database("publisher", Secret(environment["DATABASE_URL_PUBLISHER"]), clock, connections_max=4)
    units = Units(database, Store)
    connection_id, workspace_id = new_id(), new_id()
    revision = content.approve(workspace_id, (connection_id,))
    publication = Publication(
        publication_id=new_id(),
        workspace_id=workspace_id,
        schedule_id=new_id(),
        occurrence=1,
        post_id=revision.post_id,
        revision_id=revision.revision_id,
        connection_id=connection_id,
        due_at=clock.now(),
        created_at=clock.now(),
        platform="bluesky",
        state=State.STAGED,
        due=True,
        next_at=clock.now(),
    )
    seals = Seals(trusted, SealingKey.load(Path(environment["SEALING_KEY_FILE_PUBLISHER"])))
    work = cast("Callable[[], AbstractAsyncContextManager[ports.Store]]", lambda: units(Scope.worker()))
    means = Means(
        work=work,
        settlements=GatheredSettlements(work, clock),
        clock=clock,
        revisions=_Revisions(revision),
        media=cast("ports.MediaStore", None),
        grants=_Grants(),
        journals=PostgresJournals(database, seals, {PlatformName.BLUESKY: cast("Any", platform)}),
        platforms=cast("ports.PlatformCalls", _Platform(platform)),
        removing=cast("ports.Removing", None),
        call_slots=CallSlots(),
    )
    await database.open()
    async with units(Scope.worker()) as store:
        assert await store.add(publication)
    yield Bench(units, means, publication, clock)
    await database.close()


@pytest.mark.promise("P43")
async def test_a_claim_that_was_taken_over_changes_nothing(bench: Bench):
    first = await bench.claim()
    bench.clock.advance(timedelta(seconds=61))
    second = await bench.claim()
    with pytest.raises(ClaimLost):
        await settle(first, lambda row: fail(row, code="no"), means=bench.means)
    with pytest.raises(ClaimLost):
        await (await bench.means.journals.open(first, "bluesky")).record(uploaded=True)
    assert await bench.row() == second
    assert not (await bench.means.journals.open(second, "bluesky")).facts
    await settle(second, lambda row: fail(row, code="no"), means=bench.means)
    assert (await bench.row()).state is State.FAILED


async def test_what_is_claimed_is_nobody_elses(bench: Bench):
    await bench.claim()
    async with bench.units(Scope.worker()) as store:
        soon = bench.clock.now() + timedelta(seconds=60)
        assert await store.claim(list(State), limit=9, busy=[], leased_until=soon) == []


async def test_a_lease_is_prolonged_by_who_has_it_and_waits_for_nobody(bench: Bench):
    claimed = await bench.claim()
    assert claimed.leased_until is not None
    later = claimed.leased_until + timedelta(seconds=20)
    async with bench.units(Scope.worker()) as writing:
        await writing.lock([claimed.publication_id])
        async with asyncio.timeout(5), bench.units(Scope.worker()) as store:
            await store.prolong([claimed], later)
    assert (await bench.row()).leased_until == claimed.leased_until
    async with bench.units(Scope.worker()) as store:
        await store.prolong([replace(claimed, claim=new_id())], later)
    assert (await bench.row()).leased_until == claimed.leased_until
    async with bench.units(Scope.worker()) as store:
        await store.prolong([claimed], later)
    assert (await bench.row()).leased_until == later


@pytest.mark.promise("P35")
async def test_a_cancellation_takes_the_claim_away(bench: Bench):
    claimed = await bench.claim()
    async with bench.units(Scope.worker()) as store:
        (row,) = await store.lock([claimed.publication_id])
        await store.save([(row, row.cancel("cancelled_by_person"))])
    await work_publication(claimed, means=bench.means)
    assert (await bench.row()).state is State.CANCELLED


async def test_a_receipt_counts_without_a_claim_but_ends_stay_ends(bench: Bench):
    claimed = await bench.claim()

    def receive(row: Publication) -> Publication:
        return published(row, RECEIPT, bench.clock.now())

    lost = replace(claimed, claim=new_id())
    assert await settle_receipt(lost, receive, means=bench.means)
    assert (await bench.row()).platform_post_id == "id"
    assert not await settle_receipt(lost, receive, means=bench.means)


@pytest.mark.promise("P43")
async def test_a_receipt_that_cannot_be_written_is_looked_up_not_repeated(bench: Bench, platform: FakePlatform):
    """The database breaks off exactly the transaction that follows the visible step, and works again after it."""

    @asynccontextmanager
    async def work() -> AsyncIterator[ports.Store]:
        if len(platform.posts) == 1 and not broken:
            broken.append(True)
            raise psycopg.OperationalError("the connection was lost")
        async with bench.means.work() as store:
            yield store

    broken: list[bool] = []
    await work_publication(
        await bench.claim(), means=replace(bench.means, work=work, settlements=GatheredSettlements(work, bench.clock))
    )
    assert broken
    row = await bench.row()
    assert (row.state, row.claim) == (State.OUTCOME_UNKNOWN, None)
    assert len(platform.posts) == 1


async def test_the_normal_way_ends_with_a_receipt_and_an_attempt(bench: Bench, platform: FakePlatform):
    await work_publication(await bench.claim(), means=bench.means)
    row = await bench.row()
    assert (row.state, row.claim, row.leased_until, row.attempts) == (State.PUBLISHED, None, None, 1)
    assert platform.posted(row.publication_id) == 1
    async with bench.units(Scope.worker()) as store:
        outcomes = await store._transaction.scalars("SELECT outcome FROM attempt WHERE ended_at IS NOT NULL")
    assert outcomes == ["published"]
