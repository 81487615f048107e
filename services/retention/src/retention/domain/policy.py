"""The retention policy as code: what is forgotten when, and what is deliberately kept for how long.

A change of this file is a change of the policy: raise `POLICY_VERSION`, which every certificate names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from contracts.retention import SubjectKind
from contracts.topology import STREAM_MAX_AGE

POLICY_VERSION = 2


@dataclass(frozen=True)
class Rule:
    """When a kind of subject is erased, counted from the end of the connection or the deletion.

    `wait`: what is derived stays readable for so long. `promise`: by then it must be gone.
    """

    wait: timedelta
    promise: timedelta
    why: str

    def __post_init__(self) -> None:
        if not self.wait < self.promise:
            raise ValueError("an erasure needs time between its start and its promise")


RULES: Mapping[SubjectKind, Rule] = MappingProxyType(
    {
        SubjectKind.CONNECTION: Rule(
            wait=timedelta(days=29),
            promise=timedelta(days=30),
            why="The team may read its numbers for a while after a disconnect; a day is left for the erasure itself."
            " Tokens are destroyed by the disconnect, not by this.",
        ),
        SubjectKind.WORKSPACE: Rule(
            wait=timedelta(), promise=timedelta(days=30), why="Nobody can read it any more, so nothing waits."
        ),
        SubjectKind.ACCOUNT: Rule(
            wait=timedelta(), promise=timedelta(days=30), why="Nobody can sign in any more, so nothing waits."
        ),
    }
)

WARN_AT_SHARE = 0.5
"""An erasure that is not done after this share of its time is told to operators."""


class Rotation(StrEnum):
    """Backups are taken apart: those of the keys that open stored tokens live shortest."""

    DATA = "data"
    KEYS = "keys"


BACKUP_EVERY = timedelta(hours=24)
BACKUP_KEPT: Mapping[Rotation, timedelta] = MappingProxyType(
    {Rotation.DATA: timedelta(days=60), Rotation.KEYS: timedelta(days=6)}
)
BACKUP_PROMISE: Mapping[Rotation, timedelta] = MappingProxyType(
    {Rotation.DATA: timedelta(days=90), Rotation.KEYS: timedelta(days=7)}
)
"""A backup is destroyed well before its promise: what is left is for finding and mending a rotation that does not work.

Seven days after a key was destroyed nothing opens what it sealed, in none of the older backups of the tokens.
"""

PROOF_KEPT = timedelta(days=3 * 365)
"""How long the proof of an erasure is kept: as long as somebody may claim that it did not happen."""


@dataclass(frozen=True)
class Kept:
    """Something that is kept on purpose after its subject is gone, with its reason and its end."""

    what: str
    reason: str
    days: int


KEPT: Sequence[Kept] = (
    Kept(
        "Proof of an erasure: its id, kind and times, counts by service, the signed certificates, a SHA-256 digest",
        "To answer whether an erasure was done. Without the subject's id the digest leads to nobody.",
        PROOF_KEPT.days,
    ),
    Kept(
        "The random id of an erased subject, only while a backup from before its erasure exists",
        "To erase it again should that backup ever be restored.",
        BACKUP_KEPT[Rotation.DATA].days,
    ),
    Kept(
        "Backups of every service's database, without the keys that open stored tokens",
        "To recover from the loss of a database.",
        BACKUP_KEPT[Rotation.DATA].days,
    ),
    Kept(
        "Backups of the keys that open stored tokens, each wrapped by a key that is in no backup",
        "To recover from the loss of their database without asking everybody to connect again.",
        BACKUP_KEPT[Rotation.KEYS].days,
    ),
    Kept(
        "Events of ids, states and times. Those of an erased account or workspace are purged with it",
        "To deliver them again to a service that was away.",
        STREAM_MAX_AGE.days,
    ),
)


def execute_at(kind: SubjectKind, since: datetime) -> datetime:
    return since + RULES[kind].wait


def due_at(kind: SubjectKind, since: datetime) -> datetime:
    return since + RULES[kind].promise


def warn_at(kind: SubjectKind, since: datetime) -> datetime:
    """When an erasure that is not done is told to operators: half of its own time is still left."""
    return execute_at(kind, since) + (due_at(kind, since) - execute_at(kind, since)) * WARN_AT_SHARE
