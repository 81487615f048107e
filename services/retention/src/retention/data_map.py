"""Everything retention holds, how long and why. Nothing here belongs to a workspace."""

from __future__ import annotations

from kit.erasure import DataMap, Kind, Table

_PROOF = "Kept deliberately as the proof of an erasure; deleted three years after it (`PROOF_KEPT`)."
_ROTATION = "Says when a backup was taken and destroyed; holds no data of anybody. Kept."

DATA_MAP = DataMap(
    service="retention",
    tables=(
        Table(
            name="erasure",
            purpose="A duty to forget a subject, and how far it is.",
            retention=(
                _PROOF + " `subject_id` is emptied as soon as nothing is left to erase, which is when the last"
                " backup from before has been destroyed; afterwards the digest alone stays."
            ),
            columns={
                "erasure_id": Kind.ID,
                "subject_kind": Kind.STATE,
                "subject_id": Kind.ID,
                "subject_digest": Kind.ID,
                "state": Kind.STATE,
                "requested_at": Kind.TIME,
                "execute_at": Kind.TIME,
                "warn_at": Kind.TIME,
                "due_at": Kind.TIME,
                "next_try_at": Kind.TIME,
                "warned_at": Kind.TIME,
                "completed_at": Kind.TIME,
                "backups_until": Kind.TIME,
                "expected": Kind.STATE,
                "purged": Kind.STATE,
                "in_ledger": Kind.STATE,
            },
        ),
        Table(
            name="erasure_answer",
            purpose="What each service erased, in counts.",
            retention=_PROOF,
            columns={
                "erasure_id": Kind.ID,
                "service": Kind.STATE,
                "erased": Kind.STATE,
                "anonymised": Kind.STATE,
                "remaining": Kind.STATE,
                "complete": Kind.STATE,
                "done_at": Kind.TIME,
            },
        ),
        Table(
            name="certificate",
            purpose="The signed proof of an erasure, without personal data.",
            retention=_PROOF,
            columns={
                "certificate_id": Kind.ID,
                "erasure_id": Kind.ID,
                "final": Kind.STATE,
                "jws": Kind.STATE,
                "issued_at": Kind.TIME,
            },
        ),
        Table(
            name="backup",
            purpose="Backups and their rotation. The backups themselves live for 60 days, those of keys for six"
            " (`BACKUP_KEPT`).",
            retention=_ROTATION,
            columns={
                "backup_id": Kind.ID,
                "rotation": Kind.STATE,
                "state": Kind.STATE,
                "taken_at": Kind.TIME,
                "expires_at": Kind.TIME,
                "ended_at": Kind.TIME,
            },
        ),
        Table(
            name="backup_part",
            purpose="The objects of a backup: where, how large, and their digest.",
            retention=_ROTATION,
            columns={
                "backup_id": Kind.ID,
                "service": Kind.STATE,
                "object_key": Kind.ID,
                "size_bytes": Kind.STATE,
                "sha256": Kind.STATE,
            },
        ),
    ),
)
