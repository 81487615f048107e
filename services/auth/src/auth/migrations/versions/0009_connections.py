"""How connections near their end, what a choice among accounts keeps, and what grants were lent for."""

from __future__ import annotations

from alembic import op
from kit import schema

revision = "0009"
down_revision = "0008"

SERVICE = "auth"

_CONNECTION = (
    "ALTER TABLE connection DROP CONSTRAINT connection_state_check",
    "ALTER TABLE connection ADD CONSTRAINT connection_state_check"
    " CHECK (state IN ('active', 'expiring', 'ending', 'reauth_required', 'revoked'))",
    """
    ALTER TABLE connection
        ADD COLUMN bond text,
        ADD COLUMN ends_at timestamptz,
        ADD COLUMN failing_since timestamptz,
        ADD COLUMN is_overdue boolean NOT NULL DEFAULT false,
        ADD COLUMN notice text CHECK (notice IN ('ends', 'needs_you', 'overdue')),
        ADD COLUMN reauth_reason text,
        ADD COLUMN noticed_at timestamptz,
        ADD COLUMN unconfirmed_because text
    """,
    "DROP INDEX connection_external",
    "CREATE UNIQUE INDEX connection_external ON connection (workspace_id, platform, external_id)"
    " WHERE state IN ('active', 'expiring', 'reauth_required')",
    "DROP INDEX connection_refresh_at",
    "CREATE INDEX connection_refresh_at ON connection (refresh_at) WHERE state IN ('active', 'expiring')",
    "CREATE INDEX connection_ends_at ON connection (ends_at) WHERE state IN ('active', 'expiring')",
    "CREATE INDEX connection_bond ON connection (platform, bond) WHERE state IN ('active', 'expiring')",
    "CREATE INDEX connection_notice ON connection (noticed_at) WHERE notice IS NOT NULL",
    # Where a platform ends everything of a person at once it is the person that binds; else each ends alone.
    "UPDATE connection SET bond = CASE WHEN platform IN ('facebook', 'youtube') THEN coalesce(union_id, external_id)"
    " ELSE connection_id::text END WHERE state <> 'revoked'",
)

_LENDING = (
    "ALTER TABLE authorisation ADD COLUMN stage text NOT NULL DEFAULT 'away' CHECK (stage IN ('away', 'choosing'))",
    "ALTER TABLE authorisation ALTER COLUMN stage DROP DEFAULT",
    "ALTER TABLE lease ADD COLUMN purpose text NOT NULL DEFAULT 'publish'",
    "ALTER TABLE lease ALTER COLUMN purpose DROP DEFAULT",
    """
    CREATE TABLE borrowing (
        connection_id uuid NOT NULL REFERENCES connection,
        borrower text NOT NULL,
        purpose text NOT NULL,
        day date NOT NULL,
        workspace_id uuid NOT NULL,
        times integer NOT NULL,
        last_at timestamptz NOT NULL,
        PRIMARY KEY (connection_id, borrower, purpose, day)
    )
    """,
    "CREATE INDEX borrowing_workspace ON borrowing (workspace_id)",
    "CREATE INDEX borrowing_day ON borrowing (day)",
)


def upgrade() -> None:
    for statement in (*_CONNECTION, *_LENDING):
        op.execute(statement)
    schema.protect("borrowing", SERVICE)
    op.execute(f"REVOKE DELETE ON borrowing FROM {SERVICE}")
