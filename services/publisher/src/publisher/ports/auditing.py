"""What the auditor needs from outside: rows read by its own statements, scheduler's account, the platforms' account."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from contracts.sealing import SealedRevision
from kit.clock import Clock

from publisher.domain.auditing import Booked, Difference, Due, Seen


@dataclass(frozen=True)
class Run:
    """One audit of a period. `claim` is the process that carries it out."""

    run_id: UUID
    since: datetime
    until: datetime
    claim: UUID | None


@dataclass(frozen=True)
class Account:
    """A connection with publications in the period."""

    connection_id: UUID
    workspace_id: UUID
    platform: str


class NotLooked(Exception):
    """The platform could not be asked. `code` says why: auth's, or the platform's own."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Report:
    """An audit as an operator reads it. What could not be looked at is among the findings, and is no difference."""

    run_id: UUID
    state: str
    since: datetime
    until: datetime
    created_at: datetime
    ended_at: datetime | None
    counts: Mapping[str, int]
    findings: Sequence[Difference]


class AuditStore(Protocol):
    """The auditor's own view of the rows, by statements that nobody else uses."""

    async def plan(self, run: Run, *, asked: bool) -> None:
        """Have an audit carried out."""

    async def plan_if_due(self, run_id: UUID, *, until: datetime, every: timedelta) -> None:
        """Plan one that goes on where the last one ended, once that is so long ago. Of several processes one does."""

    async def claim(self, *, leased_until: datetime) -> Run | None:
        """Take an audit that waits, or whose process is gone; what it had found is forgotten."""

    async def prolong(self, run: Run, leased_until: datetime) -> bool:
        """Keep a claim; false if somebody else has it."""

    async def note(self, run: Run, differences: Sequence[Difference]) -> None: ...

    async def finish(self, run: Run, counts: Mapping[str, int]) -> None: ...

    async def of_schedules(self, schedule_ids: Collection[UUID]) -> list[Booked]: ...

    async def due_between(self, since: datetime, until: datetime, *, after: UUID | None, limit: int) -> list[Booked]:
        """The publications due in a period, in the order of their ids."""

    async def not_ended(self, before: datetime, *, limit: int) -> list[Booked]:
        """What was due before then and has not ended, the oldest first."""

    async def accounts(self, since: datetime, until: datetime) -> list[Account]:
        """The connections of what was due, tried or published in a period."""

    async def at(self, connection_id: UUID, since: datetime, until: datetime, *, limit: int) -> list[Booked]:
        """The publications of one connection that were due, tried or published in a period."""

    async def claimed(self, connection_id: UUID, since: datetime) -> frozenset[str]:
        """Every name in any receipt of a connection since then."""

    async def report(self, run_id: UUID) -> Report | None: ...

    async def withdraw(self, run_id: UUID) -> bool:
        """Take back an audit that nobody has begun."""

    async def forget(self, before: datetime) -> None: ...


class Plans(Protocol):
    async def due(self, since: datetime, until: datetime, after: UUID | None) -> tuple[list[Due], UUID | None]:
        """A page of scheduler's account, and what to go on after. Raises `kit.problems.Unavailable`."""

    async def of(self, schedule_ids: Collection[UUID]) -> list[Due]:
        """scheduler's account of these, whenever they are due. Raises `kit.problems.Unavailable`."""


class Accounts(Protocol):
    async def look(self, account: Account, *, since: datetime, missing: Callable[[Collection[str]], list[str]]) -> Seen:
        """List the account's posts, then ask for those that are `missing` among the listed. Raises `NotLooked`."""


class Texts(Protocol):
    async def find(self, workspace_id: UUID, revision_id: UUID) -> SealedRevision | None: ...


@dataclass(frozen=True)
class AuditMeans:
    """All that the auditor has at hand."""

    work: Callable[[], AbstractAsyncContextManager[AuditStore]]
    clock: Clock
    plans: Plans
    accounts: Accounts
    texts: Texts
