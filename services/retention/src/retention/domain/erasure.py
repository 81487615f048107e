"""An erasure: from the duty to forget a subject to the signed proof that it is forgotten."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from contracts.retention import SubjectKind
from contracts.topology import STREAM_MAX_AGE
from kit.problems import NotFound

from retention.domain import policy

BATCH_MAX = 20
"""Erasures handled in one round."""

OWN_TASK = "retention"
"""retention's own part: the events on the bus."""


class ErasureUnknown(NotFound):
    code = "erasure-unknown"
    title = "There is no such erasure"


class ErasureState(StrEnum):
    """`done`: gone from every live store. `final`: gone from every backup too."""

    SCHEDULED = "scheduled"
    REQUESTED = "requested"
    DONE = "done"
    FINAL = "final"


@dataclass(frozen=True)
class Erasure:
    """A duty to forget. The subject's id is kept only as long as it is needed to forget it."""

    erasure_id: UUID
    subject_kind: SubjectKind
    subject_digest: str
    state: ErasureState
    requested_at: datetime
    execute_at: datetime
    due_at: datetime
    completed_at: datetime | None
    backups_until: datetime | None
    expected: Sequence[str]
    purged: Mapping[str, int]


@dataclass(frozen=True)
class OpenErasure:
    """What the loops need of an erasure that is not final yet."""

    erasure_id: UUID
    subject_kind: SubjectKind
    subject_id: UUID
    due_at: datetime


@dataclass(frozen=True)
class Overdue:
    """An erasure that should be done by now, and what it waits for (services, or our own part)."""

    erasure_id: UUID
    due_at: datetime
    waiting_for: Sequence[str]


@dataclass(frozen=True)
class Answer:
    """What one service did, in rows or objects by store."""

    service: str
    erased: Mapping[str, int]
    anonymised: Mapping[str, int]
    remaining: Mapping[str, int]
    complete: bool
    done_at: datetime

    def followed_by(self, later: Answer) -> Answer:
        """A task that was done twice, as after a restore: counts add up, the newer run says what is left."""
        newest = later if later.done_at >= self.done_at else self
        return replace(
            newest, erased=_sum(self.erased, later.erased), anonymised=_sum(self.anonymised, later.anonymised)
        )


@dataclass(frozen=True)
class LedgerEntry:
    """What is kept of an erasure beside the backups, so that restoring one of retention's own does not lose it."""

    erasure_id: UUID
    subject_kind: SubjectKind
    subject_id: UUID
    requested_at: datetime


@dataclass(frozen=True)
class Purge:
    """What was taken from the bus, by stream. Not `clean`: something is left that has to wait."""

    purged: Mapping[str, int]
    clean: bool


def _sum(first: Mapping[str, int], second: Mapping[str, int]) -> dict[str, int]:
    return {name: first.get(name, 0) + second.get(name, 0) for name in first.keys() | second.keys()}


def digest_of(kind: SubjectKind, subject_id: UUID) -> str:
    """Lets who knows a subject's id find its certificate, and tells nobody else whom it is about."""
    return hashlib.sha256(f"{kind.value}:{subject_id}".encode()).hexdigest()


def events_until(erasure: Erasure) -> datetime | None:
    """When the last event about the subject expires by its age; None where they were purged.

    Events of a connection lie under their workspace, which goes on; the last one tells the end of the connection.
    """
    if erasure.subject_kind is SubjectKind.CONNECTION:
        return erasure.requested_at + STREAM_MAX_AGE
    return None


def certificate_document(
    erasure: Erasure,
    answers: Sequence[Answer],
    *,
    certificate_id: UUID,
    issued_at: datetime,
    backups_taken: bool,
    final: bool,
) -> dict[str, Any]:
    """What a certificate says. It holds counts, times and a digest: nothing about a person."""
    assert erasure.completed_at is not None
    expires = events_until(erasure)
    return {
        "certificate_id": str(certificate_id),
        "erasure_id": str(erasure.erasure_id),
        "subject_kind": erasure.subject_kind.value,
        "subject_digest": erasure.subject_digest,
        "requested_at": erasure.requested_at.isoformat(),
        "completed_at": erasure.completed_at.isoformat(),
        "due_at": erasure.due_at.isoformat(),
        "issued_at": issued_at.isoformat(),
        "tasks": [
            {
                "service": answer.service,
                "erased": dict(answer.erased),
                "anonymised": dict(answer.anonymised),
                "remaining": dict(answer.remaining),
                "done_at": answer.done_at.isoformat(),
            }
            for answer in answers
            if answer.service in erasure.expected
        ],
        "streams": dict(erasure.purged),
        "events_until": expires.isoformat() if expires else None,
        "backups": {
            "taken": backups_taken,
            "last_expires_at": erasure.backups_until.isoformat() if erasure.backups_until else None,
        },
        "final": final,
        "policy_version": policy.POLICY_VERSION,
    }
