"""What the publisher's use cases need from outside: rows, content, media, grants, platforms, the journal."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from contracts.event import Event
from contracts.scheduler import ScheduleCancelledV1
from contracts.sealing import SealedMedia, SealedRevision
from kit.clock import Clock
from kit.passport import Reach
from platforms.platform import Platform
from platforms.removal import Removal as RemovalRules
from platforms.shape import Delivery, Finding, Grant, Journal, MediaSource, NotThere, Outcome, Receipt, Removed

from publisher.domain.budget import Bill, Budget, Closure, Payment, Step
from publisher.domain.connection import Connection
from publisher.domain.publication import Publication, State
from publisher.domain.removal import Removal
from publisher.domain.sharing import Ask

Verdict = Callable[[Publication], Publication]
"""What becomes of a row, seen as it is at that moment."""


class ClaimLost(Exception):
    """Somebody else has the publication now, or it was taken back: stop, and change nothing."""


class MediaMissing(Exception):
    """The bytes of an approved image or video are not there."""


class GrantRefused(Exception):
    """auth lends no grant. `code`: `unknown`, `revoked`, `reauth_required` or `refreshing`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Entry:
    """One line of a publication's history. `actor`: the person whose word it was, if it was one's."""

    at: datetime
    state: str
    code: str | None
    actor: UUID | None


@dataclass(frozen=True)
class Wanted:
    """Which publications are asked for; what is None narrows nothing. `before`: those behind this one in the list."""

    post_id: UUID | None
    schedule_id: UUID | None
    state: State | None
    before: UUID | None
    reach: Reach


@dataclass(frozen=True)
class Attempt:
    """One try to show a post. `outcome`: the state that it led to; none while it is under way."""

    number: int
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    code: str | None


Change = tuple[Publication, Publication]
"""A row before and after."""


class Store(Protocol):
    """The publications that the unit of work may see, and what they hang on."""

    def emit(self, event: Event) -> UUID: ...

    def when_committed(self, call: Callable[[], None]) -> None:
        """Call this once what was written can be seen."""

    async def serialise(self, schedule_id: UUID) -> None:
        """Let the events of one schedule take effect one after the other."""

    async def add(self, publication: Publication) -> bool:
        """Keep a new publication; false if there is one for the same schedule, connection and occurrence."""

    async def save(self, changes: Sequence[Change], *, actor: UUID | None = None) -> None:
        """Write changed rows, their lines of history, their attempts; forget the journals that nobody needs again."""

    async def lock(self, publication_ids: Collection[UUID]) -> list[Publication]: ...

    async def lock_of_schedules(self, schedule_ids: Collection[UUID]) -> list[Publication]: ...

    async def lock_open_of_connection(self, connection_id: UUID) -> list[Publication]: ...

    async def lock_open_of_workspace(self, workspace_id: UUID) -> list[Publication]: ...

    async def claim(
        self,
        states: Collection[State],
        *,
        limit: int,
        busy: Collection[UUID],
        without: Collection[str] = (),
        leased_until: datetime,
    ) -> list[Publication]:
        """Take what is to be done now and nobody has, the longest waiting first. `without`: platforms to leave out."""

    async def claim_in_turns(
        self,
        states: Collection[State],
        workspaces: Sequence[UUID],
        *,
        each: int,
        busy: Collection[UUID],
        without: Collection[str] = (),
        leased_until: datetime,
    ) -> list[Publication]:
        """Likewise, at most so many of each of these workspaces."""

    async def waiting(
        self, states: Collection[State], *, busy: Collection[UUID], without: Collection[str] = ()
    ) -> list[UUID]:
        """The workspaces that have something to be done now, in a stable order."""

    async def prolong(self, publications: Collection[Publication], leased_until: datetime) -> None:
        """Keep claims, as far as they are still ours."""

    async def release(self, publications: Collection[Publication]) -> None:
        """Give claims back, as far as they are still ours."""

    async def charge(self, asks: Sequence[Ask]) -> list[Payment]:
        """Pay these bills as far as the budgets reach, in the order of whose turn it is."""

    async def close_connection(self, connection_id: UUID, workspace_id: UUID, step: Step, closure: Closure) -> None:
        """Let nothing more be spent of a connection's budget until then."""

    async def close_application(self, platform: str, step: Step, closure: Closure) -> None:
        """Likewise of our application's at a platform."""

    async def budget_of_connection(self, connection_id: UUID) -> Budget: ...

    async def budget_of_application(self, platform: str) -> Budget:
        """Without its turns."""

    async def connection(self, connection_id: UUID) -> Connection | None: ...

    async def keep_connection(self, connection: Connection) -> None: ...

    async def keep_cancellation(self, cancelled: ScheduleCancelledV1) -> None:
        """Remember that a schedule was taken back, for the case that it arrives later."""

    async def cancellation(self, schedule_id: UUID, occurrence: int, connection_id: UUID) -> str | None:
        """Why a connection of a schedule was taken back, if it was."""

    async def find(self, publication_id: UUID) -> Publication | None: ...

    async def newest(self, wanted: Wanted, *, limit: int) -> list[Publication]:
        """The latest due first."""

    async def attempts(self, publication_id: UUID) -> list[Attempt]: ...

    async def forget_journals(self, *, before: datetime) -> None:
        """Of what has ended: those in which nothing was recorded since then."""

    async def removals(self, publication_ids: Collection[UUID]) -> dict[UUID, Removal]:
        """Those that were asked for, by publication."""

    async def keep_removal(self, removal: Removal, *, actor: UUID | None = None) -> None:
        """Keep a removal as it is now, with its line in the publication's history if it began or ended."""

    async def claim_removals(self, *, limit: int, leased_until: datetime) -> list[Removal]:
        """Take those that are to be done now and nobody has, the longest waiting first."""

    async def lock_removal(self, claimed: Removal) -> Removal | None:
        """The row of a claim, if it is that claim's still."""

    async def histories(self, publication_ids: Sequence[UUID]) -> dict[UUID, list[Entry]]: ...


class Revisions(Protocol):
    async def find(self, workspace_id: UUID, revision_id: UUID) -> SealedRevision | None:
        """A revision as content has it now. Raises `kit.problems.Unavailable`."""

    def signed(self, message: bytes, signature: bytes) -> bool:
        """Whether content signed this."""


class MediaStore(Protocol):
    def source(self, media: SealedMedia) -> MediaSource: ...


class Grants(Protocol):
    def expect(self, connection_id: UUID) -> None:
        """The connection's grant will be borrowed in a moment: fetch it meanwhile."""

    def borrow(self, publication: Publication) -> AbstractAsyncContextManager[Grant]:
        """The connection's grant for the block. Raises `GrantRefused`, `kit.problems.Unavailable`.

        A `ReauthorisationNeeded` that leaves the block is reported to auth on its way.
        """

    def forget(self, connection_id: UUID) -> None:
        """Lend what is held of this connection to nobody any more: it changed."""


class DurableJournal(Journal, Protocol):
    @property
    def recorded(self) -> int:
        """How many times something was recorded since it was opened."""


class Journals(Protocol):
    async def open(self, publication: Publication, platform: str) -> DurableJournal:
        """What was done so far. `record` raises `ClaimLost` once the publication is not ours any more."""


class Offered(Protocol):
    """The platforms of this installation."""

    def find(self, platform: str) -> Platform:
        """What is known of a platform without calling it. Raises `Misconfigured` if it is not offered."""


class PlatformCalls(Offered, Protocol):
    """The platforms by name, called with a grant. Raise `platforms.errors.PlatformError`."""

    async def stage(self, platform: str, grant: Grant, delivery: Delivery, journal: Journal) -> None: ...

    async def publish(self, platform: str, grant: Grant, delivery: Delivery, journal: Journal) -> Outcome: ...

    async def status(self, platform: str, grant: Grant, delivery: Delivery, journal: Journal) -> Outcome: ...

    async def reconcile(self, platform: str, grant: Grant, delivery: Delivery, journal: Journal) -> Finding: ...


class Removing(Protocol):
    """The platforms by name, as far as taking posts off goes."""

    def rules(self, platform: str | None) -> RemovalRules | None:
        """What holds there; None where this installation does not offer the platform (any more)."""

    async def remove(self, platform: str | None, grant: Grant, receipt: Receipt) -> Removed | NotThere:
        """Raises `platforms.errors.PlatformError`."""


class Settlements(Protocol):
    """Ends of steps, written several in one transaction."""

    async def settle(
        self, claimed: Publication, change: Verdict, *, keep: bool, bill: Bill | None = None
    ) -> Publication:
        """See `publisher.use_cases.settle.settle`."""


Turn = Callable[[], AbstractAsyncContextManager[None]]
"""The time of a call. Raises `platforms.errors.Transient` if it does not come soon: nothing was sent."""


class CallSlots(Protocol):
    """There are only so many visible steps of one platform at once."""

    def begin(self, platform: str) -> AbstractAsyncContextManager[Turn]:
        """To be around a visible step with its intent; the turn that it gives, around the call alone."""


@dataclass(frozen=True)
class Means:
    """All a worker has at hand. `work` opens a unit of work that sees every workspace."""

    work: Callable[[], AbstractAsyncContextManager[Store]]
    settlements: Settlements
    clock: Clock
    revisions: Revisions
    media: MediaStore
    grants: Grants
    journals: Journals
    platforms: PlatformCalls
    removing: Removing
    call_slots: CallSlots
