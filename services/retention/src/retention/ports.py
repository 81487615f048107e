"""What the use cases need of the database, the bus and the archive of backups."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from contracts.event import Event
from contracts.retention import SubjectKind

from retention.domain.backup import Manifest, Part
from retention.domain.erasure import Answer, Erasure, LedgerEntry, OpenErasure, Overdue, Purge
from retention.domain.policy import Rotation


class Away(Exception):
    """The bus or the archive does not answer; the same step is done again later."""


class Erasures(Protocol):
    """Erasures, answers and certificates in one transaction."""

    def emit(self, event: Event) -> None: ...

    async def open(
        self,
        *,
        erasure_id: UUID,
        kind: SubjectKind,
        subject_id: UUID,
        digest: str,
        requested_at: datetime,
        execute_at: datetime,
        warn_at: datetime,
        due_at: datetime,
    ) -> None:
        """Note a duty; one that is known already stays as it is."""

    async def request_due(self, now: datetime, expected: Sequence[str], limit: int) -> Sequence[OpenErasure]:
        """Those whose time has come, now requested of the `expected` services."""

    async def warn_overdue(self, now: datetime, limit: int) -> Sequence[Overdue]:
        """Those that became overdue, each once in its life."""

    async def write_answer(self, erasure_id: UUID, answer: Answer) -> None: ...

    async def answered(self, now: datetime, limit: int) -> Sequence[OpenErasure]:
        """Requested ones that every expected service has answered with nothing left."""

    async def add_purged(self, erasure_id: UUID, purged: Mapping[str, int], next_try_at: datetime) -> None: ...

    async def complete(
        self, erasure_id: UUID, *, at: datetime, backups_until: datetime | None, final: bool
    ) -> Erasure | None:
        """Close a requested erasure; None if another process did. When final, its subject's id goes."""

    async def without_backups(self, now: datetime, limit: int) -> Sequence[OpenErasure]:
        """Done ones of which every backup from before is destroyed."""

    async def finalise(self, erasure_id: UUID) -> Erasure | None:
        """Make a done erasure final and forget its subject's id; None if another process did."""

    async def outside_ledger(self, limit: int) -> Sequence[LedgerEntry]:
        """Erasures that are not final and not in the ledger yet."""

    async def final_in_ledger(self, limit: int) -> Sequence[UUID]:
        """Final erasures, which the ledger must no longer name."""

    async def mark_ledger(self, erasure_id: UUID, *, entered: bool) -> None: ...

    async def ended_connections(self) -> Sequence[OpenErasure]:
        """Those of connections that have ended and whose time has not come."""

    async def not_final(self) -> Sequence[OpenErasure]:
        """Requested or done ones, which a restored backup may still hold."""

    async def write_certificate(
        self, certificate_id: UUID, erasure_id: UUID, *, final: bool, jws: str, issued_at: datetime
    ) -> None: ...

    async def get(self, erasure_id: UUID) -> Erasure | None: ...

    async def answers(self, erasure_id: UUID) -> Sequence[Answer]: ...

    async def newest_certificate(self, erasure_id: UUID) -> str | None: ...

    async def forget_proofs(self, before: datetime) -> int:
        """Delete final erasures that were completed before a time, with everything about them."""


class Backups(Protocol):
    """Backups in one transaction."""

    async def newest_taken_at(self, rotation: Rotation) -> datetime | None: ...

    async def newest_failed_at(self, rotation: Rotation) -> datetime | None: ...

    async def stale(self, before: datetime) -> Sequence[UUID]:
        """Backups that have been under way since before a time."""

    async def begin(self, backup_id: UUID, rotation: Rotation, *, taken_at: datetime, expires_at: datetime) -> bool:
        """Claim the right to take a backup; False if one is under way in this rotation."""

    async def finish(self, backup_id: UUID, parts: Sequence[Part], at: datetime) -> bool:
        """Note a backup as taken; False if it was given up meanwhile."""

    async def fail(self, backup_id: UUID, at: datetime) -> None: ...

    async def expired(self, now: datetime) -> Sequence[UUID]:
        """Backups at the end of their rotation, not yet destroyed."""

    async def mark_expired(self, backup_id: UUID, at: datetime) -> bool: ...

    async def known_backups(self) -> set[UUID]: ...

    async def adopt(self, manifest: Manifest) -> None:
        """Note a backup that the archive holds and a restored database does not know."""

    async def last_expiry(self, taken_until: datetime) -> datetime | None:
        """When the last of the backups that were begun by a time expires; None if there are none."""


class Store(Erasures, Backups, Protocol):
    """One transaction on all of retention's rows."""


class Streams(Protocol):
    """The events on the bus."""

    async def purge(self, erasure: OpenErasure) -> Purge:
        """Take everything about a subject from the bus that every consumer has done with. Raises `Away`."""


class Dumper(Protocol):
    """Reads whole databases."""

    @property
    def services(self) -> Sequence[str]:
        """The databases that can be dumped: one a service by its name, and those of keys."""

    def dump(self, service: str) -> AsyncGenerator[bytes]:
        """One database as an archive of pg_dump, in pieces. Raises `retention.domain.backup.DumpFailed`."""


class Ledger(Protocol):
    """Erasures that are not final, kept beside the backups and in none of them. Every method raises `Away`."""

    async def add(self, entry: LedgerEntry) -> None: ...

    async def remove(self, erasure_id: UUID) -> None: ...

    async def entries(self) -> Sequence[LedgerEntry]: ...


class Archive(Protocol):
    """Where backups are."""

    async def write(self, service: str, key: str, pieces: AsyncIterator[bytes]) -> Part:
        """Keep a stream of pieces, whole or not at all. Raises `Away`."""

    async def keep_manifest(self, manifest: Manifest) -> None:
        """Say beside a backup that it is whole. Raises `Away`."""

    async def held(self) -> Mapping[UUID, Manifest | None]:
        """Every backup there is anything of; None where it is not whole. Raises `Away`."""

    async def destroy(self, prefix: str) -> None:
        """Remove everything under a prefix and look again. Raises `Away` if anything is left."""
