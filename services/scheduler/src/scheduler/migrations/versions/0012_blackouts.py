"""Blackouts: windows in which nothing is to go out, and what goes out in them all the same."""

from __future__ import annotations

from alembic import op
from kit import schema

revision = "0012"
down_revision = "0011"

_BLACKOUT = """
CREATE TABLE blackout (
    blackout_id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL,
    name text NOT NULL,
    starts_at timestamp NOT NULL,
    ends_at timestamp NOT NULL,
    time_zone text NOT NULL,
    yearly boolean NOT NULL,
    connection_ids uuid[]
)
"""


def upgrade() -> None:
    op.execute(_BLACKOUT)
    schema.protect("blackout", "scheduler")
    op.execute("CREATE INDEX blackout_of_workspace ON blackout (workspace_id)")
    op.execute("ALTER TABLE schedule ADD COLUMN despite uuid[] NOT NULL DEFAULT '{}'")
    op.execute("ALTER TABLE series ADD COLUMN despite_blackouts boolean NOT NULL DEFAULT false")
