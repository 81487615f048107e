"""Open the duty to forget what an event says is over."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from contracts.auth import ConnectionRevokedV2, RevocationReason
from contracts.retention import SubjectKind

from retention.domain import policy
from retention.domain.erasure import LedgerEntry, digest_of
from retention.ports import Erasures

_COVERED = {RevocationReason.ACCOUNT_DELETED, RevocationReason.WORKSPACE_DELETED}


async def open_erasure(
    erasure_id: UUID, kind: SubjectKind, subject_id: UUID, store: Erasures, *, since: datetime
) -> None:
    """Note that a subject is to be forgotten, by the policy, counted from `since`."""
    await store.open(
        erasure_id=erasure_id,
        kind=kind,
        subject_id=subject_id,
        digest=digest_of(kind, subject_id),
        requested_at=since,
        execute_at=policy.execute_at(kind, since),
        warn_at=policy.warn_at(kind, since),
        due_at=policy.due_at(kind, since),
    )


async def reopen_erasure(entry: LedgerEntry, store: Erasures) -> None:
    """Take an erasure from the ledger that a restore of our own database has lost; a known one stays as it is."""
    await open_erasure(entry.erasure_id, entry.subject_kind, entry.subject_id, store, since=entry.requested_at)


async def open_connection_erasure(event: ConnectionRevokedV2, store: Erasures) -> None:
    """A connection that ended with its workspace or account is covered by that erasure, which comes sooner."""
    if event.reason in _COVERED:
        return
    await open_erasure(event.erasure_id, SubjectKind.CONNECTION, event.connection_id, store, since=event.revoked_at)
