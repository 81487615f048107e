"""Audits: comparisons of what was planned, what we believe and what the platforms show, with what they found."""

from __future__ import annotations

from alembic import op
from kit import schema

revision = "0008"
down_revision = "0007"

_AUDIT = """
CREATE TABLE audit (
    run_id uuid PRIMARY KEY,
    since timestamptz NOT NULL,
    until timestamptz NOT NULL,
    asked boolean NOT NULL,
    state text NOT NULL CHECK (state IN ('waiting', 'running', 'done')),
    created_at timestamptz NOT NULL,
    ended_at timestamptz,
    counts jsonb NOT NULL DEFAULT '{}',
    claim uuid,
    leased_until timestamptz
)
"""

_FINDING = """
CREATE TABLE audit_finding (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id uuid NOT NULL REFERENCES audit ON DELETE CASCADE,
    workspace_id uuid NOT NULL,
    kind text NOT NULL,
    schedule_id uuid,
    publication_id uuid,
    connection_id uuid,
    platform text,
    post_ids text[] NOT NULL,
    detail text NOT NULL
)
"""


def upgrade() -> None:
    op.execute(_AUDIT)
    op.execute(_FINDING)
    op.execute("CREATE INDEX audit_created_at ON audit (created_at)")
    op.execute("CREATE INDEX audit_finding_run ON audit_finding (run_id)")
    op.execute("CREATE INDEX audit_finding_workspace ON audit_finding (workspace_id)")
    op.execute("CREATE INDEX audit_finding_connection ON audit_finding (connection_id)")
    # What an audit looks through, a connection at a time.
    op.execute("CREATE INDEX publication_due ON publication (due_at)")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON audit TO publisher_worker")
    # The operators' own: no request of a person reads it.
    schema.protect("audit_finding", "publisher", visible="false")
