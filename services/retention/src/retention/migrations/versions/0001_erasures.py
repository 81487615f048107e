"""Erasures with their answers and certificates, and backups. No table belongs to a workspace."""

from __future__ import annotations

from alembic import op
from kit import schema

revision = "0001"
down_revision = None

ERASURE = """
CREATE TABLE erasure (
    erasure_id uuid PRIMARY KEY,
    subject_kind text NOT NULL CHECK (subject_kind IN ('account', 'workspace', 'connection')),
    subject_id uuid,
    subject_digest text NOT NULL,
    state text NOT NULL CHECK (state IN ('scheduled', 'requested', 'done', 'final')),
    requested_at timestamptz NOT NULL,
    execute_at timestamptz NOT NULL,
    warn_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    next_try_at timestamptz NOT NULL,
    warned_at timestamptz,
    completed_at timestamptz,
    backups_until timestamptz,
    expected text[] NOT NULL DEFAULT '{}',
    purged jsonb NOT NULL DEFAULT '{}',
    in_ledger boolean NOT NULL DEFAULT false,
    CHECK (subject_id IS NOT NULL OR state = 'final'),
    CHECK ((completed_at IS NULL) = (state IN ('scheduled', 'requested')))
)
"""

# No foreign key: an answer may, in theory, be read before the row it answers.
ANSWER = """
CREATE TABLE erasure_answer (
    erasure_id uuid NOT NULL,
    service text NOT NULL,
    erased jsonb NOT NULL,
    anonymised jsonb NOT NULL,
    remaining jsonb NOT NULL,
    complete boolean NOT NULL,
    done_at timestamptz NOT NULL,
    PRIMARY KEY (erasure_id, service)
)
"""

CERTIFICATE = """
CREATE TABLE certificate (
    certificate_id uuid PRIMARY KEY,
    erasure_id uuid NOT NULL,
    final boolean NOT NULL,
    jws text NOT NULL,
    issued_at timestamptz NOT NULL,
    UNIQUE (erasure_id, final)
)
"""

BACKUP = """
CREATE TABLE backup (
    backup_id uuid PRIMARY KEY,
    state text NOT NULL CHECK (state IN ('taking', 'taken', 'failed', 'expired')),
    taken_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at timestamptz
)
"""

PART = """
CREATE TABLE backup_part (
    backup_id uuid NOT NULL REFERENCES backup,
    service text NOT NULL,
    object_key text NOT NULL,
    size_bytes bigint NOT NULL,
    sha256 text NOT NULL,
    PRIMARY KEY (backup_id, service)
)
"""

# What a request may read of an erasure: everything but whom it is about.
READABLE = (
    "erasure_id, subject_kind, subject_digest, state, requested_at, execute_at, due_at, completed_at,"
    " backups_until, expected, purged"
)


def upgrade() -> None:
    schema.create_messaging("retention")
    for statement in (ERASURE, ANSWER, CERTIFICATE, BACKUP, PART):
        op.execute(statement)
    op.execute("CREATE INDEX erasure_open ON erasure (state, execute_at) WHERE state <> 'final'")
    op.execute("CREATE UNIQUE INDEX backup_one_at_a_time ON backup (state) WHERE state = 'taking'")
    for table in ("erasure", "erasure_answer", "certificate", "backup", "backup_part"):
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO retention_worker")
    op.execute("GRANT SELECT ON erasure_answer, certificate TO retention")
    op.execute(f"GRANT SELECT ({READABLE}) ON erasure TO retention")
