"""Mail on its way, and the proofs that it carries.

A request writes letters and reads none. A proof is found by whoever shows its token; a function looks, for before that
it is not known who asks.
"""

from __future__ import annotations

from alembic import op
from kit import schema

revision = "0003"
down_revision = "0002"

SERVICE = "auth"

_TABLES = (
    """
    CREATE TABLE letter (
        letter_id uuid PRIMARY KEY,
        kind text NOT NULL,
        address text NOT NULL,
        account_id uuid,
        workspace_id uuid,
        facts jsonb NOT NULL,
        subject_id uuid,
        written_at timestamptz NOT NULL,
        due_at timestamptz NOT NULL,
        attempts integer NOT NULL
    )
    """,
    "CREATE INDEX letter_due_at ON letter (due_at)",
    "CREATE INDEX letter_account ON letter (account_id)",
    """
    CREATE TABLE proof (
        token_hash bytea PRIMARY KEY,
        purpose text NOT NULL,
        subject_id uuid NOT NULL,
        account_id uuid,
        workspace_id uuid,
        address text NOT NULL,
        expires_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX proof_subject ON proof (subject_id)",
    "CREATE INDEX proof_expires_at ON proof (expires_at)",
)


def upgrade() -> None:
    for statement in _TABLES:
        op.execute(statement)
    schema.protect("letter", SERVICE, visible="false", writable="true")
    schema.protect("proof", SERVICE, visible="false")
