"""What platforms tell about revoked access, requests for deletion with their codes, ends that are asked for again."""

from __future__ import annotations

from alembic import op
from kit import schema

revision = "0010"
down_revision = "0009"

SERVICE = "auth"

_CONNECTION = (
    "ALTER TABLE connection ADD COLUMN dead_since timestamptz, ADD COLUMN confirmed_at timestamptz",
    # How long it has been dead nobody wrote down: its time to be authorised again begins now.
    "UPDATE connection SET dead_since = now() WHERE state = 'reauth_required'",
    "CREATE INDEX connection_dead_since ON connection (dead_since) WHERE state = 'reauth_required'",
    # A platform names an account or a person, never a workspace.
    "CREATE INDEX connection_account ON connection (platform, external_id) WHERE external_id IS NOT NULL",
    "CREATE INDEX connection_person ON connection (platform, union_id) WHERE union_id IS NOT NULL",
)

_NOTICES = (
    """
    CREATE TABLE platform_notice (
        platform text NOT NULL,
        notice_hash bytea NOT NULL,
        person_hash bytea NOT NULL,
        code text,
        erasure_ids uuid[] NOT NULL,
        received_at timestamptz NOT NULL,
        PRIMARY KEY (platform, notice_hash)
    )
    """,
    "CREATE INDEX platform_notice_person ON platform_notice (platform, person_hash)",
    "CREATE INDEX platform_notice_received_at ON platform_notice (received_at)",
    """
    CREATE TABLE deletion_request (
        code text PRIMARY KEY,
        platform text NOT NULL,
        requested_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX deletion_request_requested_at ON deletion_request (requested_at)",
    """
    CREATE TABLE deletion_part (
        code text NOT NULL REFERENCES deletion_request ON DELETE CASCADE,
        erasure_id uuid NOT NULL,
        erased_at timestamptz,
        final_at timestamptz,
        PRIMARY KEY (code, erasure_id)
    )
    """,
    "CREATE INDEX deletion_part_erasure ON deletion_part (erasure_id)",
)

_LATE = (
    """
    CREATE TABLE late_revocation (
        connection_id uuid PRIMARY KEY REFERENCES connection,
        workspace_id uuid NOT NULL,
        platform text NOT NULL,
        wrapped_key bytea NOT NULL,
        key_id text NOT NULL,
        nonce bytea NOT NULL,
        ciphertext bytea NOT NULL,
        attempts integer NOT NULL,
        due_at timestamptz NOT NULL,
        until timestamptz NOT NULL
    )
    """,
    "CREATE INDEX late_revocation_workspace ON late_revocation (workspace_id)",
    "CREATE INDEX late_revocation_due_at ON late_revocation (due_at)",
)


def upgrade() -> None:
    for statement in (*_CONNECTION, *_NOTICES, *_LATE):
        op.execute(statement)
    # No person or workspace asks for these; only the worker reads and writes them.
    for table in ("platform_notice", "deletion_request", "deletion_part", "late_revocation"):
        schema.protect(table, SERVICE, visible="false")
