"""What the publisher's use cases need from outside: rows, content, media, grants, platforms, the journal."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from contracts.event import Event
from contracts.sealing import SealedMedia, SealedRevision
from kit.clock import Clock
from kit.passport import Reach
from platforms.shape import Delivery, Finding, Grant, Journal, MediaSource, Outcome

from publisher.domain.connection import Connection
from publisher.domain.publication import Publication, State


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
    """One line of a publication's history."""

    at: datetime
    state: str
    code: str | None


class Store(Protocol):
    """The publications that the unit of work may see, and what they hang on."""

    def emit(self, event: Event) -> UUID: ...

    async def serialise(self, schedule_id: UUID) -> None:
        """Let the events of one schedule take effect one after the other."""

    async def add(self, publication: Publication) -> bool:
        """Keep a new publication; false if there is one for the same schedule, connection and occurrence."""

    async def save(self, before: Publication, after: Publication) -> None:
        """Write a changed row, its line of history, its attempt; forget its journal when it has ended."""

    async def lock(self, publication_id: UUID) -> Publication | None: ...

    async def lock_of_schedule(self, schedule_id: UUID) -> list[Publication]: ...

    async def lock_open_of_connection(self, connection_id: UUID) -> list[Publication]: ...

    async def lock_open_of_workspace(self, workspace_id: UUID) -> list[Publication]: ...

    async def claim(
        self, states: Collection[State], *, limit: int, busy: Collection[UUID], leased_until: datetime
    ) -> list[Publication]:
        """Take what is to be done now and nobody has, the longest waiting first."""

    async def prolong(self, publication: Publication, leased_until: datetime) -> None:
        """Keep a claim, if it is still ours."""

    async def release(self, publication: Publication) -> None:
        """Give a claim back, if it is still ours."""

    async def connection(self, connection_id: UUID) -> Connection | None: ...

    async def keep_connection(self, connection: Connection) -> None: ...

    async def keep_cancellation(
        self, workspace_id: UUID, schedule_id: UUID, connection_ids: Sequence[UUID], reason: str
    ) -> None:
        """Remember that a schedule was taken back, for the case that it arrives later. No connections: all."""

    async def cancellation(self, schedule_id: UUID, connection_id: UUID) -> str | None:
        """Why a connection of a schedule was taken back, if it was."""

    async def find(self, publication_id: UUID) -> Publication | None: ...

    async def newest(
        self, *, post_id: UUID | None, schedule_id: UUID | None, reach: Reach, limit: int
    ) -> list[Publication]: ...

    async def histories(self, publication_ids: Sequence[UUID]) -> dict[UUID, list[Entry]]: ...


class Revisions(Protocol):
    async def find(self, workspace_id: UUID, revision_id: UUID) -> SealedRevision | None:
        """A revision as content has it now. Raises `kit.problems.Unavailable`."""

    def signed(self, message: bytes, signature: bytes) -> bool:
        """Whether content signed this."""


class MediaStore(Protocol):
    def source(self, media: SealedMedia) -> MediaSource: ...


class Grants(Protocol):
    def borrow(self, publication: Publication) -> AbstractAsyncContextManager[Grant]:
        """The connection's grant for the block. Raises `GrantRefused`, `kit.problems.Unavailable`."""

    async def report_dead(self, connection_id: UUID, code: str) -> None:
        """Tell auth that the platform refused the grant. Raises `kit.problems.Unavailable`."""


class DurableJournal(Journal, Protocol):
    @property
    def recorded(self) -> int:
        """How many times something was recorded since it was opened."""


class Journals(Protocol):
    async def open(self, publication: Publication, platform: str) -> DurableJournal:
        """What was done so far. `record` raises `ClaimLost` once the publication is not ours any more."""


class PlatformCalls(Protocol):
    """The platforms by name, called with a grant. Raise `platforms.errors.PlatformError`."""

    async def stage(self, platform: str, grant: Grant, delivery: Delivery, journal: Journal) -> None: ...

    async def publish(self, platform: str, grant: Grant, delivery: Delivery, journal: Journal) -> Outcome: ...

    async def status(self, platform: str, grant: Grant, delivery: Delivery, journal: Journal) -> Outcome: ...

    async def reconcile(self, platform: str, grant: Grant, delivery: Delivery, journal: Journal) -> Finding: ...


@dataclass(frozen=True)
class Means:
    """All a worker has at hand. `work` opens a unit of work that sees every workspace."""

    work: Callable[[], AbstractAsyncContextManager[Store]]
    clock: Clock
    revisions: Revisions
    media: MediaStore
    grants: Grants
    journals: Journals
    platforms: PlatformCalls
