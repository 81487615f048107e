"""Events of retention: duties to forget, and backups. An erasure outlives its subject, so its own id is the key."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from contracts.event import Event, Instant, Word
from contracts.registry import event


class SubjectKind(StrEnum):
    """What data can be about."""

    ACCOUNT = "account"
    WORKSPACE = "workspace"
    CONNECTION = "connection"


@event("erasure.requested", 1, owner="retention", aggregate="erasure_id", key="erasure_id")
class ErasureRequestedV1(Event):
    """Every service erases its part now and answers `erasure.task_done`. `due_at`: when the promise would break."""

    erasure_id: UUID
    subject_kind: SubjectKind
    subject_id: UUID
    due_at: Instant


@event("erasure.recalled", 1, owner="retention", aggregate="erasure_id", key="erasure_id")
class ErasureRecalledV1(Event):
    """A connection has ended, and its erasure is still to come. Told at each start, which may be one after a restore:
    whoever holds tokens of it again destroys them at once, as its end did."""

    erasure_id: UUID
    connection_id: UUID


@event("erasure.task_done", 1, owner="retention", aggregate="erasure_id", key="erasure_id")
class ErasureTaskDoneV1(Event):
    """One service erased its part and looked again.

    `erased` and `anonymised` count rows (or objects) by store, `remaining` is what the second look still
    found: an erasure completes only when it is zero everywhere.
    """

    erasure_id: UUID
    service: Word
    erased: dict[Word, int]
    anonymised: dict[Word, int]
    remaining: dict[Word, int]
    done_at: Instant


@event("erasure.completed", 1, owner="retention", aggregate="erasure_id", key="erasure_id")
class ErasureCompletedV1(Event):
    """The subject is gone from every live store and a certificate is signed.

    `final` is false while a backup taken earlier may still hold it, and true once the last has rotated out.
    """

    erasure_id: UUID
    completed_at: Instant
    final: bool


@event("erasure.overdue", 1, owner="retention", aggregate="erasure_id", key="erasure_id")
class ErasureOverdueV1(Event):
    """An erasure is not done although its warning time has come; long before the promise breaks."""

    erasure_id: UUID
    due_at: Instant
    waiting_for: tuple[Word, ...]


@event("backup.taken", 1, owner="retention", aggregate="backup_id", key="backup_id")
class BackupTakenV1(Event):
    """A backup was made; it is destroyed at `expires_at` at the latest."""

    backup_id: UUID
    taken_at: Instant
    expires_at: Instant


@event("backup.expired", 1, owner="retention", aggregate="backup_id", key="backup_id")
class BackupExpiredV1(Event):
    """A backup was destroyed at the end of its rotation."""

    backup_id: UUID
    expired_at: Instant
