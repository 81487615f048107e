"""An audit: what scheduler planned, what we hold and what the platforms show, compared and written down."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from publisher.domain.auditing import AROUND, Booked, Difference, Kind, Told, told_by
from publisher.domain.comparing import (
    compare_open,
    compare_plan,
    compare_posts,
    compare_receipts,
    compare_rows,
    is_late,
    missing_posts,
    strangers,
)
from publisher.ports.auditing import Account, AuditMeans, AuditStore, NotLooked, Run

log = structlog.get_logger("audit")

SLICE = timedelta(hours=6)
"""What is compared with the plan at a time: bounds what is held in memory."""

ROWS_MAX = 1_000
"""Publications read in one statement, and of one account; an account with more in a day is looked at for the first."""

ACCOUNTS_AT_ONCE = 4
"""An audit has all day: the platforms are asked gently."""

LEASE = timedelta(minutes=5)
"""An audit whose process died is begun anew after this; each slice and each group of accounts prolongs it."""

KEPT = timedelta(days=90)
"""As long as backups: whoever asks what was believed then can still be answered."""


COUNTED = ("planned", "publications", "accounts", "listed_in_part", "not_looked_at", "strangers", "differences")

_Pair = tuple[UUID, UUID]
"""A schedule and one of its connections."""


class RunLost(Exception):
    """Another process has this audit now."""


async def carry_out(run: Run, *, means: AuditMeans) -> Counter[str]:
    """Compare everything of the period and note each difference. Raises `RunLost`, `kit.problems.Unavailable`."""
    audit = _Audit(run, means)
    for since, until in _slices(run):
        await audit.compare_slice(since, until)
    await audit.compare_open()
    async with means.work() as store:
        accounts = await store.accounts(run.since, run.until)
    for start in range(0, len(accounts), ACCOUNTS_AT_ONCE):
        await asyncio.gather(*map(audit.compare_account, accounts[start : start + ACCOUNTS_AT_ONCE]))
        await audit.go_on()
    async with means.work() as store:
        await store.finish(run, audit.counts)
    return audit.counts


class _Audit:
    """One run under way, with what it has counted so far."""

    def __init__(self, run: Run, means: AuditMeans) -> None:
        self._run = run
        self._means = means
        self.counts = Counter(dict.fromkeys(COUNTED, 0))

    async def go_on(self) -> None:
        async with self._means.work() as store:
            await self._hold(store)

    async def _hold(self, store: AuditStore) -> None:
        """Whoever lost the run writes nothing to it any more."""
        if not await store.prolong(self._run, self._means.clock.now() + LEASE):
            raise RunLost()

    async def compare_slice(self, since: datetime, until: datetime) -> None:
        """The plan of some hours with what is held for it, and what is held for those hours with the plan."""
        planned: set[_Pair] = set()
        after: UUID | None = None
        while True:
            due, after = await self._means.plans.due(since, until, after)
            planned |= {(target.schedule_id, target.connection_id) for target in due}
            async with self._means.work() as store:
                rows = await store.of_schedules({target.schedule_id for target in due})
            booked = {(row.schedule_id, row.connection_id): row for row in rows}
            await self._note(compare_plan(due, booked, self._means.clock.now()))
            if after is None:
                break
        self.counts["planned"] += len(planned)
        await self._compare_rows(since, until, planned)
        await self.go_on()

    async def _compare_rows(self, since: datetime, until: datetime, planned: set[_Pair]) -> None:
        rows: list[Booked] = []
        while not rows or len(rows) == ROWS_MAX:
            after = rows[-1].publication_id if rows else None
            async with self._means.work() as store:
                rows = await store.due_between(since, until, after=after, limit=ROWS_MAX)
            if not rows:
                return
            self.counts["publications"] += len(rows)
            await self._note(compare_rows(rows, planned | await self._elsewhere(rows, planned)))

    async def _elsewhere(self, rows: Iterable[Booked], planned: set[_Pair]) -> set[_Pair]:
        """What scheduler has at another time: moved while it was paused, which is told when it goes on."""
        unknown = {row.schedule_id for row in rows if (row.schedule_id, row.connection_id) not in planned}
        plan = await self._means.plans.of(unknown) if unknown else []
        return {(target.schedule_id, target.connection_id) for target in plan}

    async def compare_open(self) -> None:
        """Everything that should have ended by now, whatever its period."""
        async with self._means.work() as store:
            rows = await store.not_ended(self._run.until, limit=ROWS_MAX)
        now = self._means.clock.now()
        late = [row for row in rows if is_late(row, now)]
        plan = await self._means.plans.of({row.schedule_id for row in late}) if late else []
        await self._note(compare_open(late, plan, now))

    async def compare_account(self, account: Account) -> None:
        """What we hold of one account with what its platform shows. Of other posts only their number is kept."""
        async with self._means.work() as store:
            rows = await store.at(account.connection_id, self._run.since, self._run.until, limit=ROWS_MAX)
        if not rows:
            return
        since = min(min(row.due_at, row.attempted_at or row.due_at) for row in rows) - AROUND[0]
        self.counts["accounts"] += 1
        try:
            seen = await self._means.accounts.look(
                account, since=since, missing=lambda listed: missing_posts(rows, listed)
            )
        except NotLooked as refused:
            self.counts["not_looked_at"] += 1
            await self._note([_not_looked(account, refused.code)], counted=False)
            return
        told = await self._told(rows)
        async with self._means.work() as store:
            claimed = await store.claimed(account.connection_id, since)
        now = self._means.clock.now()
        await self._note([*compare_receipts(rows, told, seen, now), *compare_posts(rows, told, seen.posts, claimed)])
        self.counts["strangers"] += strangers(rows, seen.posts, claimed)
        self.counts["listed_in_part"] += seen.in_part

    async def _told(self, rows: Sequence[Booked]) -> dict[UUID, Told]:
        """What each publication said, where content still has it."""
        asked = (self._means.texts.find(row.workspace_id, row.revision_id) for row in rows)
        told = {}
        for row, revision in zip(rows, await asyncio.gather(*asked), strict=True):
            for variant in revision.variants if revision else ():
                if variant.connection_id == row.connection_id:
                    told[row.publication_id] = told_by(variant.settings, variant.text)
        return told

    async def _note(self, differences: Iterable[Difference], *, counted: bool = True) -> None:
        found = list(differences)
        if not found:
            return
        async with self._means.work() as store:
            await self._hold(store)
            await store.note(self._run, found)
        self.counts["differences"] += len(found) if counted else 0


def _slices(run: Run) -> Iterator[tuple[datetime, datetime]]:
    begin = run.since
    while begin < run.until:
        end = min(begin + SLICE, run.until)
        yield begin, end
        begin = end


def _not_looked(account: Account, code: str) -> Difference:
    return Difference(
        Kind.NOT_LOOKED,
        account.workspace_id,
        f"the platform could not be asked: {code}",
        connection_id=account.connection_id,
        platform=account.platform,
    )
